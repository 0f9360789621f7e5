import type { Duplex } from 'node:stream'
import type { Clock } from '../clock/clock.ts'
import type { Egress } from '../egress/egress.ts'

/** Databases of others: opened to read from, never to write. Every value comes and goes as text, so no precision is lost on the way. */
export type DatabaseKind = 'postgres' | 'mysql'

export interface DatabaseAddress {
  kind: DatabaseKind
  host: string
  port: number
  database: string
  user: string
  password: string
  /** `verify` checks certificate and name; `encrypt` accepts any certificate, as many databases in a company's own network have. */
  tls: 'off' | 'encrypt' | 'verify'
}

/** Salesforce: an object is a table, a field a column. The password is the secret of the client. */
export interface SalesforceAddress {
  kind: 'salesforce'
  /** Scheme and host of the company's own domain: `https://acme.my.salesforce.com`. */
  loginUrl: string
  clientId: string
  password: string
}

/** Opens the socket: the one egress, which knows which addresses are allowed. */
export type Dial = (to: { host: string; port: number }) => Promise<Duplex>

/** The ways out that opening needs: a socket for a database, requests for what speaks HTTP, and time to wait in. */
export interface Ways {
  dial: Dial
  egress: Pick<Egress, 'send'>
  clock: Pick<Clock, 'sleep'>
}

/** What is read: a table (or view), or one SELECT. */
export type Relation = { table: { schema: string; name: string } } | { query: string }

export interface TableInfo {
  schema: string
  name: string
  kind: 'table' | 'view'
  /** What the statistics of the database say; undefined where they say nothing. */
  rows: number | undefined
}

export interface ColumnInfo {
  name: string
  /** As the database writes it: `timestamp with time zone`, `bigint unsigned`. */
  type: string
  nullable: boolean
  /** Place in the primary key, from 1; undefined for others. */
  inKey: number | undefined
}

/** A value as the database writes it; bytes as hexadecimal digits. */
export type Cell = string | null

/** From where the next run reads, kept as it is. */
export type Mark =
  /** PostgreSQL: everything that this snapshot may not have seen was written by a transaction of this number (64 bits) or a later one. */
  | { kind: 'transactions'; system: string | null; xmin: string }
  /** Rows whose cursor is not below this. */
  | { kind: 'cursor'; from: string | null }
  /** Everything is read and compared. */
  | { kind: 'everything' }

/** How changes are found. */
export type Finding =
  { by: 'transactions' } | { by: 'cursor'; column: ColumnInfo; overlap: number } | { by: 'comparison' }

export interface Reading {
  from: Relation
  /** Selected, in this order. */
  columns: readonly ColumnInfo[]
  key: readonly ColumnInfo[]
  finding: Finding
  /** `rows` with a cursor, those `without` one, or only the `keys` of all. */
  pass: 'rows' | 'without' | 'keys'
  since: Mark
  /** Also rows that are marked as deleted and that a usual question leaves out: a column says which they are. */
  withDeleted: boolean
  /** The place behind which reading goes on, as the rows before it came with it. */
  after: readonly string[] | undefined
  rowsAtOnce: number
}

/** Rows that come together. */
export interface Batch {
  /** None, where the other side still works: a sign of life. */
  rows: Cell[][]
  /** The place behind them: (cursor, key) of the last row, or what else leads there; undefined where reading begins anew in any case. */
  after: string[] | undefined
}

/** One moment of the database. All passes of a run see the same. */
export interface Snapshot {
  /** From where the run after this one must read, taken together with the snapshot. */
  mark: Mark
  /** Rows in the order of their place, a few thousand at a time; the next are read while these are worked on. */
  read(reading: Reading): AsyncGenerator<Batch>
  /** How many rows have nothing in a column of the key: they have no place and are not read. */
  withoutKey(from: Relation, key: readonly ColumnInfo[]): Promise<number>
  /** @param goesOn another process reads on from the last place: what the other side keeps for that stays */
  close(goesOn: boolean): Promise<void>
}

export interface OtherDatabase {
  /** `PostgreSQL 15.4`, `Salesforce (API 62.0)`. */
  version: string
  tables(): Promise<TableInfo[]>
  columns(from: Relation): Promise<ColumnInfo[]>
  /** The first rows. */
  look(from: Relation, columns: readonly ColumnInfo[], rows: number): Promise<Cell[][]>
  snapshot(from: Relation, finding: Finding): Promise<Snapshot>
  /** Clears away what stands on the other side for a place (`Batch.after`) behind which nobody will read on; absent where nothing does. */
  forget?(after: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** A connection that could not be made, or a statement that was refused, as a sentence. */
export class DatabaseProblem extends Error {}
