import { createClient, ClickHouseError, type ClickHouseClient } from '@clickhouse/client'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Refusal } from '../../lib/refusals/refusals.ts'
import type { Clock } from '../clock/clock.ts'
import type { Log } from '../log/log.ts'
import { startClickHouse, type ClickHouseChild } from './child.ts'
import type { ClickHouse, QueryOptions } from './clickhouse.ts'

export interface OpenedClickHouse {
  clickhouse: ClickHouse
  pid(): number | undefined
  close(): Promise<void>
}

const migrationsAt = join(import.meta.dirname, '../../migrations/clickhouse')

/**
 * Opens the analytics store, migrated: a server of yours by `url`, else the embedded engine of the (locked) data directory. A server may be
 * migrated by others too, and ClickHouse has no lock: `alone` runs the migration while nobody else does.
 */
export async function openClickHouse(
  where: { url: string; alone: (migrate: () => Promise<void>) => Promise<void> } | { dataDir: string },
  log: Log,
  clock: Clock,
): Promise<OpenedClickHouse> {
  if ('url' in where) {
    const clickhouse = connect(() => ({ url: where.url, database: undefined, password: undefined }))
    try {
      await where.alone(() => migrateClickHouse(clickhouse, clock.now()))
    } catch (error) {
      await clickhouse.close()
      throw error
    }
    return { clickhouse, pid: () => undefined, close: () => clickhouse.close() }
  }
  const child = await startClickHouse(where.dataDir, log, clock)
  try {
    const clickhouse = connectTo(child, 'interlock')
    await migrateClickHouse(clickhouse, clock.now())
    return {
      clickhouse,
      pid: child.pid,
      async close() {
        await clickhouse.close()
        await child.stop()
      },
    }
  } catch (error) {
    await child.stop()
    throw error
  }
}

/** Opens the analytics store as it is, changing no table: for a look at an installation whose server is stopped. */
export async function lookAtClickHouse(
  where: { url: string } | { dataDir: string },
  log: Log,
  clock: Clock,
): Promise<Pick<OpenedClickHouse, 'clickhouse' | 'close'>> {
  if ('url' in where) {
    const clickhouse = connect(() => ({ url: where.url, database: undefined, password: undefined }))
    return { clickhouse, close: () => clickhouse.close() }
  }
  const child = await startClickHouse(where.dataDir, log, clock)
  const clickhouse = connectTo(child, 'interlock')
  return {
    clickhouse,
    async close() {
      await clickhouse.close()
      await child.stop()
    },
  }
}

/** A client of the embedded engine for one database. */
export function connectTo(child: Pick<ClickHouseChild, 'url' | 'secret'>, database: string): ClickHouse {
  return connect(() => ({ url: child.url(), database, password: child.secret }))
}

interface Address {
  url: string
  database: string | undefined
  password: string | undefined
}

function connect(address: () => Address): ClickHouse {
  let client: ClickHouseClient | undefined
  let at = ''
  // The embedded engine has another port after a restart, so the client is made anew when the address moved.
  const current = (): ClickHouseClient => {
    const { url, database, password } = address()
    if (client === undefined || at !== url) {
      void client?.close()
      at = url
      client = createClient({
        url,
        ...(database === undefined ? {} : { database }),
        ...(password === undefined ? {} : { username: 'interlock', password }),
        request_timeout: 330_000,
        max_open_connections: 12,
        keep_alive: { enabled: true, idle_socket_ttl: 2_500 },
        clickhouse_settings: {
          date_time_input_format: 'best_effort',
          output_format_json_quote_64bit_integers: 1,
          // A value in JSON stays what was said: guessed dates would change how they read, and with them even the text "1" became an instant.
          input_format_try_infer_dates: 0,
          input_format_try_infer_datetimes: 0,
        },
        log: { level: 127 },
      })
    }
    return client
  }
  const settings = (options: QueryOptions) => ({ max_execution_time: options.seconds ?? 30 })
  const shared = (sql: string, params: Record<string, unknown>, options: QueryOptions) => ({
    query: sql,
    query_params: params,
    clickhouse_settings: settings(options),
    use_multipart_params_auto: true,
    ...(options.signal === undefined ? {} : { abort_signal: options.signal }),
  })

  const store = (into: string, body: string | Buffer, token: string) =>
    tell(async () => {
      const { stream } = await current().exec({
        query: into,
        values: Readable.from([typeof body === 'string' ? Buffer.from(body) : body], { objectMode: false }),
        clickhouse_settings: {
          insert_deduplication_token: token,
          insert_deduplicate: 1,
          max_insert_threads: '1',
        },
      })
      // The answer is empty; its end says that the rows are stored.
      for await (const chunk of stream) void chunk
    })

  return {
    async query<Row>(sql: string, params: Record<string, unknown> = {}, options: QueryOptions = {}) {
      return tell(async () => {
        const result = await current().query({ ...shared(sql, params, options), format: 'JSONEachRow' })
        return await result.json<Row>()
      })
    },
    async *stream<Row>(sql: string, params: Record<string, unknown> = {}, options: QueryOptions = {}) {
      const result = await tell(() =>
        current().query({ ...shared(sql, params, { seconds: 300, ...options }), format: 'JSONEachRow' }),
      )
      for await (const rows of result.stream<Row>()) yield rows.map((row) => row.json<Row>())
    },
    async insert(table, rows, options) {
      if (rows.length === 0) return
      // Ready-made bytes: handing the client a hundred thousand objects costs it more than the engine needs to store them.
      const body = rows.map((row) => JSON.stringify(row)).join('\n')
      await store(`INSERT INTO ${nameOf(table)} FORMAT JSONEachRow`, body, options.token)
    },
    async insertLines(table, columns, lines, options) {
      if (lines.length === 0) return
      await store(`${intoOf(table, columns)} FORMAT JSONCompactEachRow`, lines.join('\n'), options.token)
    },
    async insertBinary(table, columns, rows, options) {
      if (rows.length === 0) return
      await store(`${intoOf(table, columns)} FORMAT RowBinary`, rows, options.token)
    },
    async command(sql, params = {}) {
      await tell(() => current().command({ query: sql, query_params: params }))
    },
    async ping() {
      const pong = await current().ping()
      if (!pong.success)
        throw new Refusal('busy', 'The analytics store cannot be reached now.', { retryAfterSeconds: 5 })
    },
    async close() {
      await client?.close()
    },
  }
}

