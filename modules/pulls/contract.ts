import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'
import { Freshness, When } from '../../lib/schedule/freshness.ts'
import { Column as ImportColumn } from '../imports/contract.ts'

export const PullId = idOf('pull')
export const RunId = idOf('run')
export const SourceId = idOf('source')

/** Where a database is. */
const Database = z.object({
  kind: z.enum(['postgres', 'mysql']),
  host: z.string().trim().min(1).max(253),
  port: z.number().int().min(1).max(65_535),
  database: z.string().min(1).max(128),
  user: z.string().min(1).max(128),
  tls: z.enum(['off', 'encrypt', 'verify']),
})
export type DatabaseConnection = z.infer<typeof Database>

/** Where a Salesforce is. The password is the secret of the client. */
const Salesforce = z.object({
  kind: z.literal('salesforce'),
  /** The company's own domain, without a path. */
  loginUrl: z
    .url({ protocol: /^https?$/ })
    .max(300)
    .refine((text) => new URL(text).origin === text.replace(/[/]$/, ''), 'only scheme and host')
    .transform((text) => new URL(text).origin),
  clientId: z.string().trim().min(1).max(500),
})
/** From where is read. The password goes in and never comes out. */
export const Connection = z.discriminatedUnion('kind', [Database, Salesforce])
export type Connection = z.infer<typeof Connection>
const Password = z.string().max(1000)

/** What is read: a table or view, or one SELECT. */
export const Relation = z.union([
  z.object({ table: z.object({ schema: z.string().min(1).max(128), name: z.string().min(1).max(128) }) }),
  z.object({ query: z.string().trim().min(1).max(20_000) }),
])
export type Relation = z.infer<typeof Relation>

const Name = z.string().min(1).max(128)

/** How rows that changed are found. */
export const Finding = z.discriminatedUnion('by', [
  /** PostgreSQL tables: by the number of the transaction that wrote a row. Misses nothing, needs no column. */
  z.object({ by: z.literal('transactions') }),
  /** By a column that grows with each change. The overlap is in seconds (for times) or units (for numbers): as long as a transaction may stay open. */
  z.object({ by: z.literal('cursor'), column: Name, overlap: z.number().int().min(0).max(31_536_000) }),
  /** Everything is read and compared each time. */
  z.object({ by: z.literal('comparison') }),
])
export type Finding = z.infer<typeof Finding>

/** How rows that are gone are found. */
export const Deletes = z.discriminatedUnion('by', [
  z.object({ by: z.literal('nothing') }),
  /** A column that says that a row is deleted: a time, or yes. */
  z.object({ by: z.literal('column'), column: Name }),
  /** All keys are compared with those that were there, in every so manieth run. */
  z.object({ by: z.literal('comparison'), everyRuns: z.number().int().min(1).max(10_000) }),
])
export type Deletes = z.infer<typeof Deletes>

/** A column with its type in the database and what it means here. */
export const Column = ImportColumn.extend({
  databaseType: z.string(),
  nullable: z.boolean(),
  inKey: z.number().int().nullable(),
})
export type Column = z.infer<typeof Column>

export const Plan = z.object({
  from: Relation,
  columns: z.array(Column).min(1).max(500),
  key: z.array(Name).min(1).max(8),
  finding: Finding,
  deletes: Deletes,
})
export type Plan = z.infer<typeof Plan>

/** Every row that was read ends in exactly one: rows = sent + unchanged + quarantined + rejected. */
export const Counts = z.object({
  rows: z.number().int(),
  sent: z.number().int(),
  unchanged: z.number().int(),
  quarantined: z.number().int(),
  rejected: z.number().int(),
  /** Rows that went in although single cells of them could not be read. */
  withProblems: z.number().int(),
  /** Rows found to be gone, by the column or by comparison. */
  gone: z.number().int(),
  reasons: z.array(z.object({ reason: z.string(), rows: z.number().int() })),
})
export type Counts = z.infer<typeof Counts>

