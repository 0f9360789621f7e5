import mysqlDriver from 'mysql2/promise'
import { callAt } from '../../../../../platform/egress/call.ts'
import { quotedTable, sqlKind, type Dialect } from '../sql.ts'

const quote = (name: string) => `\`${name.replaceAll('`', '``')}\``
const waitMs = 15_000

const typeOf = (column: string) =>
  column === 'event_key'
    ? 'VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY'
    : column === 'time' || column === 'received_at'
      ? 'DATETIME(3)'
      : 'LONGTEXT CHARACTER SET utf8mb4'

/** Of a value and not of the server: too long, wrong for the column, out of range, not to be NULL. */
const aboutTheRow = new Set(['ER_DATA_TOO_LONG', 'ER_TRUNCATED_WRONG_VALUE', 'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD'])
const alsoAboutTheRow = new Set(['ER_WARN_DATA_OUT_OF_RANGE', 'ER_BAD_NULL_ERROR', 'ER_NET_PACKET_TOO_LARGE'])

const dialect: Dialect = {
  port: 3306,
  quote,
  instant: (iso) => iso.replace('T', ' ').replace('Z', ''),
  create: (table, columns) =>
    `CREATE TABLE IF NOT EXISTS ${quotedTable(table, quote)} (${columns
      .map((column) => `${quote(column)} ${typeOf(column)}`)
      .join(', ')})`,
  columns: `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = coalesce(?, database()) AND table_name = ?`,
  unique: `SELECT index_name FROM information_schema.statistics WHERE table_schema = coalesce(?, database()) AND table_name = ?
    GROUP BY index_name, non_unique HAVING non_unique = 0 AND count(*) = 1 AND max(column_name) = 'event_key'`,
  add: (table, column) => `ALTER TABLE ${quotedTable(table, quote)} ADD COLUMN ${quote(column)} ${typeOf(column)}`,
  // Not INSERT IGNORE, which would also swallow what does not fit.
  insert: (table, columns, rows) =>
    `INSERT INTO ${quotedTable(table, quote)} (${columns.map(quote).join(', ')}) VALUES ${Array.from(
      { length: rows },
      () => `(${columns.map(() => '?').join(', ')})`,
    ).join(', ')} ON DUPLICATE KEY UPDATE ${quote('event_key')} = ${quote('event_key')}`,
  async connect({ address, port, host, database, user, password, tls }) {
    const connection = await mysqlDriver.createConnection({
      host,
      port,
      stream: () => callAt({ address, port }),
      database,
      user,
      password,
      ...(tls ? { ssl: { rejectUnauthorized: true, verifyIdentity: true } } : {}),
      connectTimeout: waitMs,
      timezone: 'Z',
      charset: 'utf8mb4',
      // No file of ours at the server's wish.
      flags: ['-LOCAL_FILES'],
    })
    connection.on('error', () => undefined)
    return {
      // Prepared: the server puts the values in their places, whatever its SQL mode says of backslashes.
      async query(sql, values) {
        const [rows] = await connection.execute({ sql, timeout: 4 * waitMs, values: [...values] })
        return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : []
      },
      end: () => connection.end(),
    }
  },
  blamesRow(error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    return aboutTheRow.has(code) || alsoAboutTheRow.has(code)
  },
}

export const mysql = sqlKind('mysql', 'MySQL or MariaDB', dialect)
