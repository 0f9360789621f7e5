import { z } from 'zod'
import { idOf, type Id } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'

/** Any value of JSON. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

export const EventType = z.enum(['identify', 'track', 'page', 'screen', 'group', 'alias'])
export type EventType = z.infer<typeof EventType>

/** One event, whatever SDK it came from, with its identifiers trimmed and its time corrected. An event never changes afterwards. */
export interface TrackedEvent {
  sourceId: Id<'source'>
  /** The client's own, never cut or rewritten; assigned from the position when the client sent none. */
  messageId: string
  type: EventType
  /** track: the event's name; page and screen: its name or ''; else ''. */
  name: string
  userId?: string
  anonymousId?: string
  previousId?: string
  groupId?: string
  /** From context.externalIds. */
  externalIds: { type: string; value: string }[]
  traits: Record<string, Json>
  properties: Record<string, Json>
  context: Record<string, Json>
  originalMs: number
  /** Time of arrival when the client did not say. */
  sentMs: number
  /** Corrected for the client's clock. */
  timeMs: number
  receivedMs: number
  /** What the client said was not a time or out of range; `timeMs` is our choice. */
  clamped: boolean
}

/** Why an event is put aside. The sentence is what people read beside it. */
export const quarantineReasons = {
  not_json: 'The event cannot be read any more.',
  not_an_object: 'The event is not an object.',
  too_deep: 'The event is nested more than 32 levels deep.',
  too_many_keys: 'The event has more than 2,000 keys.',
  event_too_large: 'The event is larger than 256 KiB.',
  unknown_type: 'The type is none of identify, track, page, screen, group, alias.',
  no_identifier: 'The event has no userId, no anonymousId and no context.externalIds.',
  bad_identifier: 'An identifier is neither text nor a number, or longer than 1,024 characters.',
  no_event_name: 'The track call has no event name.',
  no_group_id: 'The group call has no groupId.',
  no_previous_id: 'The alias call lacks its userId or previousId.',
  same_key_twice: 'A key with a dot says the same as a nested one: “a.b” beside “a” with “b” in it.',
  store_refused: 'The store refused this event three times.',
  step_failed: 'A step of the pipeline failed on this event three times.',
  violates_plan: 'The event violates the tracking plan of its source.',
} as const
export type QuarantineReason = keyof typeof quarantineReasons

/** Why a request was turned away, counted. Nothing of it was acknowledged. */
export const rejectReasons = {
  unknown_write_key: 'No source has the write key; the body is parked for 24 hours while there is room.',
  source_off: 'The source is switched off.',
  too_fast: 'The source sends more events than its limit allows; the sender waits and tries again.',
  malformed_json: 'The body is not JSON.',
  too_deep: 'The body is nested too deeply.',
  too_many_keys: 'The body has too many keys.',
  bad_encoding: 'The compressed body cannot be unpacked.',
  too_large: 'The body is too large.',
  bad_input: 'The body has no events in it.',
} as const
export type RejectReason = keyof typeof rejectReasons
/** Why a step of the pipeline refuses an event for good, counted as rejected: it was acknowledged to the sender, and is not kept. */
export const refusedByStep = {
  blocked_by_plan:
    'The tracking plan of the source blocks this event: the sender was told that it arrived, and it is not kept.',
} as const
export const isReject = (code: string): code is RejectReason => Object.hasOwn(rejectReasons, code)

/** Why an event is not stored again although it is not the same. */
export const deduplicatedReasons = {
  other_body: 'Another event came before with the same source and message id, and said something else: the first won.',
} as const

/** Above so many bytes other products refuse an event; it is accepted, flagged and counted. */
export const largeBytes = 32 * 1024

/** What became of an event: a closed list, every event in exactly one, all counted. In flight is none of them yet. */
export type Outcome =
  | { kind: 'stored' }
  | { kind: 'deduplicated'; reason?: keyof typeof deduplicatedReasons }
  | { kind: 'quarantined'; reason: QuarantineReason; because?: string }
  | { kind: 'rejected'; reason: string }

const SourceId = idOf('source')
const Position = z.string().regex(/^\d{1,19}$/)

/** How many, of one source (or all). received = stored + deduplicated + quarantined + rejected + inFlight. */
export const Counts = z.object({
  received: z.number(),
  stored: z.number(),
  deduplicated: z.number(),
  quarantined: z.number(),
  rejected: z.number(),
  inFlight: z.number(),
})
export type Counts = z.infer<typeof Counts>

export const Ledger = z.object({
  total: Counts,
  bySource: z.array(
    Counts.extend({ sourceId: z.string(), last24Hours: z.number(), lastReceivedAt: z.string().nullable() }),
  ),
  /** Acknowledged and in no state: must be 0. */
  lost: z.number(),
  /** Per hour of the last two days, all outcomes, oldest first. */
  hours: z.array(
    z.object({ sourceId: z.string(), hour: z.string(), outcome: z.string(), reason: z.string(), events: z.number() }),
  ),
})
export type Ledger = z.infer<typeof Ledger>

