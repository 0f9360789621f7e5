import type { Id } from '../../../lib/ids/ids.ts'
import { EventType, type Json, type QuarantineReason, type TrackedEvent } from '../contract.ts'
import { timesOf } from './times.ts'

/** What came with the event besides its own bytes. */
export interface Envelope {
  sourceId: Id<'source'>
  receivedMs: number
  /** From the path (`/v1/track`), which wins over the body; undefined in a batch. */
  type?: EventType
  /** `sentAt` of the batch. */
  sentAt?: Json
  /** `context` and `integrations` of the batch, which every item inherits. */
  context?: Json
  integrations?: Json
  /** Of the client, for events that a person's device sent. Already cut to its network. */
  ip?: string
  /** How it came in, for people: `/v1/batch`, `import`, … */
  via: string
  /** The message id of an event that had none and is taken in again. */
  assignedId?: string
  /** Found before the event was parsed: it is put aside unread. */
  fault?: QuarantineReason
  /** It was put aside before and comes again. */
  replay?: Replayed
}

/** Which row of the quarantine comes again, and by which replay. */
export interface Replayed {
  journalId: string
  position: string
  /** Why it was put aside. */
  reason: QuarantineReason
  /** The message id that it had, or has now, when its client sent none: the same however often it is replayed. */
  assignedId: string
  replayId: string
}

export type Normalised = { event: TrackedEvent } | { quarantined: QuarantineReason }

const types: ReadonlySet<unknown> = new Set(EventType.options)
const isType = (value: unknown): value is EventType => types.has(value)

type JsonObject = Record<string, Json>
const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})

/** Longer identifiers are somebody's mistake, and would be keys of every index. */
const longestId = 1024

/**
 * Reads one event, from whatever SDK. The same bytes and envelope always give the same event: a batch that comes again
 * after a crash must be the same rows.
 * @param assignedId the message id for a client that sent none
 */
export function normalise(body: Json, envelope: Envelope, assignedId: string): Normalised {
  if (!isObject(body)) return { quarantined: 'not_an_object' }
  const type = envelope.type ?? body['type']
  if (!isType(type)) return { quarantined: 'unknown_type' }
  const userId = idOfValue(body['userId'])
  const anonymousId = idOfValue(body['anonymousId'])
  const previousId = idOfValue(body['previousId'])
  const groupId = idOfValue(body['groupId'])
  const messageId = idOfValue(body['messageId'])
  if (userId === false || anonymousId === false || previousId === false || groupId === false || messageId === false) {
    return { quarantined: 'bad_identifier' }
  }
  if (type === 'alias' && (userId === undefined || previousId === undefined)) return { quarantined: 'no_previous_id' }
  if (type === 'group' && groupId === undefined) return { quarantined: 'no_group_id' }
  const name = type === 'track' ? textOf(body['event']) : isView(type) ? viewName(body) : ''
  if (type === 'track' && name === '') return { quarantined: 'no_event_name' }

  const context = contextOf(body, envelope)
  const externalIds = externalIdsOf(context)
  if (userId === undefined && anonymousId === undefined && externalIds.length === 0)
    return { quarantined: 'no_identifier' }
  const traits = traitsOf(type, body, context)
  const properties = objectOf(body['properties'])
  if (saysTwice(context) || saysTwice(traits) || saysTwice(properties)) return { quarantined: 'same_key_twice' }
  const times = timesOf(
    body['originalTimestamp'] ?? body['timestamp'],
    body['sentAt'] ?? envelope.sentAt,
    envelope.receivedMs,
  )
  const event: TrackedEvent = {
    sourceId: envelope.sourceId,
    messageId: messageId ?? envelope.assignedId ?? assignedId,
    type,
    name,
    externalIds,
    traits,
    properties,
    context,
    originalMs: times.originalMs,
    sentMs: times.sentMs ?? envelope.receivedMs,
    timeMs: times.timeMs,
    receivedMs: envelope.receivedMs,
    clamped: times.clamped,
  }
  if (userId !== undefined) event.userId = userId
  if (anonymousId !== undefined) event.anonymousId = anonymousId
  if (previousId !== undefined) event.previousId = previousId
  if (groupId !== undefined) event.groupId = groupId
  return { event }
}

