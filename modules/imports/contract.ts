import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'

export const ImportId = idOf('import')
export const SourceId = idOf('source')

/** What kinds of files are read, and which of the fields of a format each of them asks for: a page draws itself from it. */
export const fileKinds = {
  csv: { name: 'separated values (CSV)', asks: ['delimiter', 'encoding', 'hasHeader', 'dateOrder'] },
  fixed: { name: 'text of fixed width', asks: ['encoding', 'hasHeader', 'dateOrder', 'starts'] },
  ndjson: { name: 'JSON with an object a line', asks: ['dateOrder'] },
  xlsx: { name: 'an Excel workbook', asks: ['sheet', 'hasHeader', 'dateOrder'] },
  parquet: { name: 'Parquet', asks: [] },
} as const satisfies Record<string, { name: string; asks: readonly string[] }>
export type FileKind = keyof typeof fileKinds

/** How the file is written. Detected, shown, correctable. */
export const Format = z.object({
  kind: z.enum(['csv', 'fixed', 'ndjson', 'xlsx', 'parquet']).default('csv'),
  /** Packed with gzip around it. */
  gzip: z.boolean().default(false),
  delimiter: z.enum([',', ';', '\t', '|']),
  encoding: z.enum(['utf-8', 'utf-16le', 'windows-1252', 'windows-1251', 'iso-8859-15']),
  hasHeader: z.boolean(),
  dateOrder: z.enum(['dmy', 'mdy']),
  /** Of a workbook: the sheet that is read, and those that it has. */
  sheet: z.string().max(100).default(''),
  sheets: z.array(z.string().max(100)).max(500).default([]),
  /** Of fixed width: the first character of each column, from 0, rising. */
  starts: z.array(z.number().int().min(0).max(100_000)).max(1_000).default([]),
  /** What a row is about: a person, or an order of a shop, of which all lines together are one order. */
  rows: z.enum(['people', 'shopify-orders', 'woocommerce-orders']).default('people'),
})
export type Format = z.infer<typeof Format>

/** What a column means: an identifier of the person, a trait, a part of a consent record, or nothing. */
export const Meaning = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('identifier'),
    type: z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'small letters, digits and _'),
  }),
  z.object({
    kind: z.literal('trait'),
    name: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)?$/, 'a name such as firstName or address.city'),
  }),
  /** A state agrees to the topic that is chosen for it, or to the one that another column of the row names. */
  z.object({
    kind: z.literal('consent'),
    part: z.enum(['topic', 'state', 'at', 'source']),
    topic: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'the short name of a topic')
      .optional(),
    /** Of a state: by which channel; e-mail unless it says otherwise. */
    channel: z.enum(['email', 'sms']).optional(),
  }),
  z.object({ kind: z.literal('ignore') }),
])
export type Meaning = z.infer<typeof Meaning>

export const Column = z.object({
  index: z.number().int().min(0),
  name: z.string(),
  type: z.enum(['text', 'number', 'date', 'email', 'phone', 'boolean']),
  filled: z.number(),
  samples: z.array(z.string()),
  meaning: Meaning,
})
export type Column = z.infer<typeof Column>

/** Whether a column looks as if people had agreed to something in it: offered as consent, never taken for it unasked. */
export const looksLikeConsent = ({ name, type, meaning }: Pick<Column, 'name' | 'type' | 'meaning'>): boolean =>
  meaning.kind !== 'consent' &&
  type === 'boolean' &&
  /news[ _-]?letter|opt[ _-]?in|consent|permission|einwilligung|subscri|abonn|mailing|accepts.*marketing/i.test(name)

/** What a column that is consent says before anybody chose its topic: by SMS when its name says so. */
export const agreesIn = ({ name }: Pick<Column, 'name'>): Extract<Meaning, { kind: 'consent' }> => ({
  kind: 'consent',
  part: 'state',
  ...(/(^|[^a-z])sms([^a-z]|$)/i.test(name) ? { channel: 'sms' as const } : {}),
})

/** Columns that say whether people agreed, and of which nobody said to what. */
export const consentWithoutTopic = <One extends Pick<Column, 'name' | 'meaning'>>(columns: readonly One[]): One[] =>
  columns.some(({ meaning }) => meaning.kind === 'consent' && meaning.part === 'topic')
    ? []
    : columns.filter(
        ({ meaning }) => meaning.kind === 'consent' && meaning.part === 'state' && meaning.topic === undefined,
      )

