import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { DedupIndex } from '../../../platform/journal/dedup-index.ts'
import type { Journal } from '../../../platform/journal/journal.ts'
import { largeBytes, type EventWay, type Inspected, type TrackedEvent, type WayStep } from '../contract.ts'
import { conflictsOf, differencesOf } from './conflicts.ts'
import { becauseOf, describe } from './inspector.ts'
import type { Envelope } from './normalise.ts'
import { assignedId, dedupKey, readEvent } from './pipeline.ts'
import { decodeRecord } from './record.ts'

/** An event and what became of it, as far as collect knows; for what other modules did with it they are asked. */
export interface Known {
  event: TrackedEvent
  journalId: string
  position: string
  profileId: string | undefined
  outcome: Inspected['outcome']
  replayed: boolean
}
/** A module says in one sentence what it did with an event, and lists what it knows; undefined when it has nothing to do with it. */
export type Explainer = (known: Known) => Promise<WayStep | undefined>

/** In the order in which an event passes them: before the store, and after it. */
export interface Explainers {
  before: readonly Explainer[]
  after: readonly Explainer[]
}

/** By its place in the journal, or by source and message id (also when the journal does not keep it any more). */
export type Wanted = { position: string } | { source: string; message: string }

interface Needs {
  clickhouse: ClickHouse
  journal: Journal
  index: DedupIndex
  countedTo(): bigint
  /** What is in memory of the latest events. */
  noted(position: bigint): Inspected | undefined
  explainers: Explainers
}

/** What was found of an event, before anybody explains it. */
interface Found {
  position: bigint
  journalId: string
  raw: string
  asStored: boolean
  envelope: Partial<Envelope> & Pick<Envelope, 'sourceId' | 'receivedMs'>
  event: TrackedEvent | undefined
  outcome: Inspected['outcome']
  reason: string
  because: string
  profileId: string | undefined
}

/** The whole way of one event. @throws Refusal('gone') when neither journal nor store has it */
export async function readWay(needs: Needs, wanted: Wanted): Promise<EventWay> {
  const found = await find(needs, wanted)
  const { event, envelope, position } = found
  const bytes = Buffer.byteLength(found.raw)
  const key = event === undefined ? undefined : dedupKey(event.sourceId, event.messageId)
  const [won] = key === undefined ? [] : await needs.index.find([key])
  const steps: WayStep[] = [validation(found)]
  if (event !== undefined) {
    steps.push(await deduplication(needs, found, won))
    if (found.outcome === 'deduplicated') {
      steps.push(ending(found))
    } else {
      const known: Known = {
        event,
        journalId: found.journalId,
        position: String(position),
        profileId: found.profileId,
        outcome: found.outcome,
        replayed: envelope.replay !== undefined,
      }
      for (const explain of [
        ...needs.explainers.before,
        () => Promise.resolve(ending(found)),
        ...needs.explainers.after,
      ]) {
        const step = await explain(known)
        if (step !== undefined) steps.push(step)
      }
    }
  } else steps.push(ending(found))
  const facts = describe({
    position,
    where: { sourceId: envelope.sourceId, receivedMs: envelope.receivedMs },
    event,
    outcome: undefined,
    profileId: found.profileId,
  })
  return {
    ...facts,
    outcome: found.outcome,
    reason: found.reason,
    because: found.because,
    raw: found.raw,
    asStored: found.asStored,
    bytes,
    large: bytes > largeBytes,
    via: envelope.via ?? '',
    network: envelope.ip ?? '',
    library: libraryOf(event),
    timeSays: event === undefined ? '' : timeSays(event),
    replayed: envelope.replay !== undefined,
    steps,
    conflicts: event === undefined ? [] : await conflictsOf(needs.clickhouse, event.sourceId, event.messageId),
  }
}

async function find(needs: Needs, wanted: Wanted): Promise<Found> {
  if ('position' in wanted) {
    const position = BigInt(wanted.position)
    const here = await inJournal(needs, position)
    if (here !== undefined) return here
    const stored = await inStore(needs, 'position = {position:UInt64}', { position: wanted.position })
    if (stored !== undefined) return stored
  } else {
    const [won] = await needs.index.find([dedupKey(wanted.source, wanted.message)])
    const here = won === undefined || won < 0n ? undefined : await inJournal(needs, won)
    if (here?.event?.messageId === wanted.message && here.event.sourceId === wanted.source) return here
    const stored = await inStore(needs, 'source_id = {source:String} AND message_id = {message:String}', wanted)
    if (stored !== undefined) return stored
  }
  throw new Refusal('gone', 'Neither the journal nor the store has this event.')
}

