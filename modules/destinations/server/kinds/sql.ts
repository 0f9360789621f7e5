import { Refusal } from '../../../../lib/refusals/refusals.ts'
import { isPublic } from '../../../../platform/egress/addresses.ts'
import { EgressError } from '../../../../platform/egress/egress.ts'
import type { Setting } from '../../contract.ts'
import { cellOf } from './tables.ts'
import { textOf, type Deliverer, type DestinationKind, type Leaving, type OpenNeeds, type Outcome } from './kind.ts'

/** A connection to a database, as a driver gives it. Statements take parameters as that database writes them. */
export interface Connection {
  query(sql: string, values: readonly (string | null)[]): Promise<Record<string, unknown>[]>
  end(): Promise<void>
}

/** How one database says what all of them can do. */
export interface Dialect {
  port: number
  /** Quotes a name. */
  quote(name: string): string
  /** An instant as its column of time takes it. */
  instant(iso: string): string
  /** `CREATE TABLE IF NOT EXISTS` with the stable key as primary key. */
  create(table: string, columns: readonly string[]): string
  /** Asks for `name` of each column of a table; parameters: schema (or null) and table. */
  columns: string
  /** Asks whether the stable key alone is a unique key of a table, by giving a row; the same parameters. */
  unique: string
  add(table: string, column: string): string
  /** Adds rows; one whose key is there already stays as it is. */
  insert(table: string, columns: readonly string[], rows: number): string
  connect(of: {
    address: string
    port: number
    host: string
    database: string
    user: string
    password: string
    tls: boolean
  }): Promise<Connection>
  /** Whether an error speaks of a row and not of the server, the table or who we are. */
  blamesRow(error: unknown): boolean
}

const always = ['event_key', 'type', 'event', 'time', 'received_at'] as const
const longestName = 60

/** A field as the name of a column: `properties.total` is `properties_total`. Two that would be the same are refused when the contract is made. */
export const columnOf = (field: string): string =>
  field
    .replace(/[^\p{L}\p{N}]+/gu, '_')
    .toLowerCase()
    .slice(0, longestName)

const settings = (port: number): Setting[] => [
  { name: 'host', label: 'Host', says: 'Of the database.', type: 'text', required: true },
  { name: 'port', label: 'Port', says: '', type: 'number', required: true, start: port },
  { name: 'database', label: 'Database', says: '', type: 'text', required: true },
  {
    name: 'table',
    label: 'Table',
    says: 'It is made when it is missing; each field of the contract is a column of text.',
    type: 'text',
    required: true,
  },
  {
    name: 'user',
    label: 'User',
    says: 'One of its own, which may insert into this table (and create it, the first time).',
    type: 'text',
    required: true,
  },
  { name: 'password', label: 'Password', says: 'Kept encrypted, never shown.', type: 'secret', required: true },
  {
    name: 'tls',
    label: 'Encrypted connection',
    says: 'Without it only to a private address that the administrator allowed.',
    type: 'check',
    required: false,
    start: true,
  },
]

const rowOf = (dialect: Dialect, event: Leaving, fields: readonly string[]): (string | null)[] => [
  event.key,
  event.type,
  event.name,
  dialect.instant(event.time),
  dialect.instant(new Date(event.receivedMs).toISOString()),
  ...fields.map((field) => cellOf(event.fields.get(field))),
]

/** What a driver said, without what was in a row: its code, and nothing that it quotes. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^[A-Z0-9_]{3,60}$/.test(code) ? code : 'no code'
}

/** Makes the table, or makes sure that it fits: every field has a column, and an event can be in it once only. @returns what is wrong */
async function prepare(
  dialect: Dialect,
  database: Connection,
  table: string,
  columns: readonly string[],
): Promise<string | undefined> {
  const [name = '', schema = null] = table.split('.').reverse()
  const there = async () =>
    new Set((await database.query(dialect.columns, [schema, name])).map((row) => String(row['name'])))
  // Asked first, because whoever may only insert may not create.
  if ((await there()).size === 0) await database.query(dialect.create(table, columns), [])
  const known = await there()
  for (const column of columns) if (!known.has(column)) await database.query(dialect.add(table, column), [])
  return (await database.query(dialect.unique, [schema, name])).length > 0
    ? undefined
    : 'The table has no unique key on “event_key” alone, so events would be in it twice. Add one.'
}

