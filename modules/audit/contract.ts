import { z } from 'zod'
import { route } from '../../lib/routes/routes.ts'

/** Who did it. The id names an account, an API key or a part of the product; never a name or an address. */
export const Actor = z.object({ kind: z.enum(['person', 'api-key', 'system']), id: z.string() })
export type Actor = z.infer<typeof Actor>

export const Entry = z.object({
  seq: z.number().int(),
  at: z.string(),
  actor: Actor,
  /** `tool.created`: what was done to what kind of thing. */
  deed: z.string(),
  object: z.object({ kind: z.string(), id: z.string() }),
  summary: z.string(),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  hash: z.string(),
})
export type Entry = z.infer<typeof Entry>

export const Verification = z.discriminatedUnion('ok', [
  /** `heads`: how many written-down heads it was held against. */
  z.object({ ok: z.literal(true), entries: z.number().int(), head: z.string(), heads: z.number().int() }),
  z.object({ ok: z.literal(false), seq: z.number().int(), because: z.string() }),
])
export type Verification = z.infer<typeof Verification>

export const routes = {
  list: route({
    method: 'GET',
    path: '/api/audit',
    summary: 'The audit log, newest first.',
    allow: 'audit.read',
    query: z.object({
      before: z.coerce.number().int().positive().optional(),
      kind: z.string().max(60).optional(),
      id: z.string().max(60).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(100),
    }),
    reply: z.object({ entries: z.array(Entry), actors: z.record(z.string(), z.string()) }),
  }),
  of: route({
    method: 'GET',
    path: '/api/audit/of/:kind/:id',
    summary:
      'What was done to one thing, newest first. What was done to people, invitations and API keys needs audit.read, except for yourself.',
    allow: 'data.read',
    params: z.object({ kind: z.string().max(60), id: z.string().max(60) }),
    reply: z.object({ entries: z.array(Entry), actors: z.record(z.string(), z.string()) }),
  }),
  verify: route({
    method: 'GET',
    path: '/api/audit/verify',
    summary:
      'Recomputes the whole chain, holds it against every head that was written down, and names the first entry that is not as it was written.',
    allow: 'audit.read',
    reply: Verification,
  }),
}