/** The ledger does not add up: by how many events, since when, what is wrong in one sentence, and whose counts are not what was counted. */
export const LedgerAlarm = z.object({
  residue: z.number(),
  since: z.string(),
  sentence: z.string(),
  sources: z.array(z.string()),
})
export type LedgerAlarm = z.infer<typeof LedgerAlarm>

/** How many hours back a ledger page goes at most. */
export const ledgerHours = { usual: 48, most: 14 * 24 } as const
const LedgerChoice = z.object({
  source: SourceId.optional(),
  hours: z.coerce.number().int().min(1).max(ledgerHours.most).default(ledgerHours.usual),
  /** An instant within the last hour that is shown; now when it is not said. */
  until: z.iso.datetime({ offset: true }).optional(),
})

/** What was received in a span of hours, and what became of it. */
export const LedgerPage = z.object({
  from: z.string(),
  to: z.string(),
  total: Counts,
  /** Places in the journal that replays took: `again` for rows that were replayed before. No outcome, and not in `received`. */
  replayed: z.object({ events: z.number(), again: z.number() }),
  /** Events over 32 KB: accepted, and among the others. */
  large: z.number(),
  /** The largest first; '' for requests with a write key that nobody has, 'others' for all behind the first hundred. */
  sources: z.array(Counts.extend({ sourceId: z.string(), perHour: z.array(Counts) })),
  hours: z.array(Counts.extend({ hour: z.string() })),
  reasons: z.array(z.object({ outcome: z.string(), reason: z.string(), because: z.string(), events: z.number() })),
  alarm: LedgerAlarm.nullable(),
  /** When counts, journal and what is in flight were last compared. */
  lookedAt: z.string().nullable(),
})
export type LedgerPage = z.infer<typeof LedgerPage>

/** One event as the live inspector shows it. */
export const Inspected = z.object({
  position: z.string(),
  sourceId: z.string(),
  outcome: z.enum(['in-flight', 'stored', 'deduplicated', 'quarantined', 'rejected']),
  reason: z.string(),
  because: z.string(),
  type: z.string(),
  name: z.string(),
  messageId: z.string(),
  userId: z.string(),
  anonymousId: z.string(),
  profileId: z.string(),
  receivedAt: z.string(),
  originalAt: z.string().nullable(),
  sentAt: z.string().nullable(),
  time: z.string().nullable(),
  clamped: z.boolean(),
})
export type Inspected = z.infer<typeof Inspected>

/** What one step did with an event: in a sentence, and what it knows. `to` leads to a page. */
export const WayStep = z.object({
  name: z.string(),
  is: z.enum(['ok', 'warn', 'fail']),
  says: z.string(),
  facts: z.array(z.object({ label: z.string(), says: z.string(), to: z.string().optional() })),
})
export type WayStep = z.infer<typeof WayStep>

/** The whole way of one event. */
export const EventWay = Inspected.extend({
  /** The bytes as they came; when the journal does not keep them any more, what was stored (`asStored`). */
  raw: z.string(),
  asStored: z.boolean(),
  bytes: z.number(),
  large: z.boolean(),
  via: z.string(),
  network: z.string(),
  library: z.string(),
  /** How the time that counts came about. */
  timeSays: z.string(),
  replayed: z.boolean(),
  steps: z.array(WayStep),
  /** Events that came later under the same message id and said something else. */
  conflicts: z.array(
    z.object({ position: z.string(), differs: z.array(z.string()), receivedAt: z.string(), raw: z.string() }),
  ),
})
export type EventWay = z.infer<typeof EventWay>

export const Quarantined = z.object({
  position: z.string(),
  sourceId: z.string(),
  reason: z.string(),
  because: z.string(),
  type: z.string(),
  name: z.string(),
  messageId: z.string(),
  receivedAt: z.string(),
  raw: z.string(),
})
export type Quarantined = z.infer<typeof Quarantined>

const Choice = z.object({
  source: SourceId.optional(),
  reason: z.string().max(40).optional(),
  type: z.string().max(20).optional(),
  name: z.string().max(1000).optional(),
})

export const ReplayId = idOf('replay')

/** A replay of the quarantine: first a check (a dry run), then the run. */
export const Replay = z.object({
  id: ReplayId,
  chosen: Choice,
  state: z.enum(['checking', 'checked', 'running', 'done', 'cancelled', 'failed']),
  /** Rows of the quarantine that were chosen, and how many of them were looked at (or sent) so far. */
  matched: z.number(),
  looked: z.number(),
  /** What the check found. */
  found: z
    .object({
      /** Would be stored now. */
      pass: z.number(),
      /** Are in the store already: the sender sent them again. */
      duplicate: z.number(),
      /** The store or a step had failed on them: whether it does again, only the replay tells. */
      untold: z.number(),
      fails: z.array(
        z.object({
          reason: z.string(),
          because: z.string(),
          events: z.number(),
          samples: z.array(z.object({ name: z.string(), because: z.string() })),
        }),
      ),
    })
    .nullable(),
  /** What became of the events of the run, so far. */
  became: z.array(z.object({ outcome: z.string(), reason: z.string(), because: z.string(), events: z.number() })),
  startedBy: z.string(),
  because: z.string().nullable(),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
})
export type Replay = z.infer<typeof Replay>

