import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'
import { Freshness } from '../../lib/schedule/freshness.ts'

export const FeedId = idOf('feed')
const SourceId = idOf('source')

/** What became of the items of one reading: items = stored + changed + unchanged + rejected. `gone` are items of before that were taken back. */
export const Counts = z.object({
  items: z.number(),
  stored: z.number(),
  changed: z.number(),
  unchanged: z.number(),
  rejected: z.number(),
  gone: z.number(),
})
export type Counts = z.infer<typeof Counts>

export const Reading = z.object({
  id: z.string(),
  state: z.enum(['done', 'unmodified', 'failed']),
  counts: Counts,
  because: z.string().nullable(),
  rejected: z.array(z.object({ what: z.string(), reason: z.string() })),
  startedBy: z.string(),
  at: z.string(),
})
export type Reading = z.infer<typeof Reading>

export const Feed = z.object({
  id: FeedId,
  name: z.string(),
  sourceId: SourceId,
  sourceName: z.string(),
  /** null: it is handed in as a file. */
  url: z.string().nullable(),
  format: z.string().nullable(),
  title: z.string().nullable(),
  schedule: z.string().nullable(),
  paused: z.boolean(),
  nextAt: z.string().nullable(),
  freshness: Freshness,
  items: z.number(),
  gone: z.number(),
  last: Reading.nullable(),
  createdAt: z.string(),
  createdBy: z.string(),
})
export type Feed = z.infer<typeof Feed>

export const Item = z.object({
  key: z.string(),
  url: z.string().nullable(),
  title: z.string(),
  author: z.string().nullable(),
  categories: z.array(z.string()),
  summary: z.string(),
  publishedAt: z.string().nullable(),
  changedAt: z.string(),
  versions: z.number(),
  goneAt: z.string().nullable(),
})
export type Item = z.infer<typeof Item>

const Name = z.string().trim().min(1, 'a name').max(120)
const Url = z
  .string()
  .trim()
  .max(2000)
  .regex(/^https?:\/\/\S+$/i, 'an address that begins with https://')
const Schedule = z.string().trim().max(100).nullable()
const one = z.object({ id: FeedId })

export const routes = {
  list: route({
    method: 'GET',
    path: '/api/feeds',
    summary: 'Feeds of content with their freshness.',
    allow: 'data.read',
    reply: z.array(Feed),
  }),
  get: route({
    method: 'GET',
    path: '/api/feeds/:id',
    summary: 'One feed.',
    allow: 'data.read',
    params: one,
    reply: Feed,
  }),
  items: route({
    method: 'GET',
    path: '/api/feeds/:id/items',
    summary: 'Its content, newest first; what was taken back says when.',
    allow: 'data.read',
    params: one,
    query: z.object({ limit: z.coerce.number().int().min(1).max(500).default(50) }),
    reply: z.array(Item),
  }),
  readings: route({
    method: 'GET',
    path: '/api/feeds/:id/readings',
    summary: 'When it was read and what was counted.',
    allow: 'data.read',
    params: one,
    reply: z.array(Reading),
  }),
  create: route({
    method: 'POST',
    path: '/api/feeds',
    summary: 'Adds a feed by its address, or one that is handed in as a file.',
    allow: 'data.write',
    body: z.object({ name: Name, sourceId: SourceId, url: Url.nullable() }),
    reply: Feed,
  }),
  change: route({
    method: 'PATCH',
    path: '/api/feeds/:id',
    summary: 'Renames it, plans when it is read, or promises how fresh it is.',
    allow: 'data.write',
    params: one,
    body: z.object({
      name: Name.optional(),
      url: Url.optional(),
      schedule: Schedule.optional(),
      promiseHours: z.number().int().min(1).max(8760).nullable().optional(),
      paused: z.boolean().optional(),
    }),
    reply: Feed,
  }),
  read: route({
    method: 'POST',
    path: '/api/feeds/:id/read',
    summary: 'Reads it now.',
    allow: 'data.write',
    params: one,
    reply: Reading,
  }),
  upload: route({
    method: 'POST',
    path: '/api/feeds/:id/file',
    summary: 'Hands in the feed or export as a file: the body is the file itself (application/octet-stream).',
    allow: 'data.write',
    upload: true,
    params: one,
    reply: Reading,
  }),
  remove: route({
    method: 'DELETE',
    path: '/api/feeds/:id',
    summary: 'Removes a feed and its content from here.',
    allow: 'data.write',
    params: one,
    reply: z.object({}),
  }),
}
