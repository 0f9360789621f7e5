import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'
import { Freshness, When } from '../../lib/schedule/freshness.ts'
import { Counts, ImportId, Import } from '../imports/contract.ts'

export const StandingId = idOf('standing')
export const TakingId = idOf('taking')
export const SourceId = idOf('source')

/** From where the files come. */
export const Place = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('folder'),
    /** Absolute, at or below a folder that an administrator allowed. */
    folder: z.string().trim().min(1).max(500),
    /** `*` stands for any letters, `?` for one. */
    pattern: z
      .string()
      .trim()
      .regex(/^[^/\\\0]{1,100}$/, 'a name of a file in which * stands for any letters'),
    /** What was read in is moved to the folder `done` beside it. */
    done: z.boolean(),
  }),
  z.object({
    kind: z.literal('https'),
    url: z.url({ protocol: /^https?$/ }).max(2000),
    auth: z.enum(['none', 'basic', 'bearer']),
    user: z
      .string()
      .max(200)
      .regex(/^[^:\r\n]*$/, 'a name without a colon'),
  }),
])
export type Place = z.infer<typeof Place>

/** What has to be answered before a file is read: it is the first, or its columns are not those of the one before. */
export const Asks = z.object({
  first: z.boolean(),
  added: z.array(z.string()),
  missing: z.array(z.string()),
})
export type Asks = z.infer<typeof Asks>

/** One file that came, and what became of it. */
export const Taking = z.object({
  id: TakingId,
  fileName: z.string(),
  bytes: z.number().int(),
  /** When the file was written, as its folder or server says. */
  modifiedAt: z.string(),
  importId: ImportId.nullable(),
  /** `open`: it is being read, or something about it has to be answered. `left`: somebody left it out. `refused`: it is no table. */
  state: z.enum(['open', 'read', 'left', 'refused']),
  /** Of the import, while it is open. */
  importState: Import.shape.state.nullable(),
  asks: Asks.nullable(),
  because: z.string().nullable(),
  counts: Counts.nullable(),
  takenBy: z.string(),
  takenAt: z.string(),
})
export type Taking = z.infer<typeof Taking>

export const Standing = z.object({
  id: StandingId,
  name: z.string(),
  sourceId: SourceId,
  sourceName: z.string(),
  place: Place,
  schedule: z.string().nullable(),
  paused: z.boolean(),
  nextAt: z.string().nullable(),
  freshness: Freshness,
  /** The last look: when, and what it found, in a sentence. */
  look: z.object({ at: z.string().nullable(), failed: z.boolean(), says: z.string().nullable() }),
  /** Bytes of the file that comes in just now; null when none does. */
  coming: z.number().int().nullable(),
  last: Taking.nullable(),
  createdAt: z.string(),
  createdBy: z.string(),
})
export type Standing = z.infer<typeof Standing>

const one = z.object({ id: StandingId })
const name = z.string().trim().min(1, 'a name').max(120)
/** The password or token. It goes in and never comes out. */
const secret = z
  .string()
  .max(4000)
  .regex(/^[^\r\n]*$/, 'one line')
  .optional()

export const routes = {
  list: route({
    method: 'GET',
    path: '/api/standing-imports',
    summary: 'Files that come again and again, with how fresh each is, and the folders that may be read.',
    allow: 'data.read',
    reply: z.object({ standing: z.array(Standing), folders: z.array(z.string()) }),
  }),
  get: route({
    method: 'GET',
    path: '/api/standing-imports/:id',
    summary: 'One standing import: from where, when, how fresh, and what it asks.',
    allow: 'data.read',
    params: one,
    reply: Standing,
  }),
  takings: route({
    method: 'GET',
    path: '/api/standing-imports/:id/takings',
    summary: 'The last hundred files that came, newest first, each with its import.',
    allow: 'data.read',
    params: one,
    reply: z.array(Taking),
  }),
  create: route({
    method: 'POST',
    path: '/api/standing-imports',
    summary: 'Adds a standing import. A folder must be allowed and be there; an address is asked at the first look.',
    allow: 'data.write',
    body: z.object({ name, sourceId: SourceId, place: Place, secret }),
    reply: Standing,
  }),
  place: route({
    method: 'PUT',
    path: '/api/standing-imports/:id/place',
    summary: 'From where the files come. Another address, user or kind of sign-in needs its secret again.',
    allow: 'data.write',
    params: one,
    body: z.object({ place: Place, secret }),
    reply: Standing,
  }),
  settings: route({
    method: 'PATCH',
    path: '/api/standing-imports/:id',
    summary: 'Name, schedule (cron in UTC), promise of freshness, pause.',
    allow: 'data.write',
    params: one,
    body: When.extend({ name: name.optional() }),
    reply: Standing,
  }),
  look: route({
    method: 'POST',
    path: '/api/standing-imports/:id/look',
    summary: 'Looks now whether there is a new file, and reads it.',
    allow: 'data.write',
    params: one,
    reply: Standing,
  }),
  stop: route({
    method: 'POST',
    path: '/api/standing-imports/:id/stop',
    summary: 'Stops the file that comes in just now; the next look begins it anew.',
    allow: 'data.write',
    params: one,
    reply: Standing,
  }),
  leave: route({
    method: 'POST',
    path: '/api/standing-imports/:id/leave',
    summary: 'Leaves out the file that asks something or failed: it is not read, and the next one is.',
    allow: 'data.write',
    params: one,
    reply: Standing,
  }),
  remove: route({
    method: 'DELETE',
    path: '/api/standing-imports/:id',
    summary: 'Removes a standing import with its secret and what it knows of files. What came in stays.',
    allow: 'data.write',
    params: one,
    reply: z.object({}),
  }),
}
