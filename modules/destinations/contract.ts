import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'
import { EventType } from '../collect/contract.ts'
import { KeyKind, Lane } from '../policy/contract.ts'

export const DestinationId = idOf('destination')
const ToolId = idOf('tool')
const SourceId = idOf('source')

/** How often events leave: each as it comes, or in files of an hour or a day (UTC, by arrival). */
export const frequencies = { at_once: 'as they happen', hourly: 'once an hour', daily: 'once a day' } as const
export const Frequency = z.enum(['at_once', 'hourly', 'daily'])
export type Frequency = z.infer<typeof Frequency>

/**
 * A field by its place in the event: `userId`, `anonymousId`, `previousId`, `groupId`, `profileId`, or a path that begins with `traits`,
 * `properties` or `context`. A path names one value (or a list of values); what lies below an object is named by itself, and the items of a list
 * have no number: `properties.products.sku`.
 */
export const FieldPath = z
  .string()
  .max(200)
  .regex(
    /^(userId|anonymousId|previousId|groupId|profileId|(traits|properties|context)([.][^.\p{Cc}]{1,100}){1,10})$/u,
    'userId, anonymousId, previousId, groupId, profileId, or traits.…, properties.…, context.…',
  )
export type FieldPath = z.infer<typeof FieldPath>

/** Which events: all of a type, or those of one name. */
export const Wanted = z.object({ type: EventType, name: z.string().max(300).nullable() })
export type Wanted = z.infer<typeof Wanted>

/** What may leave: the integration contract. Everything that it does not name stays. */
export const Contract = z.object({
  sources: z.array(SourceId).min(1, 'at least one source').max(50),
  events: z.array(Wanted).min(1, 'at least one event').max(200),
  fields: z.array(FieldPath).max(200),
  purpose: z.string().trim().min(3, 'for what').max(300),
  frequency: Frequency,
})
export type Contract = z.infer<typeof Contract>

/** One setting of a kind, described so that the page draws itself. A secret is write-only. */
export const Setting = z.object({
  name: z.string(),
  label: z.string(),
  says: z.string(),
  type: z.enum(['text', 'url', 'number', 'choice', 'check', 'secret']),
  required: z.boolean(),
  choices: z.array(z.object({ value: z.string(), label: z.string() })).optional(),
  /** What stands there at first. */
  start: z.union([z.string(), z.number(), z.boolean()]).optional(),
})
export type Setting = z.infer<typeof Setting>

export const Kind = z.object({
  kind: z.string(),
  name: z.string(),
  says: z.string(),
  /** Whether data leaves the company's own machines by its nature. */
  leaves: z.boolean(),
  frequencies: z.array(Frequency),
  form: z.array(Setting),
})
export type Kind = z.infer<typeof Kind>

export const Settings = z.record(z.string().max(60), z.union([z.string().max(4_000), z.number(), z.boolean()]))
export type Settings = z.infer<typeof Settings>

export const State = z.enum(['draft', 'live', 'paused', 'halted'])
export type State = z.infer<typeof State>

export const Destination = z.object({
  id: DestinationId,
  name: z.string(),
  kind: z.string(),
  kindName: z.string(),
  tool: z.object({ id: ToolId, name: z.string(), region: z.string() }),
  settings: Settings,
  /** Which secrets are set, and until when an older one counts beside the newest. */
  secrets: z.array(z.object({ name: z.string(), set: z.boolean(), olderUntil: z.string().nullable() })),
  contract: Contract,
  version: z.number().int(),
  state: State,
  /** One sentence: whether events leave, how many wait, and why not. */
  sentence: z.string(),
  because: z.string().nullable(),
  /** The newest request for it. */
  request: z
    .object({ id: idOf('request'), state: z.string(), sentence: z.string(), lane: Lane, waitingFor: z.array(KeyKind) })
    .nullable(),
  counts: z.object({
    delivered: z.number(),
    /** Kept for delivery and without an end yet. */
    waiting: z.number(),
    deadLetters: z.number(),
    /** Waited longer than events are kept. */
    expired: z.number(),
    /** Values that stayed here because the contract does not name them. */
    dropped: z.number(),
  }),
  oldestWaitingAt: z.string().nullable(),
  lastDeliveredAt: z.string().nullable(),
  failingSince: z.string().nullable(),
  changedAt: z.string(),
  changedBy: z.string(),
})
export type Destination = z.infer<typeof Destination>

export const DestinationDetail = Destination.extend({
  dropped: z.array(z.object({ field: z.string(), events: z.number(), lastAt: z.string() })),
  hours: z.array(z.object({ hour: z.string(), delivered: z.number(), failed: z.number(), dead: z.number() })),
  failures: z.array(z.object({ reason: z.string(), times: z.number(), lastAt: z.string() })),
})
export type DestinationDetail = z.infer<typeof DestinationDetail>