async function inJournal(needs: Needs, position: bigint): Promise<Found | undefined> {
  const { journal } = needs
  if (position >= journal.head) return undefined
  const [record] = await journal.read(position, 1).catch(() => [])
  if (record?.position !== position) return undefined
  const { envelope, event: bytes } = decodeRecord(record.payload)
  const normalised =
    envelope.fault === undefined
      ? readEvent(bytes, envelope, assignedId(journal.id, position, envelope))
      : { quarantined: envelope.fault }
  const event = 'event' in normalised ? normalised.event : undefined
  const base = {
    position,
    journalId: journal.id,
    raw: Buffer.from(bytes).toString('utf8'),
    asStored: false,
    envelope,
    event,
    profileId: undefined,
  }
  const noted = needs.noted(position)
  if (noted !== undefined && noted.outcome !== 'in-flight')
    return {
      ...base,
      outcome: noted.outcome,
      reason: noted.reason,
      because: noted.because,
      profileId: noted.profileId === '' ? undefined : noted.profileId,
    }
  if (position >= needs.countedTo()) return { ...base, outcome: 'in-flight', reason: '', because: '' }
  const aside = await asideAt(needs, journal.id, position)
  if (aside !== undefined) return { ...base, outcome: 'quarantined', ...aside }
  if (event === undefined) {
    const reason = 'quarantined' in normalised ? normalised.quarantined : ''
    return { ...base, outcome: 'quarantined', reason, because: becauseOf(reason) }
  }
  const [won] = await needs.index.find([dedupKey(event.sourceId, event.messageId)])
  if (won === position) {
    const [row] = await needs.clickhouse.query<{ profile_id: string }>(
      'SELECT profile_id FROM event WHERE position = {position:UInt64} AND source_id = {source:String} AND message_id = {message:String} LIMIT 1',
      { position: String(position), source: event.sourceId, message: event.messageId },
    )
    return { ...base, outcome: 'stored', reason: '', because: '', profileId: row?.profile_id || undefined }
  }
  if (won !== undefined) return { ...base, outcome: 'deduplicated', reason: '', because: '' }
  // It was counted, was not put aside, and nobody keeps its place: a step refused it.
  const reason = 'blocked_by_plan'
  return { ...base, outcome: 'rejected', reason, because: becauseOf(reason) }
}

async function asideAt(needs: Needs, journalId: string, position: bigint) {
  const [row] = await needs.clickhouse.query<{ reason: string; because: string }>(
    'SELECT reason, because FROM quarantined WHERE journal_id = {journal:String} AND position = {position:UInt64} LIMIT 1',
    { journal: journalId, position: String(position) },
  )
  return row
}

/** The journal let it go: as it was put aside (with its bytes), or as it was stored. @param where only words of ours */
async function inStore(needs: Needs, where: string, params: Record<string, string>): Promise<Found | undefined> {
  const [aside] = await needs.clickhouse.query<{
    place: string
    journal_id: string
    reason: string
    because: string
    envelope: string
    raw: string
    message_id: string
  }>(
    `SELECT toString(position) AS place, journal_id, reason, because, envelope, raw, message_id FROM quarantined
      WHERE ${where} AND (journal_id, position) NOT IN (SELECT journal_id, position FROM replayed) ORDER BY received_at DESC LIMIT 1`,
    params,
    { seconds: 30 },
  )
  const [row] = await needs.clickhouse.query<Record<string, string>>(
    `SELECT toString(position) AS place, source_id, message_id, type, name, user_id, anonymous_id, previous_id, group_id, profile_id,
            toJSONString(external_ids) AS external, toString(toUnixTimestamp64Milli(time)) AS at, toString(toUnixTimestamp64Milli(original_time)) AS said,
            toString(toUnixTimestamp64Milli(sent_at)) AS sent, toString(toUnixTimestamp64Milli(received_at)) AS came, toString(clamped) AS moved,
            toJSONString(traits) AS traits_text, toJSONString(properties) AS properties_text, toJSONString(context) AS context_text
       FROM event WHERE ${where} ORDER BY received_at DESC LIMIT 1`,
    params,
    { seconds: 30 },
  )
  if (row !== undefined) return storedFound(row)
  if (aside === undefined) return undefined
  // We wrote it: it has the shape it had.
  const envelope = JSON.parse(aside.envelope) as Envelope
  const read =
    envelope.fault === undefined ? readEvent(Buffer.from(aside.raw), envelope, aside.message_id) : { quarantined: '' }
  return {
    position: BigInt(aside.place),
    journalId: aside.journal_id,
    raw: aside.raw,
    asStored: false,
    envelope,
    event: 'event' in read ? read.event : undefined,
    outcome: 'quarantined',
    reason: aside.reason,
    because: aside.because,
    profileId: undefined,
  }
}

