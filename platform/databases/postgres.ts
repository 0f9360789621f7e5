import type { Duplex } from 'node:stream'
import pg from 'pg'
import Cursor from 'pg-cursor'
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

const bool: number = pg.types.builtins.BOOL
const timestamptz: number = pg.types.builtins.TIMESTAMPTZ

/** Everything stays the text that the server wrote; only what is written so that nobody else reads it is written out. */
const types = {
  getTypeParser(oid: number) {
    if (oid === bool) return (text: string) => (text === 't' ? 'true' : 'false')
    // The zone is UTC (it is set), which the server writes as +00: half an offset to everybody else.
    if (oid === timestamptz) return (text: string) => text.replace(/\+00$/, '+00:00')
    return (text: string) => text
  },
}

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`

function dialectOf(xmax: bigint): Dialect {
  return {
    quote,
    // A type's name comes from the server's own format_type(), which quotes what needs it.
    parameter: (position, column) => `$${String(position)}::${column.type}`,
    select: (column) => quote(column.name),
    behind: (columns, values) => `(${columns.join(', ')}) > (${values.join(', ')})`,
    relation: (from) =>
      'table' in from ? `${quote(from.table.schema)}.${quote(from.table.name)}` : `(${from.query}\n) AS pulled`,
    /*
     * A row keeps the lower 32 bits of the transaction that wrote it (also when it is frozen). Whole, it is the largest number below the
     * snapshot's end with those bits, or one that is smaller by a multiple of 2^32; taking the largest errs to the safe side: a row of long ago is
     * read once more and compared, and none that is new is left out, however often the counter went round.
     */
    writtenSince: (parameter, xmin) =>
      `((${parameter(String(xmax - 1n))}::bigint - xmin::text::bigint) & 4294967295) <= ${parameter(String(xmax - 1n - BigInt(xmin)))}::bigint`,
  }
}

/** @throws DatabaseProblem with a sentence */
export async function openPostgresElsewhere(
  address: DatabaseAddress,
  socket: Duplex,
  timeoutMs: number,
): Promise<OtherDatabase> {
  // The driver dials by itself; here the socket is open already, so its call is answered with "connected".
  const stream = Object.assign(socket, {
    connect() {
      setImmediate(() => socket.emit('connect'))
      return socket
    },
  })
  const client = new pg.Client({
    host: address.host,
    port: address.port,
    database: address.database,
    user: address.user,
    password: address.password,
    stream: () => stream,
    ssl:
      address.tls === 'off'
        ? false
        : { rejectUnauthorized: address.tls === 'verify', host: address.host, servername: address.host },
    connectionTimeoutMillis: timeoutMs,
    application_name: 'interlock',
    types,
  })
  // A connection that ends fails the statement that uses it, not the process.
  client.on('error', () => undefined)
  const rows = async (text: string, values: readonly unknown[] = []): Promise<Cell[][]> =>
    (await client.query<Cell[]>({ text, values: [...values], rowMode: 'array' })).rows
  await client.connect()
  // Text that means the same to everybody, whatever the database's own settings are.
  await client.query(
    `SELECT set_config(name, value, false) FROM (VALUES ('TimeZone', 'UTC'), ('DateStyle', 'ISO, YMD'), ('IntervalStyle', 'iso_8601'), ('bytea_output', 'hex'), ('statement_timeout', '0'), ('idle_in_transaction_session_timeout', '0')) AS s (name, value)`,
  )
  await client.query('SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY')
  const [[version = ''] = []] = await rows(`SELECT split_part(current_setting('server_version'), ' ', 1)`)

  return {
    version: `PostgreSQL ${version ?? ''}`,
    async tables() {
      const found = await rows(
        `SELECT n.nspname, c.relname, CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END, CASE WHEN c.reltuples < 0 OR c.relkind = 'v' THEN NULL ELSE c.reltuples::bigint END
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_t(oast|emp)'
            AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
          ORDER BY 1, 2 LIMIT 2000`,
      )
      return found.map(([schema, name, kind, estimate]) => ({
        schema: schema ?? '',
        name: name ?? '',
        kind: kind === 'view' ? 'view' : 'table',
        rows: estimate === null || estimate === undefined ? undefined : Number(estimate),
      }))
    },
    async columns(from) {
      if ('query' in from) {
        const { fields } = await client.query({
          text: `SELECT * FROM ${dialectOf(0n).relation(from)} LIMIT 0`,
          values: [],
        })
        const named = await rows(
          `SELECT format_type(oid, NULL) FROM unnest($1::oid[]) WITH ORDINALITY AS t (oid, n) ORDER BY n`,
          [fields.map((field) => field.dataTypeID)],
        )
        return fields.map((field, at) => ({
          name: field.name,
          type: named[at]?.[0] ?? 'text',
          nullable: true,
          inKey: undefined,
        }))
      }
      const found = await rows(
        `SELECT a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
                (SELECT array_position(i.indkey::int2[], a.attnum) + 1 FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary)
           FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
        [from.table.schema, from.table.name],
      )
      if (found.length === 0)
        throw new DatabaseProblem(`There is no table ${from.table.schema}.${from.table.name} that this user may see.`)
      return found.map(([name, type, nullable, inKey]) => ({
        name: name ?? '',
        type: type ?? 'text',
        nullable: nullable === 'true',
        inKey: inKey === null || inKey === undefined ? undefined : Number(inKey),
      }))
    },
    look: (from, columns, limit) =>
      rows(
        `SELECT ${columns.map((column) => quote(column.name)).join(', ')} FROM ${dialectOf(0n).relation(from)} LIMIT $1::int`,
        [limit],
      ),
    async snapshot(from, finding) {
      // Outside the transaction, which a refusal would spoil: not every user may ask it.
      const system = await rows('SELECT system_identifier::text FROM pg_control_system()').then(
        ([row]) => row?.[0] ?? null,
        () => null,
      )
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      const [[seen = ''] = []] = await rows('SELECT txid_current_snapshot()::text')
      const [xmin = '0', xmax = '0'] = (seen ?? '').split(':')
      return {
        mark: await markOf(from, finding, { system, xmin }),
        read: (reading) => read(client, reading, BigInt(xmax), { system, xmax }),
        async withoutKey(relation, key) {
          const [[found = '0'] = []] = await rows(withoutKeyStatement(relation, key, dialectOf(0n)))
          return Number(found)
        },
        async close() {
          await client.query('ROLLBACK')
        },
      } satisfies Snapshot
    },
    close: () => client.end(),
  }

  async function markOf(from: Relation, finding: Finding, now: { system: string | null; xmin: string }): Promise<Mark> {
    if (finding.by === 'comparison') return { kind: 'everything' }
    if (finding.by === 'transactions') return { kind: 'transactions', ...now }
    const { column, overlap } = finding
    const cursor = quote(column.name)
    const relation = dialectOf(0n).relation(from)
    if (!isTime(column)) {
      const [[low = null] = []] = await rows(`SELECT (max(${cursor}) - $1::bigint)::text FROM ${relation}`, [overlap])
      return { kind: 'cursor', from: low }
    }
    /*
     * No later than the newest row, no later than now (a row that is dated far ahead must not hide the others), and no later than the beginning of
     * the oldest transaction that this user can see running; then the overlap before that. The clock is that of the session's own zone, in which
     * applications write columns without one.
     */
    const zone = `(SELECT reset_val FROM pg_settings WHERE name = 'TimeZone')`
    const inFrame = (instant: string) =>
      column.type.includes('with time zone') ? instant : `(${instant} AT TIME ZONE ${zone})`
    const [[low = null] = []] = await rows(
      `SELECT (least(max(${cursor}), ${inFrame(`least(now(), (SELECT min(xact_start) FROM pg_stat_activity WHERE pid <> pg_backend_pid()))`)}) - make_interval(secs => $1::float8))::text FROM ${relation}`,
      [overlap],
    )
    return { kind: 'cursor', from: low }
  }
}

