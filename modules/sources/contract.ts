import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'

export const SourceId = idOf('source')

/** What feeds us. `web` and `app` run on people's devices; `internal` is Interlock itself. */
export const sourceKinds = {
  web: 'Web site',
  server: 'Server',
  app: 'Mobile app',
  crm: 'CRM',
  newsletter: 'Newsletter list',
  internal: 'Interlock itself',
} as const
export const SourceKind = z.enum(['web', 'server', 'app', 'crm', 'newsletter', 'internal'])
export type SourceKind = z.infer<typeof SourceKind>

export const Source = z.object({
  id: SourceId,
  name: z.string(),
  kind: SourceKind,
  /** Public by design: it lets events in and nothing out. */
  writeKey: z.string(),
  /** The tool in the register that this feed is. */
  toolId: idOf('tool').nullable(),
  enabled: z.boolean(),
  /** How many events a second it may send, over ten seconds; null: as many as it can. */
  eventsPerSecond: z.number().int().positive().nullable(),
  createdAt: z.string(),
})
export type Source = z.infer<typeof Source>

/** Generous: a busy shop sends a hundred events a second. */
export const defaultEventsPerSecond = 5000
const Pace = z.number().int().min(1).max(10_000_000).nullable()
const Name = z.string().trim().min(1, 'a name').max(120)

export const NewSource = z.object({
  name: Name,
  kind: SourceKind.exclude(['internal']),
  toolId: idOf('tool').optional(),
  eventsPerSecond: Pace.optional(),
})
export type NewSource = z.infer<typeof NewSource>

export const SourceChange = z.object({
  name: Name.optional(),
  enabled: z.boolean().optional(),
  eventsPerSecond: Pace.optional(),
})
export type SourceChange = z.infer<typeof SourceChange>

const one = z.object({ id: SourceId })

export const routes = {
  list: route({
    method: 'GET',
    path: '/api/sources',
    summary: 'All sources.',
    allow: 'data.read',
    reply: z.object({ sources: z.array(Source) }),
  }),
  get: route({
    method: 'GET',
    path: '/api/sources/:id',
    summary: 'One source with its write key.',
    allow: 'data.read',
    params: one,
    reply: Source,
  }),
  create: route({
    method: 'POST',
    path: '/api/sources',
    summary: 'Adds a source and its write key; it also enters the register of tools.',
    allow: 'data.write',
    body: NewSource,
    reply: Source,
  }),
  change: route({
    method: 'PATCH',
    path: '/api/sources/:id',
    summary: 'Renames a source, switches it off or on, or changes how fast it may send.',
    allow: 'data.write',
    params: one,
    body: SourceChange,
    reply: Source,
  }),
}