const intoOf = (table: string, columns: readonly string[]) =>
  `INSERT INTO ${nameOf(table)} (${columns.map(nameOf).join(', ')})`

/** @throws when it is no name: text of a statement is never made from data */
function nameOf(name: string): string {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`not a table or column: ${name}`)
  return name
}

/** Turns what means "not now" into Refusal('busy'); everything else is a bug and stays as it is. */
async function tell<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    const code = error instanceof ClickHouseError ? error.code : undefined
    if (code === '159')
      throw new Refusal(
        'busy',
        'The question took longer than it may. Narrow it down: a shorter period, fewer conditions.',
      )
    if (code === '241')
      throw new Refusal(
        'busy',
        'The question needs more memory than there is. Narrow it down: a shorter period, fewer conditions.',
      )
    // A full disk is not the fault of what is stored: taken for that, events would be put aside one by one (code 243: NOT_ENOUGH_SPACE).
    if (code === '243' || (error instanceof Error && /No space left on device/i.test(error.message)))
      throw new Refusal('busy', 'The disk of the analytics store is full.', { retryAfterSeconds: 30 })
    if (
      code === undefined &&
      error instanceof Error &&
      /ECONNREFUSED|ECONNRESET|socket hang up|Timeout error|EPIPE|other side closed/i.test(
        `${error.message} ${String((error as { code?: unknown }).code)}`,
      )
    ) {
      const refusal = new Refusal('busy', 'The analytics store cannot be reached now.', { retryAfterSeconds: 5 })
      refusal.cause = error
      throw refusal
    }
    throw error
  }
}

/**
 * Applies the files of migrations/clickhouse that are new, in the order of their names. ClickHouse has no transactions over statements, so
 * each statement must be safe to run again (`IF NOT EXISTS`); statements end with `;` at the end of a line.
 */
export async function migrateClickHouse(clickhouse: ClickHouse, now: Date): Promise<void> {
  await clickhouse.command(
    `CREATE TABLE IF NOT EXISTS migration (name String, checksum String, applied_at DateTime64(3, 'UTC')) ENGINE = ReplacingMergeTree ORDER BY name SETTINGS non_replicated_deduplication_window = 1000`,
  )
  const applied = new Map(
    (await clickhouse.query<{ name: string; checksum: string }>('SELECT name, checksum FROM migration FINAL')).map(
      (row) => [row.name, row.checksum],
    ),
  )
  const files = readdirSync(migrationsAt)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  const known = new Set(files.map((name) => name.replace(/[.]sql$/, '')))
  const newer = [...applied.keys()].filter((name) => !known.has(name))
  if (newer.length > 0)
    throw new Error(
      `The analytics store is newer than this program: it has ${newer.join(', ')}. Start the newer program; there is no way back.`,
    )
  for (const file of files) {
    const name = file.replace(/[.]sql$/, '')
    const text = readFileSync(join(migrationsAt, file), 'utf8')
    const checksum = createHash('sha256').update(text).digest('hex')
    const before = applied.get(name)
    if (before !== undefined && before !== checksum)
      throw new Error(
        `The migration ${name} was edited after it had been applied. Undo the edit and write a new migration.`,
      )
    if (before !== undefined) continue
    for (const statement of text.replace(/^--.*$/gm, '').split(/;[ \t]*$/m))
      if (statement.trim() !== '') await clickhouse.command(statement.trim())
    await clickhouse.insert('migration', [{ name, checksum, applied_at: now.toISOString() }], {
      token: `migration ${name}`,
    })
  }
}
