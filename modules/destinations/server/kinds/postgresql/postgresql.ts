import pg from 'pg'
import { quotedTable, sqlKind, type Dialect } from '../sql.ts'

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`
const typeOf = (column: string) => (column === 'time' || column === 'received_at' ? 'timestamptz' : 'text')
const waitMs = 15_000

const dialect: Dialect = {
  port: 5432,
  quote,
  instant: (iso) => iso,
  create: (table, columns) =>
    `CREATE TABLE IF NOT EXISTS ${quotedTable(table, quote)} (${columns
      .map((column) => `${quote(column)} ${typeOf(column)}${column === 'event_key' ? ' PRIMARY KEY' : ''}`)
      .join(', ')})`,
  columns: `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = coalesce($1::text, current_schema()) AND table_name = $2`,
  unique: `SELECT 1 FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
    WHERE n.nspname = coalesce($1::text, current_schema()) AND t.relname = $2 AND i.indisunique AND i.indnkeyatts = 1 AND a.attname = 'event_key' AND i.indpred IS NULL`,
  add: (table, column) => `ALTER TABLE ${quotedTable(table, quote)} ADD COLUMN ${quote(column)} ${typeOf(column)}`,
  insert: (table, columns, rows) =>
    `INSERT INTO ${quotedTable(table, quote)} (${columns.map(quote).join(', ')}) VALUES ${Array.from(
      { length: rows },
      (_, row) => `(${columns.map((_, at) => `$${String(row * columns.length + at + 1)}`).join(', ')})`,
    ).join(', ')} ON CONFLICT (${quote('event_key')}) DO NOTHING`,
  async connect({ address, port, host, database, user, password, tls }) {
    const client = new pg.Client({
      host: address,
      port,
      database,
      user,
      password,
      ssl: tls ? { servername: host, rejectUnauthorized: true } : false,
      connectionTimeoutMillis: waitMs,
      query_timeout: 4 * waitMs,
      statement_timeout: 4 * waitMs,
      application_name: 'Interlock',
    })
    // A connection that ends while idle is noticed at the next statement.
    client.on('error', () => undefined)
    try {
      await client.connect()
    } catch (error) {
      await client.end().catch(() => undefined)
      throw error
    }
    return {
      query: async (sql, values) => (await client.query<Record<string, unknown>>(sql, [...values])).rows,
      end: () => client.end(),
    }
  },
  // Class 22 (data exception) and 23 (integrity constraint) of SQL.
  blamesRow: (error) => error instanceof Error && 'code' in error && /^(22|23)[0-9A-Z]{3}$/.test(String(error.code)),
}

export const postgresql = sqlKind('postgresql', 'PostgreSQL', dialect)