/** null, '' and missing are the same; numbers become text; spaces around go. `false` when it is nothing of the kind. */
function idOfValue(value: Json | undefined): string | undefined | false {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string') return false
  const text = value.trim()
  if (text === '') return undefined
  return text.length > longestId ? false : text
}

const textOf = (value: Json | undefined): string =>
  typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : ''
const isView = (type: EventType) => type === 'page' || type === 'screen'
const viewName = (body: JsonObject) => textOf(body['name']) || textOf(objectOf(body['properties'])['name'])

function contextOf(body: JsonObject, envelope: Envelope): JsonObject {
  const [around, own] = [objectOf(envelope.context), objectOf(body['context'])]
  const nothingMore = [envelope.context, envelope.integrations, body['integrations']].every((one) => !isObject(one))
  if (nothingMore && envelope.ip === undefined) return own
  const context: JsonObject = { ...around, ...own }
  const integrations = { ...objectOf(envelope.integrations), ...objectOf(body['integrations']) }
  if (Object.keys(integrations).length > 0) context['integrations'] = integrations
  if (envelope.ip !== undefined && (context['ip'] === undefined || context['ip'] === null || context['ip'] === '')) {
    context['ip'] = envelope.ip
  }
  return context
}

/**
 * Traits are at the top, or (RudderStack's browser SDK) only in the context. In a group call the context has the traits of
 * the person, which are not the group's.
 */
function traitsOf(type: EventType, body: JsonObject, context: JsonObject): JsonObject {
  if (type === 'group') return objectOf(body['traits'])
  if (type !== 'identify') return {}
  const own = objectOf(body['traits'])
  return Object.keys(own).length > 0 ? own : objectOf(context['traits'])
}

/** Segment writes `context.externalIds: [{ id, type }]`, RudderStack `context.externalId`. */
function externalIdsOf(context: JsonObject): { type: string; value: string }[] {
  const listed = [context['externalIds'], context['externalId']].find(Array.isArray) ?? []
  const found: { type: string; value: string }[] = []
  for (const one of listed.slice(0, 20)) {
    if (!isObject(one)) continue
    const value = idOfValue(one['id'] ?? one['value'])
    const kind = textOf(one['type'])
    if (typeof value === 'string' && /^[A-Za-z][\w.-]{0,63}$/.test(kind)) found.push({ type: kind, value })
  }
  return found
}

/**
 * ClickHouse keeps JSON by path, and there `{"a.b": 1}` and `{"a": {"b": 1}}` are one path: both in one object it refuses.
 * Looked at only where a key has a dot.
 */
function saysTwice(value: JsonObject): boolean {
  if (!hasDot(value)) return false
  const seen = new Set<string>()
  const walk = (one: JsonObject, path: string | undefined): boolean =>
    Object.entries(one).some(([key, inner]) => {
      const here = path === undefined ? key : `${path}.${key}`
      if (isObject(inner)) return walk(inner, here)
      if (seen.has(here)) return true
      seen.add(here)
      return false
    })
  return walk(value, undefined) || Object.values(value).some(inArrays)
}
const inArrays = (value: Json): boolean =>
  Array.isArray(value)
    ? value.some((one) => (isObject(one) ? saysTwice(one) : inArrays(one)))
    : isObject(value) && Object.values(value).some(inArrays)

function hasDot(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(hasDot)
  // Of JSON: all keys are its own. A list of entries would cost more than the look at them.
  // oxlint-disable-next-line guard-for-in
  for (const key in value) if (key.includes('.') || hasDot(value[key] ?? null)) return true
  return false
}
