/** The analytics store, embedded or a server: one client, one SQL. All SQL is plain text with `{name:Type}` parameters. */
export interface ClickHouse {
  /** Rows as objects (JSONEachRow). 64-bit integers come as strings unless `toFloat64`/`toUInt32` is in the SQL. Ends with `Refusal('busy')` after `seconds`. */
  query<Row>(sql: string, params?: Record<string, unknown>, options?: QueryOptions): Promise<Row[]>
  /** The same, as they arrive, in chunks; memory stays bounded. */
  stream<Row>(sql: string, params?: Record<string, unknown>, options?: QueryOptions): AsyncIterable<Row[]>
  /**
   * Stores rows. The same `token` a second time stores nothing (`insert_deduplication_token`; every target table has a
   * `non_replicated_deduplication_window`), so a retry after any failure is safe.
   */
  insert(table: string, rows: readonly object[], options: { token: string }): Promise<void>
  /**
   * The same for many rows, each already written as the text of a JSON array in the order of `columns` (JSONCompactEachRow): a quarter less work for the
   * engine than objects, measured with 20,000 events of 567 bytes.
   */
  insertLines(
    table: string,
    columns: readonly string[],
    lines: readonly string[],
    options: { token: string },
  ): Promise<void>
  /**
   * The same in the RowBinary format (lib/row-binary).
   * @param columns in the order of each row
   */
  insertBinary(table: string, columns: readonly string[], rows: Buffer, options: { token: string }): Promise<void>
  /** DDL and other statements without an answer. */
  command(sql: string, params?: Record<string, unknown>): Promise<void>
  ping(): Promise<void>
  close(): Promise<void>
}

export interface QueryOptions {
  /** `max_execution_time`, default 30. */
  seconds?: number
  signal?: AbortSignal
}