export const ParkedKey = z.object({
  writeKey: z.string(),
  requests: z.number(),
  bytes: z.number(),
  firstAt: z.string(),
  lastAt: z.string(),
})

export const routes = {
  ledger: route({
    method: 'GET',
    path: '/api/collect/ledger',
    summary: 'What was received and what became of it, per source and hour.',
    allow: 'data.read',
    reply: Ledger,
  }),
  ledgerPage: route({
    method: 'GET',
    path: '/api/collect/ledger/hours',
    summary: 'What was received in a span of hours and what became of it, and whether the ledger adds up.',
    allow: 'data.read',
    query: LedgerChoice,
    reply: LedgerPage,
  }),
  ledgerCsv: route({
    method: 'GET',
    path: '/api/collect/ledger.csv',
    summary: 'The ledger of a span of hours as CSV: one line for each hour, source, outcome and reason.',
    allow: 'data.read',
    query: LedgerChoice,
    reply: z.any(),
  }),
  recent: route({
    method: 'GET',
    path: '/api/collect/events',
    summary: 'The latest events, newest first, from memory.',
    allow: 'data.read',
    query: z.object({ source: SourceId.optional(), limit: z.coerce.number().int().min(1).max(500).default(100) }),
    reply: z.object({ events: z.array(Inspected) }),
  }),
  stream: route({
    method: 'GET',
    path: '/api/collect/stream',
    summary: 'The live inspector: server-sent events, one for each event and again when its outcome is known.',
    allow: 'data.read',
    query: z.object({ source: SourceId.optional() }),
    reply: z.unknown(),
  }),
  event: route({
    method: 'GET',
    path: '/api/collect/events/:position',
    summary: 'One event: the body as it arrived, what was read from it, and what became of it.',
    allow: 'data.read',
    params: z.object({ position: Position }),
    reply: z.object({
      raw: z.string(),
      via: z.string(),
      sourceId: z.string(),
      event: z.unknown(),
      receivedAt: z.string(),
    }),
  }),
  way: route({
    method: 'GET',
    path: '/api/collect/way',
    summary:
      'The whole way of one event, by its position or by source and message id: body, times, and what each step did.',
    allow: 'data.read',
    query: z.union([
      z.object({ position: Position }),
      z.object({ source: SourceId, message: z.string().min(1).max(1024) }),
    ]),
    reply: EventWay,
  }),
  quarantine: route({
    method: 'GET',
    path: '/api/collect/quarantine',
    summary: 'What was put aside: counts per reason, and the latest samples.',
    allow: 'data.read',
    query: Choice,
    reply: z.object({
      reasons: z.array(z.object({ reason: z.string(), because: z.string(), events: z.number(), lastAt: z.string() })),
      /** The events that are named most often. */
      names: z.array(z.object({ type: z.string(), name: z.string(), events: z.number() })),
      matched: z.number(),
      samples: z.array(Quarantined),
    }),
  }),
  replays: route({
    method: 'GET',
    path: '/api/collect/replays',
    summary: 'The latest checks and replays of the quarantine.',
    allow: 'data.read',
    reply: z.object({ replays: z.array(Replay) }),
  }),
  checkReplay: route({
    method: 'POST',
    path: '/api/collect/replays',
    summary:
      'Checks, in the background, what would become of the chosen events of the quarantine now. Nothing is stored.',
    allow: 'data.write',
    body: Choice,
    reply: Replay,
  }),
  runReplay: route({
    method: 'POST',
    path: '/api/collect/replays/:id/run',
    summary:
      'Replays what was checked: with its original times, each event stored at most once, however often this is done.',
    allow: 'data.write',
    params: z.object({ id: ReplayId }),
    reply: Replay,
  }),
  cancelReplay: route({
    method: 'POST',
    path: '/api/collect/replays/:id/cancel',
    summary: 'Ends a check or a replay. What was replayed so far stays replayed.',
    allow: 'data.write',
    params: z.object({ id: ReplayId }),
    reply: Replay,
  }),
  parked: route({
    method: 'GET',
    path: '/api/collect/parked',
    summary: 'Write keys that no source has, with what they sent in the last 24 hours.',
    allow: 'data.read',
    reply: z.object({ keys: z.array(ParkedKey) }),
  }),
  recover: route({
    method: 'POST',
    path: '/api/collect/parked/recover',
    summary: 'Takes what was sent with an unknown write key into a source.',
    allow: 'data.write',
    body: z.object({ writeKey: z.string().min(1).max(200), sourceId: SourceId }),
    reply: z.object({ requests: z.number(), events: z.number() }),
  }),
}