/** Every row of the file ends in exactly one of these: rows = sent + unchanged + quarantined + rejected. */
export const Counts = z.object({
  rows: z.number().int(),
  sent: z.number().int(),
  unchanged: z.number().int(),
  /** Rows of which an event was put aside at the door, such as one that is too large: the quarantine says why. */
  quarantined: z.number().int(),
  rejected: z.number().int(),
  /** Rows that go in although single cells of them could not be read. */
  withProblems: z.number().int(),
  /** Of a file of orders: how many orders are in the rows that go in. */
  orders: z.number().int(),
  /** What the rows that go in say of consent, by the topic as it is spelled; of the first 50. */
  consents: z.array(z.object({ topic: z.string(), given: z.number().int(), withdrawn: z.number().int() })),
  reasons: z.array(z.object({ reason: z.string(), rows: z.number().int() })),
})
export type Counts = z.infer<typeof Counts>

export const WorstRow = z.object({
  line: z.number().int(),
  cells: z.array(z.string()),
  problems: z.array(z.string()),
  rejected: z.boolean(),
})
export type WorstRow = z.infer<typeof WorstRow>

/** A file is kept so many days after its import ended (or was handed in and left), then deleted with every cell of it that is shown. */
export const keepDays = 30

export const Import = z.object({
  id: ImportId,
  sourceId: SourceId,
  sourceName: z.string(),
  fileName: z.string(),
  bytes: z.number().int(),
  state: z.enum(['uploaded', 'checking', 'checked', 'running', 'done', 'cancelled', 'failed']),
  format: Format,
  columns: z.array(Column),
  counts: Counts.nullable(),
  worst: z.array(WorstRow),
  /** Bytes of the file read so far in the present run. */
  bytesRead: z.number().int(),
  because: z.string().nullable(),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
  startedBy: z.string(),
  /** Whose mapping of an earlier file of the same columns was laid over this one when it came. */
  mapped: z.object({ by: z.string(), at: z.string() }).nullable(),
  /** The export of a shop that has these columns, in a sentence, and what its rows can be read as. */
  looksLike: z.object({ says: z.string(), rows: Format.shape.rows.unwrap() }).nullable(),
  /** When the file is deleted; null when it is. */
  fileUntil: z.string().nullable(),
})
export type Import = z.infer<typeof Import>

const one = z.object({ id: ImportId })

export const routes = {
  list: route({
    method: 'GET',
    path: '/api/imports',
    summary: 'Imports, newest first.',
    allow: 'data.read',
    reply: z.array(Import),
  }),
  get: route({
    method: 'GET',
    path: '/api/imports/:id',
    summary: 'One import: how the file is read, what was counted.',
    allow: 'data.read',
    params: one,
    reply: Import,
  }),
  upload: route({
    method: 'POST',
    path: '/api/imports',
    summary: 'Hand in a file: the body is the file itself (application/octet-stream).',
    allow: 'data.write',
    upload: true,
    query: z.object({ sourceId: SourceId, fileName: z.string().min(1).max(200) }),
    reply: Import,
  }),
  plan: route({
    method: 'PUT',
    path: '/api/imports/:id/plan',
    summary: 'Correct how the file is read and what its columns mean.',
    allow: 'data.write',
    params: one,
    body: z.object({
      format: Format,
      columns: z.array(z.object({ index: z.number().int(), type: Column.shape.type, meaning: Meaning })),
    }),
    reply: Import,
  }),
  check: route({
    method: 'POST',
    path: '/api/imports/:id/check',
    summary: 'Dry run: counts and the ten worst rows; nothing is stored.',
    allow: 'data.write',
    params: one,
    reply: Import,
  }),
  run: route({
    method: 'POST',
    path: '/api/imports/:id/run',
    summary: 'Read the file into the platform. Running it again stores nothing twice.',
    allow: 'data.write',
    params: one,
    reply: Import,
  }),
  cancel: route({
    method: 'POST',
    path: '/api/imports/:id/cancel',
    summary: 'Stop a check or a run; what was stored stays. The file of a run that is stopped is deleted at once.',
    allow: 'data.write',
    params: one,
    reply: Import,
  }),
}