function open(dialect: Dialect, { settings, secret, egress }: OpenNeeds): Deliverer {
  let connection: Connection | undefined
  let ready = ''
  async function connected(): Promise<Connection> {
    if (connection !== undefined) return connection
    const place = { host: textOf(settings, 'host'), port: Number(settings['port']) }
    const { address, port } = await egress.lookUp(place)
    const tls = settings['tls'] !== false
    if (!tls && isPublic(address)) throw new EgressError('denied')
    connection = await dialect.connect({
      address,
      port,
      host: place.host,
      database: textOf(settings, 'database'),
      user: textOf(settings, 'user'),
      password: secret('password')[0] ?? '',
      tls,
    })
    return connection
  }
  async function letGo(): Promise<void> {
    const old = connection
    connection = undefined
    ready = ''
    await old?.end().catch(() => undefined)
  }
  return {
    async deliver(events, fields): Promise<Outcome> {
      const table = textOf(settings, 'table')
      const columns = [...always, ...fields.map(columnOf)]
      try {
        const database = await connected()
        if (ready !== columns.join()) {
          const trouble = await prepare(dialect, database, table, columns)
          if (trouble !== undefined) return { kind: 'later', because: trouble }
          ready = columns.join()
        }
        await database.query(
          dialect.insert(table, columns, events.length),
          events.flatMap((event) => rowOf(dialect, event, fields)),
        )
        return { kind: 'taken' }
      } catch (error) {
        if (error instanceof EgressError) return { kind: 'later', because: error.message }
        if (dialect.blamesRow(error)) return { kind: 'refused', because: `The database refused it (${codeOf(error)}).` }
        await letGo()
        return { kind: 'later', because: `The database did not take it (${codeOf(error)}).` }
      }
    },
    close: letGo,
  }
}

/** A kind of destination out of a dialect. */
export function sqlKind(kind: string, name: string, dialect: Dialect): DestinationKind {
  return {
    kind,
    name: `Table in ${name}`,
    says: 'One row for each event; an event that comes again is one row, because its stable key is the primary key.',
    leaves: true,
    frequencies: ['at_once', 'hourly', 'daily'],
    lanes: 1,
    form: settings(dialect.port),
    // Few enough for the 65,535 parameters of one statement with 200 fields.
    batch: () => 300,
    address: (given) =>
      `${textOf(given, 'host')}:${textOf(given, 'port')}/${textOf(given, 'database')}, table ${textOf(given, 'table')}`,
    check(given, _allowed, fields) {
      const columns = fields.map(columnOf)
      const twice = fields.find((field, at) => columns.indexOf(columnOf(field)) !== at)
      if (twice !== undefined)
        throw new Refusal('bad_input', `Two fields would be the column “${columnOf(twice)}”. Leave one of them out.`)
      if (!/^[A-Za-z_][A-Za-z0-9_]{0,50}([.][A-Za-z_][A-Za-z0-9_]{0,50})?$/.test(textOf(given, 'table')))
        throw new Refusal('bad_input', 'A table has letters, digits and “_”; a schema may stand before it.')
      const port = Number(given['port'])
      if (!Number.isInteger(port) || port < 1 || port > 65_535)
        throw new Refusal('bad_input', 'A port is a number from 1 to 65535.')
    },
    open: (needs) => open(dialect, needs),
  }
}

export const quotedTable = (table: string, quote: (name: string) => string): string =>
  table.split('.').map(quote).join('.')
