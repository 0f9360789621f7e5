import type { Duplex } from 'node:stream'

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

/** Opens the socket: the one egress, which knows which addresses are allowed. */
export type Dial = (to: { host: string; port: number }) => Promise<Duplex>

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
  /** The place (cursor, then key) of the last row that is done; reading goes on behind it. */
  after: readonly string[] | undefined
  rowsAtOnce: number
}

/** One moment of the database. All passes of a run see the same. */
export interface Snapshot {
  /** From where the run after this one must read, taken together with the snapshot. */
  mark: Mark
  /** Rows in the order of their place, a few thousand at a time; the next are read while these are worked on. */
  read(reading: Reading): AsyncGenerator<Cell[][]>
  /** How many rows have nothing in a column of the key: they have no place and are not read. */
  withoutKey(from: Relation, key: readonly ColumnInfo[]): Promise<number>
  close(): Promise<void>
}

export interface OtherDatabase {
  /** `PostgreSQL 15.4`. */
  version: string
  tables(): Promise<TableInfo[]>
  columns(from: Relation): Promise<ColumnInfo[]>
  /** The first rows. */
  look(from: Relation, columns: readonly ColumnInfo[], rows: number): Promise<Cell[][]>
  snapshot(from: Relation, finding: Finding): Promise<Snapshot>
  close(): Promise<void>
}

/** A connection that could not be made, or a statement that was refused, as a sentence. */
export class DatabaseProblem extends Error {}