export const DeadLetter = z.object({
  id: z.string(),
  eventKey: z.string(),
  type: z.string(),
  name: z.string(),
  receivedAt: z.string(),
  reason: z.string(),
  at: z.string(),
  state: z.enum(['dead', 'again']),
})
export type DeadLetter = z.infer<typeof DeadLetter>

/** A field that events of some sources had lately, to choose from. */
export const KnownField = z.object({ path: z.string(), label: z.string(), sensitivity: z.number().int() })
export const Known = z.object({
  events: z.array(Wanted.extend({ sourceId: z.string(), events: z.number() })),
  fields: z.array(KnownField),
})
export type Known = z.infer<typeof Known>

const Name = z.string().trim().min(1, 'a name').max(120)
export const NewDestination = z.object({
  name: Name,
  kind: z.string().max(40),
  /** The tool of the register that it belongs to; a new one is registered when none is named. */
  toolId: ToolId.nullable().default(null),
  settings: Settings,
  contract: Contract,
})
export const DestinationChange = z.object({
  name: Name.optional(),
  /** Secrets that are left out stay as they are. */
  settings: Settings.optional(),
  contract: Contract.optional(),
})

const one = z.object({ id: DestinationId })
export const routes = {
  kinds: route({
    method: 'GET',
    path: '/api/destination-kinds',
    summary: 'What events can be sent on to, each with its form.',
    allow: 'data.read',
    reply: z.array(Kind),
  }),
  known: route({
    method: 'GET',
    path: '/api/destination-fields',
    summary: 'Events and fields that sources sent in the last week, with how sensitive each is.',
    allow: 'data.read',
    reply: Known,
  }),
  list: route({
    method: 'GET',
    path: '/api/destinations',
    summary: 'All destinations with how they stand.',
    allow: 'data.read',
    reply: z.array(Destination),
  }),
  get: route({
    method: 'GET',
    path: '/api/destinations/:id',
    summary: 'One destination: contract, agreement, deliveries, what was dropped and what failed.',
    allow: 'data.read',
    params: one,
    reply: DestinationDetail,
  }),
  create: route({
    method: 'POST',
    path: '/api/destinations',
    summary:
      'Make a destination. Nothing leaves before a request for it (kind “integration”) has its keys and is launched.',
    allow: 'data.write',
    body: NewDestination,
    reply: Destination.extend({ made: z.record(z.string(), z.string()) }),
  }),
  change: route({
    method: 'PATCH',
    path: '/api/destinations/:id',
    summary:
      'Change its name, address, secrets or contract. A changed address or contract stops delivery and needs new keys.',
    allow: 'data.write',
    params: one,
    body: DestinationChange,
    reply: Destination,
  }),
  rotate: route({
    method: 'POST',
    path: '/api/destinations/:id/secret',
    summary: 'Make a new signing secret, shown once. The old one signs too for a day.',
    allow: 'data.write',
    params: one,
    body: z.object({ name: z.string().max(60) }),
    reply: z.object({ secret: z.string(), olderUntil: z.string().nullable() }),
  }),
  pause: route({
    method: 'POST',
    path: '/api/destinations/:id/pause',
    summary: 'Stop delivering for now; events wait.',
    allow: 'data.write',
    params: one,
    reply: Destination,
  }),
  resume: route({
    method: 'POST',
    path: '/api/destinations/:id/resume',
    summary: 'Go on delivering under the agreement that stands.',
    allow: 'data.write',
    params: one,
    reply: Destination,
  }),
  test: route({
    method: 'POST',
    path: '/api/destinations/:id/test',
    summary: 'Send one made-up event with the fields of the contract; nothing of anybody.',
    allow: 'data.write',
    params: one,
    reply: z.object({ ok: z.boolean(), says: z.string(), sent: z.unknown() }),
  }),
  deadLetters: route({
    method: 'GET',
    path: '/api/destinations/:id/dead-letters',
    summary: 'Events that could not be delivered, newest first, each with its reason.',
    allow: 'data.read',
    params: one,
    query: z.object({ before: z.string().max(60).optional() }),
    reply: z.object({ letters: z.array(DeadLetter), next: z.string().nullable() }),
  }),
  replay: route({
    method: 'POST',
    path: '/api/destinations/:id/dead-letters/replay',
    summary: 'Try dead letters again, these or all, under the contract as it stands.',
    allow: 'data.write',
    params: one,
    body: z.object({ ids: z.array(z.string().max(60)).min(1).max(1_000).nullable().default(null) }),
    reply: z.object({ again: z.number().int() }),
  }),
}
