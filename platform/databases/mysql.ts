import type { Duplex, Readable } from 'node:stream'
import mysql from 'mysql2'
import {
  DatabaseProblem,
  type Batch,
  type Cell,
  type DatabaseAddress,
  type Finding,
  type Mark,
  type OtherDatabase,
  type Reading,
  type Relation,
  type Snapshot,
} from './database.ts'
import { batchOf, isTime, statementOf, withoutKeyStatement, type Dialect } from './statement.ts'

const quote = (name: string) => `\`${name.replaceAll('`', '``')}\``
const isBinary = (type: string) => /^(binary|varbinary|tinyblob|blob|mediumblob|longblob|bit|geometry|point)/.test(type)

/** A text as a parameter: the driver writes bytes as X'…', which no setting of the server reads as anything else. */
const textParameter = 'CONVERT(? USING utf8mb4)'

const dialect: Dialect = {
  quote,
  parameter(_position, { type }) {
    // Compared with text, MySQL makes numbers of both sides inexact.
    if (/^(tinyint|smallint|mediumint|int|bigint|year)/.test(type))
      return `CAST(${textParameter} AS ${type.includes('unsigned') ? 'UNSIGNED' : 'SIGNED'})`
    if (/^(decimal|numeric)/.test(type)) return `CAST(${textParameter} AS DECIMAL(65,30))`
    if (/^(datetime|timestamp)/.test(type)) return `CAST(${textParameter} AS DATETIME(6))`
    if (type === 'date') return `CAST(${textParameter} AS DATE)`
    return isBinary(type) ? `UNHEX(${textParameter})` : textParameter
  },
  select: (column) => (isBinary(column.type) ? `HEX(${quote(column.name)})` : quote(column.name)),
  behind(columns, values) {
    // Spelled out: MySQL uses no index for (a, b) > (x, y). Each parameter is written as often as it is used.
    const [column = '', ...others] = columns
    const [value = '', ...rest] = values
    return others.length === 0
      ? `${column} > ${value}`
      : `${column} >= ${value} AND (${column} > ${value} OR (${dialect.behind(others, rest)}))`
  },
  relation: (from) =>
    'table' in from ? `${quote(from.table.schema)}.${quote(from.table.name)}` : `(${from.query}\n) AS pulled`,
}

/** The values in the order of the marks: one that is compared twice is there twice. */
function repeated(text: string, values: readonly string[], reading: Reading): Buffer[] {
  const place = reading.after?.length ?? 0
  const before = values.slice(0, values.length - place).map((value) => Buffer.from(value))
  const behind = (rest: readonly string[]): string[] => {
    const [first = '', ...others] = rest
    return others.length === 0 ? [first] : [first, first, ...behind(others)]
  }
  const after = place === 0 ? [] : behind(values.slice(values.length - place)).map((value) => Buffer.from(value))
  const all = [...before, ...after]
  const marks = text.split('CONVERT(? USING').length - 1
  if (marks !== all.length) throw new Error(`${String(marks)} marks and ${String(all.length)} values`)
  return all
}