function storedFound(row: Record<string, string>): Found {
  const text = (key: string) => row[key] ?? ''
  const event = {
    sourceId: text('source_id') as Id<'source'>,
    messageId: text('message_id'),
    type: text('type') as TrackedEvent['type'],
    name: text('name'),
    ...(text('user_id') === '' ? {} : { userId: text('user_id') }),
    ...(text('anonymous_id') === '' ? {} : { anonymousId: text('anonymous_id') }),
    ...(text('previous_id') === '' ? {} : { previousId: text('previous_id') }),
    ...(text('group_id') === '' ? {} : { groupId: text('group_id') }),
    externalIds: JSON.parse(text('external')) as TrackedEvent['externalIds'],
    traits: JSON.parse(text('traits_text')) as TrackedEvent['traits'],
    properties: JSON.parse(text('properties_text')) as TrackedEvent['properties'],
    context: JSON.parse(text('context_text')) as TrackedEvent['context'],
    originalMs: Number(text('said')),
    sentMs: Number(text('sent')),
    timeMs: Number(text('at')),
    receivedMs: Number(text('came')),
    clamped: text('moved') === '1',
  } satisfies TrackedEvent
  return {
    position: BigInt(text('place')),
    journalId: '',
    raw: JSON.stringify({
      ...event,
      originalMs: undefined,
      sentMs: undefined,
      timeMs: undefined,
      receivedMs: undefined,
    }),
    asStored: true,
    envelope: { sourceId: event.sourceId, receivedMs: event.receivedMs },
    event,
    outcome: 'stored',
    reason: '',
    because: '',
    profileId: text('profile_id') === '' ? undefined : text('profile_id'),
  }
}

function validation({ event, reason, because }: Found): WayStep {
  const name = 'Read and checked'
  return event === undefined
    ? { name, is: 'fail', says: because || becauseOf(reason) || 'It cannot be read.', facts: [] }
    : { name, is: 'ok', says: 'It is JSON, within the limits, and has what its type needs.', facts: [] }
}

async function deduplication(needs: Needs, found: Found, won: bigint | undefined): Promise<WayStep> {
  const name = 'Seen before?'
  const { event, position } = found
  if (event === undefined || found.outcome !== 'deduplicated')
    return { name, is: 'ok', says: 'No: it is the first with this source and message id.', facts: [] }
  const winner = won === undefined || won === position || won < 0n ? undefined : await inJournal(needs, won)
  const stored =
    winner ??
    (await inStore(needs, 'source_id = {source:String} AND message_id = {message:String}', {
      source: event.sourceId,
      message: event.messageId,
    }))
  if (stored?.event === undefined)
    return {
      name,
      is: 'warn',
      says: 'Yes: the first with this source and message id won. It is not kept any more.',
      facts: [],
    }
  const differs = differencesOf(stored.event, event)
  return {
    name,
    is: differs.length === 0 ? 'ok' : 'warn',
    says:
      differs.length === 0
        ? 'Yes: the same event came before, and that one counts.'
        : 'Yes, and it says something else than the first one. The first one won; this one is recorded as a conflict.',
    facts: [
      {
        label: 'The first one',
        says: `arrived ${iso(stored.envelope.receivedMs)}`,
        to: `/sources/events/${String(stored.position)}`,
      },
      ...(differs.length === 0 ? [] : [{ label: 'Differs in', says: differs.join(', ') }]),
    ],
  }
}

function ending({ outcome, because, reason }: Found): WayStep {
  const name = 'Store'
  if (outcome === 'stored') return { name, is: 'ok', says: 'Stored, once.', facts: [] }
  if (outcome === 'in-flight')
    return { name, is: 'warn', says: 'On its way: it is on disk and waits for the store.', facts: [] }
  if (outcome === 'deduplicated') return { name, is: 'ok', says: 'Not stored again.', facts: [] }
  const kept = outcome === 'quarantined' ? 'Not stored; kept in the quarantine for 90 days' : 'Not stored, and not kept'
  const why = because || becauseOf(reason)
  return { name, is: 'fail', says: `${kept}${why === '' ? '.' : `: ${why}`}`, facts: [] }
}

/** How the time came about: Segment's rule, in words. */
function timeSays(event: TrackedEvent): string {
  const { originalMs, sentMs, receivedMs, timeMs, clamped } = event
  if (originalMs === receivedMs) return 'The event named no time, so the time of its arrival counts.'
  if (clamped)
    return 'What the event said of its time cannot be true of one clock, or lies outside of what is kept, so the time that counts is our choice (flagged).'
  const skewMs = receivedMs - sentMs
  if (timeMs === receivedMs - (sentMs - originalMs) && sentMs !== receivedMs)
    return `Arrived − (sent − said) = ${iso(receivedMs)} − (${iso(sentMs)} − ${iso(originalMs)}). The sender’s clock cancels out; it and the way here were ${words(skewMs)} apart.`
  return 'The event named no time of sending, so its own time counts as it is.'
}
const words = (ms: number) => {
  const size = Math.abs(ms)
  if (size < 10_000) return `${String(size)} ms`
  if (size < 120_000) return `${String(Math.round(size / 1000))} seconds`
  return size < 7_200_000
    ? `${String(Math.round(size / 60_000))} minutes`
    : `${String(Math.round(size / 3_600_000))} hours`
}
const iso = (ms: number) => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms))

function libraryOf(event: TrackedEvent | undefined): string {
  const library = event?.context['library']
  if (typeof library !== 'object' || library === null || Array.isArray(library)) return ''
  return [library['name'], library['version']]
    .filter((one) => typeof one === 'string')
    .join(' ')
    .slice(0, 200)
}
