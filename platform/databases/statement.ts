import type { Batch, Cell, ColumnInfo, Reading, Relation } from './database.ts'

/** How one kind of database writes what the others write differently. */
export interface Dialect {
  quote(name: string): string
  /** The parameter as a value of the column's type: compared as that type, not as text. */
  parameter(position: number, column: ColumnInfo): string
  /** The column as text. */
  select(column: ColumnInfo): string
  /** `(a, b) > (x, y)` in the form that uses an index. */
  behind(columns: readonly string[], values: readonly string[]): string
  relation(from: Relation): string
  /** Rows that a transaction may have written which the snapshot of the mark did not see; undefined where there is no such thing. */
  writtenSince?(parameter: (value: string) => string, xmin: string): string
}

/** Whether the overlap of a cursor is in seconds (else in units of the number). */
export const isTime = (column: ColumnInfo) => /^(timestamp|date|datetime)/.test(column.type)

/** Where a row stands: rows are read in this order, so that reading can go on behind any of them. */
function placeColumns(reading: Pick<Reading, 'finding' | 'pass' | 'key'>): readonly ColumnInfo[] {
  const { finding, pass, key } = reading
  return finding.by === 'cursor' && pass === 'rows' ? [finding.column, ...key] : key
}

/** Rows with the place of the last of them; keys are always read from the beginning. */
export function batchOf(reading: Reading, rows: Cell[][]): Batch {
  const last = rows.at(-1)
  if (reading.pass === 'keys' || last === undefined) return { rows, after: undefined }
  const { columns } = reading
  const at = (name: string) => columns.findIndex((column) => column.name === name)
  return { rows, after: placeColumns(reading).map(({ name }) => last[at(name)] ?? '') }
}

/** The statement of one pass, and its parameters as text. Names are quoted, values are parameters. */
export function statementOf(reading: Reading, dialect: Dialect): { text: string; values: string[] } {
  const { from, columns, key, finding, pass, since, after } = reading
  const values: string[] = []
  const add = (value: string, column: ColumnInfo) => {
    values.push(value)
    return dialect.parameter(values.length, column)
  }
  const place = placeColumns(reading)
  const selected = (pass === 'keys' ? key : columns).map((column) => dialect.select(column))
  const where = key.map((column) => `${dialect.quote(column.name)} IS NOT NULL`)
  if (finding.by === 'cursor' && pass !== 'keys') {
    const cursor = dialect.quote(finding.column.name)
    where.push(`${cursor} IS ${pass === 'rows' ? 'NOT ' : ''}NULL`)
    if (pass === 'rows' && since.kind === 'cursor' && since.from !== null)
      where.push(`${cursor} >= ${add(since.from, finding.column)}`)
  }
  if (finding.by === 'transactions' && pass === 'rows' && since.kind === 'transactions') {
    const written = dialect.writtenSince?.((value) => {
      values.push(value)
      return `$${String(values.length)}`
    }, since.xmin)
    if (written !== undefined) where.push(written)
  }
  if (after !== undefined && pass !== 'keys')
    where.push(
      dialect.behind(
        place.map((column) => dialect.quote(column.name)),
        place.map((column, at) => add(after[at] ?? '', column)),
      ),
    )
  const order = pass === 'keys' ? '' : ` ORDER BY ${place.map((column) => dialect.quote(column.name)).join(', ')}`
  return {
    text: `SELECT ${selected.join(', ')} FROM ${dialect.relation(from)}${where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`}${order}`,
    values,
  }
}

/** Counts the rows that have nothing in a column of the key. */
export function withoutKeyStatement(from: Relation, key: readonly ColumnInfo[], dialect: Dialect): string {
  const empty = key.map((column) => `${dialect.quote(column.name)} IS NULL`).join(' OR ')
  return `SELECT count(*) FROM ${dialect.relation(from)} WHERE ${empty}`
}