/** @throws DatabaseProblem with a sentence */
export async function openMysqlElsewhere(
  address: DatabaseAddress,
  socket: Duplex,
  timeoutMs: number,
): Promise<OtherDatabase> {
  const connection = mysql.createConnection({
    host: address.host,
    port: address.port,
    database: address.database,
    user: address.user,
    password: address.password,
    stream: socket,
    connectTimeout: timeoutMs,
    charset: 'utf8mb4',
    rowsAsArray: true,
    // Everything stays the text that the server wrote: numbers beyond 2^53 and microseconds too.
    typeCast: (field: { string(): Cell }) => field.string(),
    ...(address.tls === 'off'
      ? {}
      : { ssl: { rejectUnauthorized: address.tls === 'verify', verifyIdentity: address.tls === 'verify' } }),
  })
  // A connection that ends fails the statement that uses it, not the process.
  connection.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => {
    connection.connect((error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })
  const ask = (text: string, values: readonly unknown[] = []) =>
    new Promise<{ rows: Cell[][]; fields: mysql.FieldPacket[] }>((resolve, reject) => {
      connection.query(text, [...values], (error, rows, fields) => {
        // `rowsAsArray` and a cast of our own make them lists of text, which the driver's types do not know.
        if (error === null) resolve({ rows: rows as unknown as Cell[][], fields })
        else reject(error)
      })
    })
  const rows = async (text: string, values: readonly unknown[] = []) => (await ask(text, values)).rows
  const [[version = ''] = []] = await rows('SELECT VERSION()')
  const isMaria = /maria/i.test(version ?? '')
  // A reader that waits for our own disk must not lose its connection; TIMESTAMP columns are written in one zone, without a doubled hour.
  await rows(
    `SET SESSION time_zone = '+00:00', net_write_timeout = 3600, ${isMaria ? 'max_statement_time' : 'max_execution_time'} = 0`,
  )
  await rows('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')

  return {
    version: `${isMaria ? 'MariaDB' : 'MySQL'} ${(version ?? '').split('-')[0] ?? ''}`,
    async tables() {
      const found = await rows(
        `SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_ROWS FROM information_schema.TABLES
          WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1, 2 LIMIT 2000`,
      )
      return found.map(([schema, name, kind, estimate]) => ({
        schema: schema ?? '',
        name: name ?? '',
        kind: kind === 'VIEW' ? 'view' : 'table',
        rows: estimate === null || estimate === undefined ? undefined : Number(estimate),
      }))
    },
    async columns(from) {
      if ('query' in from) {
        const { fields } = await ask(`SELECT * FROM ${dialect.relation(from)} LIMIT 0`)
        return fields.map((field) => ({ name: field.name, type: typeOf(field), nullable: true, inKey: undefined }))
      }
      const found = await rows(
        `SELECT c.COLUMN_NAME, c.COLUMN_TYPE, c.IS_NULLABLE,
                (SELECT k.ORDINAL_POSITION FROM information_schema.KEY_COLUMN_USAGE k
                  WHERE k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME AND k.COLUMN_NAME = c.COLUMN_NAME AND k.CONSTRAINT_NAME = 'PRIMARY')
           FROM information_schema.COLUMNS c
          WHERE c.TABLE_SCHEMA = ${textParameter} AND c.TABLE_NAME = ${textParameter} ORDER BY c.ORDINAL_POSITION`,
        [Buffer.from(from.table.schema), Buffer.from(from.table.name)],
      )
      if (found.length === 0)
        throw new DatabaseProblem(`There is no table ${from.table.schema}.${from.table.name} that this user may see.`)
      return found.map(([name, type, nullable, inKey]) => ({
        name: name ?? '',
        type: type ?? '',
        nullable: nullable === 'YES',
        inKey: inKey === null || inKey === undefined ? undefined : Number(inKey),
      }))
    },
    look: (from, columns, limit) =>
      rows(
        `SELECT ${columns.map((column) => dialect.select(column)).join(', ')} FROM ${dialect.relation(from)} LIMIT ${String(Math.trunc(limit))}`,
      ),
    async snapshot(from, finding) {
      // Before the snapshot: who begins after this question cannot have begun before this time.
      const oldest = await oldestRunningSeconds()
      const [[nowUtc = ''] = []] = await rows(`SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)`)
      await rows('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY')
      return {
        mark: await markOf(from, finding, nowUtc ?? '', oldest),
        read: (reading) => read(connection, reading),
        async withoutKey(relation, key) {
          const [[found = '0'] = []] = await rows(withoutKeyStatement(relation, key, dialect))
          return Number(found)
        },
        async close() {
          await rows('ROLLBACK')
        },
      } satisfies Snapshot
    },
    close: () =>
      new Promise<void>((resolve) => {
        connection.end(() => {
          connection.destroy()
          resolve()
        })
      }),
  }

  /** How long the oldest transaction has run; 0 where this user may not see the others (it lacks PROCESS). */
  async function oldestRunningSeconds(): Promise<number> {
    const [[seconds = null] = []] = await rows(
      `SELECT MAX(TIMESTAMPDIFF(SECOND, trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')) + 1) FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id <> CONNECTION_ID()`,
    ).catch((): Cell[][] => [])
    return Math.max(0, Number(seconds ?? 0))
  }

  async function markOf(from: Relation, finding: Finding, nowUtc: string, oldest: number): Promise<Mark> {
    if (finding.by !== 'cursor') return { kind: 'everything' }
    const { column, overlap } = finding
    const cursor = quote(column.name)
    const relation = dialect.relation(from)
    if (!isTime(column)) {
      // Below zero an unsigned number does not go.
      const [[low = null] = []] = await rows(
        `SELECT CAST(CAST(MAX(${cursor}) AS DECIMAL(65,30)) - ${String(overlap)} AS CHAR) FROM ${relation}`,
      )
      return { kind: 'cursor', from: low === null ? null : low.replace(/[.].*/, '').replace(/^-.*/, '0') }
    }
    // A column without a zone is written by the server's clock, in the server's zone.
    const now = column.type.startsWith('timestamp')
      ? `CAST(${textParameter} AS DATETIME(6))`
      : `CONVERT_TZ(CAST(${textParameter} AS DATETIME(6)), '+00:00', @@global.time_zone)`
    const [[low = null] = []] = await rows(
      `SELECT CAST(LEAST(MAX(${cursor}), ${now} - INTERVAL ${String(Math.ceil(oldest))} SECOND) - INTERVAL ${String(overlap)} SECOND AS CHAR) FROM ${relation}`,
      [Buffer.from(nowUtc)],
    )
    return { kind: 'cursor', from: low }
  }
}

/** A type of a column of a SELECT, as far as it matters: what is bytes, what is a number, what is a time. */
function typeOf(field: mysql.FieldPacket): string {
  const { Types } = mysql
  const type = field.columnType ?? field.type
  const unsigned = (Number(field.flags) & 32) === 0 ? '' : ' unsigned'
  if (
    type === Types.LONGLONG ||
    type === Types.LONG ||
    type === Types.INT24 ||
    type === Types.SHORT ||
    type === Types.TINY
  )
    return `bigint${unsigned}`
  if (type === Types.NEWDECIMAL || type === Types.DECIMAL) return 'decimal'
  if (type === Types.DATETIME) return 'datetime(6)'
  if (type === Types.TIMESTAMP) return 'timestamp(6)'
  if (type === Types.DATE || type === Types.NEWDATE) return 'date'
  if (type === Types.BIT || type === Types.GEOMETRY) return 'bit'
  return field.characterSet === 63 && type !== Types.FLOAT && type !== Types.DOUBLE && type !== Types.TIME
    ? 'varbinary'
    : 'varchar'
}

async function* read(connection: mysql.Connection, reading: Reading): AsyncGenerator<Batch> {
  const { text, values } = statementOf(reading, dialect)
  const stream = connection
    .query({ sql: text, values: repeated(text, values, reading) })
    .stream({ highWaterMark: reading.rowsAtOnce }) as Readable & AsyncIterable<Cell[]>
  let rows: Cell[][] = []
  let whole = false
  try {
    for await (const row of stream) {
      rows.push(row)
      if (rows.length < reading.rowsAtOnce) continue
      yield batchOf(reading, rows)
      rows = []
    }
    whole = true
  } finally {
    // What is left unread would come as the answer to the next question.
    if (!whole) connection.destroy()
  }
  if (rows.length > 0) yield batchOf(reading, rows)
}

/** What the server's codes mean to whoever typed the connection. */
export function mysqlSentence(code: string, address: DatabaseAddress): string | undefined {
  if (code === 'ER_ACCESS_DENIED_ERROR') return 'The server does not accept this user with this password.'
  if (code === 'ER_DBACCESS_DENIED_ERROR') return `This user may not use the database “${address.database}”.`
  if (code === 'ER_BAD_DB_ERROR') return `There is no database “${address.database}” on this server.`
  if (code === 'ER_TABLEACCESS_DENIED_ERROR' || code === 'ER_COLUMNACCESS_DENIED_ERROR')
    return 'This user may not read that. Grant it SELECT.'
  if (code === 'ER_NO_SUCH_TABLE') return 'There is no such table or view.'
  if (code === 'ER_CON_COUNT_ERROR') return 'The server has no connection left.'
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return 'The server does not offer TLS.'
  return undefined
}