async function* read(
  client: pg.Client,
  reading: Reading,
  xmax: bigint,
  now: { system: string | null; xmax: string },
): AsyncGenerator<Batch> {
  // Numbers of another server, or of one that was set back, say nothing here.
  const { since } = reading
  const usable =
    since.kind !== 'transactions' || (since.system === now.system && BigInt(since.xmin) <= BigInt(now.xmax))
  const { text, values } = statementOf(
    usable ? reading : { ...reading, since: { kind: 'everything' } },
    dialectOf(xmax),
  )
  const cursor = client.query(new Cursor<Cell[]>(text, values, { rowMode: 'array', types }))
  try {
    let next = cursor.read(reading.rowsAtOnce)
    for (;;) {
      const rows = await next
      if (rows.length === 0) return
      next = cursor.read(reading.rowsAtOnce)
      // It is waited for in the next turn; when there is none, nobody else hears of its end.
      next.catch(() => undefined)
      yield batchOf(reading, rows)
    }
  } finally {
    await cursor.close()
  }
}

/** What the server's codes mean to whoever typed the connection. */
export function postgresSentence(code: string, address: DatabaseAddress): string | undefined {
  if (code === '28P01' || code === '28000') return 'The server does not accept this user with this password.'
  if (code === '3D000') return `There is no database “${address.database}” on this server.`
  if (code === '42501') return 'This user may not read that. Grant it SELECT.'
  if (code === '42P01') return 'There is no such table or view.'
  if (code === '53300') return 'The server has no connection left.'
  return undefined
}
