import { createHash } from 'node:crypto'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { SourceKind } from '../../sources/contract.ts'
import { TopicId } from '../contract.ts'
import type { NewRecord } from './store.ts'

/** As much of an event as consent looks at; collect's `TrackedEvent` is one. */
export interface ConsentEvent {
  sourceId: string
  messageId: string
  type: string
  name: string
  userId?: string
  anonymousId?: string
  externalIds: { type: string; value: string }[]
  traits: Record<string, unknown>
  properties: Record<string, unknown>
  context: Record<string, unknown>
  originalMs: number
  timeMs: number
  receivedMs: number
}

const names: Readonly<Record<string, 'granted' | 'denied' | 'withdrawn'>> = {
  'consent given': 'granted',
  'consent granted': 'granted',
  'consent denied': 'denied',
  'consent withdrawn': 'withdrawn',
}

/**
 * Whether events of a source may say more than its visitors could: a key of a `web` or `app` source is in every page and every copy of an app, so
 * anybody can post with it for any address. Unknown sources count as public.
 */
export const trusted = (kind: SourceKind | undefined): boolean =>
  kind === 'server' || kind === 'crm' || kind === 'newsletter' || kind === 'internal'

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 200) : undefined

/**
 * The short name of a topic as an event spells it: “News & Offers” is news-offers. What has letters beyond a–z gets a piece of its hash, so
 * that two topics in Cyrillic are never taken for one.
 */
export function topicOf(spelled: string): string {
  if (TopicId.safeParse(spelled).success) return spelled
  const plain = spelled
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{Mn}/gu, '')
  const slug = plain
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 32)
  if (slug !== '' && !/[^\p{ASCII}]/u.test(plain.replace(/[^\p{L}\p{N}]/gu, ''))) return slug
  const tail = createHash('sha256').update(plain).digest('hex').slice(0, 7)
  return slug === '' ? `t-${tail}` : `${slug.replace(/-+$/, '')}-${tail}`
}

/** What stands for the words that somebody agreed to, in each record. */
export const wordingHash = (wording: string) => createHash('sha256').update(wording.normalize('NFC')).digest('hex')

/** What only a proven double opt-in, or our own pages, may write as basis. */
const reserved = new Set(['double_opt_in', 'own_choice'])

export interface ReadConsent extends NewRecord {
  /** The topic as the event spelled it. */
  spelled: string
  wording: string | undefined
  sourceId: string
  trusted: boolean
  /** A double opt-in with its proof: the one thing in an event that takes back an unsubscribe. */
  confirmed: boolean
}

/** Whether an event says something about consent to mail. A trait never does. */
export function saysConsent(event: Pick<ConsentEvent, 'type' | 'name' | 'properties'>): boolean {
  return (
    event.type === 'track' &&
    names[event.name.trim().toLowerCase()] !== undefined &&
    (text(event.properties['channel'])?.toLowerCase() ?? 'email') === 'email'
  )
}

/** The e-mail address an event names itself. */
export function emailIn(event: ConsentEvent): string | undefined {
  const traits = event.context['traits']
  const inContext =
    typeof traits === 'object' && traits !== null ? (traits as Record<string, unknown>)['email'] : undefined
  return (
    text(event.properties['email']) ??
    text(event.traits['email']) ??
    text(inContext) ??
    event.externalIds.find((one) => one.type === 'email')?.value
  )
}

/**
 * What an event says, as a record; `addressKey` belongs to the address that it is about. A time in the future counts as now. A double opt-in counts
 * as one only from a trusted source and with a `proof` (where the confirmation is kept); without, it is plain consent.
 */
export function recordOf(
  event: ConsentEvent,
  addressKey: string,
  kind: SourceKind | undefined,
  clock: Pick<Clock, 'ms'>,
): ReadConsent | undefined {
  const state = names[event.name.trim().toLowerCase()]
  if (state === undefined) return undefined
  const spelled = text(event.properties['topic']) ?? 'news'
  const wording = text(event.properties['wording'])
  const proof = text(event.properties['proof'])
  const trust = trusted(kind)
  // Without a time of its own an event carries that of its arrival.
  const dated = event.originalMs !== event.receivedMs
  const basis = text(event.properties['basis'])?.slice(0, 40) ?? 'consent'
  const doubleOptIn = trust && proof !== undefined && event.properties['doubleOptIn'] === true
  return {
    addressKey,
    channel: 'email',
    topic: topicOf(spelled),
    spelled: spelled.slice(0, 80),
    state,
    basis: doubleOptIn ? 'double_opt_in' : trust && !reserved.has(basis) ? basis : 'consent',
    wordingHash: wording === undefined ? null : wordingHash(wording),
    wording,
    source: text(event.properties['source'])?.slice(0, 80) ?? 'event',
    at: new Date(Math.min(event.timeMs, clock.ms())),
    weak: state === 'granted' && !(trust && dated),
    sourceId: event.sourceId,
    trusted: trust,
    confirmed: doubleOptIn && dated && state === 'granted',
    proof: proof ?? null,
    origin: `event ${event.sourceId} ${event.messageId}`,
  }
}