export const Run = z.object({
  id: RunId,
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  /** Everything was read and compared, not only what may have changed. */
  whole: z.boolean(),
  counts: Counts,
  /** Keys of rows that were rejected or have cells that could not be read, with the reason, at most ten. */
  worst: z.array(z.object({ key: z.string(), reason: z.string() })),
  pass: z.enum(['rows', 'without', 'keys']).nullable(),
  /** Rows of the table, as its statistics say; null when unknown. */
  expected: z.number().int().nullable(),
  because: z.string().nullable(),
  /** It stopped with the question whether more than half of the rows are really gone. */
  asksGone: z.boolean(),
  startedBy: z.string(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
})
export type Run = z.infer<typeof Run>

export const Pull = z.object({
  id: PullId,
  name: z.string(),
  sourceId: SourceId,
  sourceName: z.string(),
  connection: Connection,
  plan: Plan.nullable(),
  /** Five fields of cron, in UTC; null: only by hand. */
  schedule: z.string().nullable(),
  paused: z.boolean(),
  nextAt: z.string().nullable(),
  freshness: Freshness,
  last: Run.nullable(),
  createdAt: z.string(),
  createdBy: z.string(),
})
export type Pull = z.infer<typeof Pull>

export const Table = z.object({
  schema: z.string(),
  name: z.string(),
  kind: z.enum(['table', 'view']),
  rows: z.number().int().nullable(),
})
export type Table = z.infer<typeof Table>

const one = z.object({ id: PullId })
const name = z.string().trim().min(1, 'a name').max(120)
const Tested = z.object({ ok: z.boolean(), says: z.string() })

export const routes = {
  list: route({
    method: 'GET',
    path: '/api/pulls',
    summary: 'Tables of other databases and objects of Salesforce that are read, with how fresh each is.',
    allow: 'data.read',
    reply: z.array(Pull),
  }),
  get: route({
    method: 'GET',
    path: '/api/pulls/:id',
    summary: 'One pull: the connection, the plan, how fresh it is.',
    allow: 'data.read',
    params: one,
    reply: Pull,
  }),
  runs: route({
    method: 'GET',
    path: '/api/pulls/:id/runs',
    summary: 'The last hundred runs, newest first.',
    allow: 'data.read',
    params: one,
    reply: z.array(Run),
  }),
  test: route({
    method: 'POST',
    path: '/api/pulls/test',
    summary: 'Tries a connection and keeps nothing of it.',
    allow: 'data.write',
    body: z.discriminatedUnion('kind', [
      Database.extend({ password: Password }),
      Salesforce.extend({ password: Password }),
    ]),
    reply: Tested,
  }),
  create: route({
    method: 'POST',
    path: '/api/pulls',
    summary: 'Adds a pull with its connection, which must work.',
    allow: 'data.write',
    body: z.object({ name, sourceId: SourceId, connection: Connection, password: Password }),
    reply: Pull,
  }),
  connect: route({
    method: 'PUT',
    path: '/api/pulls/:id/connection',
    summary: 'Changes the connection, which must work. Another place (any other value of it) needs its password again.',
    allow: 'data.write',
    params: one,
    body: z.object({ connection: Connection, password: Password.optional() }),
    reply: Pull,
  }),
  tables: route({
    method: 'GET',
    path: '/api/pulls/:id/tables',
    summary: 'Tables, views or objects that the user of the connection may read.',
    allow: 'data.write',
    params: one,
    reply: z.array(Table),
  }),
  look: route({
    method: 'POST',
    path: '/api/pulls/:id/look',
    summary:
      'The columns of a table or query with what they probably mean, the key, the first rows, and how changes are best found.',
    allow: 'data.write',
    params: one,
    body: z.object({ from: Relation }),
    reply: z.object({ plan: Plan, rows: z.array(z.array(z.string().nullable())) }),
  }),
  plan: route({
    method: 'PUT',
    path: '/api/pulls/:id/plan',
    summary: 'What is read and what it means. Another plan reads everything again.',
    allow: 'data.write',
    params: one,
    body: Plan,
    reply: Pull,
  }),
  settings: route({
    method: 'PATCH',
    path: '/api/pulls/:id',
    summary: 'Name, schedule (cron in UTC), promise of freshness, pause.',
    allow: 'data.write',
    params: one,
    body: When.extend({ name: name.optional() }),
    reply: Pull,
  }),
  run: route({
    method: 'POST',
    path: '/api/pulls/:id/run',
    summary:
      'Reads now. With whole, everything is read and compared, not only what changed. With letGo, a person says that more than half of the rows are really gone.',
    allow: 'data.write',
    params: one,
    body: z.object({ whole: z.boolean().default(false), letGo: z.boolean().default(false) }),
    reply: Run,
  }),
  cancel: route({
    method: 'POST',
    path: '/api/pulls/:id/cancel',
    summary: 'Stops the run; what went in stays, and the next run reads the rest.',
    allow: 'data.write',
    params: one,
    reply: Pull,
  }),
  remove: route({
    method: 'DELETE',
    path: '/api/pulls/:id',
    summary: 'Removes a pull with its password and what it knows of the rows. What came in stays.',
    allow: 'data.write',
    params: one,
    reply: z.object({}),
  }),
}
