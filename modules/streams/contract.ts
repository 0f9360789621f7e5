import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'
import { Column } from '../imports/contract.ts'

export const StreamId = idOf('stream')
export const RunId = idOf('stream_run')
export const SourceId = idOf('source')

const Name = z.string().min(1).max(200)

/** Records of one kind from one source, with what their properties mean. */
export const Stream = z.object({
  id: StreamId,
  name: z.string(),
  sourceId: SourceId,
  sourceName: z.string(),
  columns: z.array(Column),
  /** Properties that tell every record from every other. */
  key: z.array(Name),
  /** Its records are counted as rejected and nothing of them is kept. */
  leftOut: z.boolean(),
  /** Who decided what the properties mean; null: they are guessed. */
  decidedBy: z.string().nullable(),
  /** Records that are there now. */
  records: z.number().int(),
})
export type Stream = z.infer<typeof Stream>

/** Every record ends in exactly one: records = sent + unchanged + quarantined + rejected. */
export const Counts = z.object({
  lines: z.number().int(),
  records: z.number().int(),
  sent: z.number().int(),
  unchanged: z.number().int(),
  quarantined: z.number().int(),
  rejected: z.number().int(),
  /** Records that went in although single values of them could not be read. */
  withProblems: z.number().int(),
  /** Records said to be gone; those that a tap marks as deleted are among the records too. */
  gone: z.number().int(),
  /** Lines that are no message. They are no records, or nobody can tell. */
  malformed: z.number().int(),
  states: z.number().int(),
  reasons: z.array(z.object({ reason: z.string(), records: z.number().int() })),
})
export type Counts = z.infer<typeof Counts>

export const Run = z.object({
  id: RunId,
  sourceId: SourceId,
  sourceName: z.string(),
  state: z.enum(['running', 'done', 'failed', 'left']),
  counts: Counts,
  /** Lines that are no message, records that were rejected or have values that could not be read, at most ten. */
  worst: z.array(z.object({ line: z.number().int(), stream: z.string(), key: z.string(), reason: z.string() })),
  because: z.string().nullable(),
  startedBy: z.string(),
  startedAt: z.string(),
  heardAt: z.string(),
  finishedAt: z.string().nullable(),
})
export type Run = z.infer<typeof Run>

/** Bytes of one part of the messages, and of one line. */
export const mostBytes = 4_194_304
export const longestLine = 1_048_576

export const routes = {
  list: route({
    method: 'GET',
    path: '/api/streams',
    summary: 'Streams that Singer taps and Airbyte sources wrote, with what their properties mean.',
    allow: 'data.read',
    reply: z.array(Stream),
  }),
  runs: route({
    method: 'GET',
    path: '/api/streams/runs',
    summary: 'The last hundred times that messages came in, newest first.',
    allow: 'data.read',
    reply: z.array(Run),
  }),
  get: route({
    method: 'GET',
    path: '/api/streams/:id',
    summary: 'One stream.',
    allow: 'data.read',
    params: z.object({ id: StreamId }),
    reply: Stream,
  }),
  decide: route({
    method: 'PUT',
    path: '/api/streams/:id',
    summary: 'What the properties of a stream mean, which tell records apart, and whether it is left out.',
    allow: 'data.write',
    params: z.object({ id: StreamId }),
    body: z.object({
      columns: z.array(z.object({ name: Name, type: Column.shape.type, meaning: Column.shape.meaning })).max(500),
      key: z.array(Name).min(1).max(8),
      leftOut: z.boolean(),
    }),
    reply: Stream,
  }),
  take: route({
    method: 'POST',
    path: '/api/streams/messages',
    summary:
      'Takes in lines that a Singer tap or an Airbyte source wrote (application/octet-stream, whole lines). Answers when the records are on disk, with the states that may be kept. A part that was taken already is not taken twice.',
    allow: 'data.write',
    upload: true,
    query: z.object({
      sourceId: SourceId,
      /** The run that goes on; without, one begins. */
      run: RunId.optional(),
      format: z.enum(['singer', 'airbyte']).optional(),
      /** The number of the first line, from 1. */
      from: z.coerce.number().int().min(1),
      /** After these lines the source has ended, well or not. */
      end: z.enum(['well', 'badly']).optional(),
      /** A person says that most records of a stream are really gone. */
      letGo: z.enum(['yes']).optional(),
    }),
    reply: z.object({
      run: Run,
      states: z.array(z.object({ format: z.enum(['singer', 'airbyte']), state: z.unknown() })),
      says: z.array(z.object({ text: z.string(), bad: z.boolean() })),
    }),
  }),
}
