import ipaddr from 'ipaddr.js'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import { inSlices } from '../../../platform/clock/slices.ts'
import type { Source } from '../../sources/server/index.ts'
import { quarantineReasons, type EventType, type Json, type QuarantineReason } from '../contract.ts'
import { normalise, type Envelope, type Normalised } from './normalise.ts'
import { readJson } from './read-json.ts'
import { encodeEnvelope, encodeRecord } from './record.ts'
import { limits, scan, type EventSpan } from './scan.ts'

/** A request that brought events, unpacked, whatever its content type. */
export interface Arrived {
  body: Buffer
  /** From the path; undefined for a batch. */
  type: EventType | undefined
  via: string
  /** Write keys that the request itself names: Basic user, query. */
  keys: string[]
  ip: string
  receivedMs: number
}

/** A body of which only the bytes were looked at: enough to know whose it is and how much is in it. */
export interface Looked {
  /** All write keys it names, in the order in which they count. */
  keys: string[]
  spans: EventSpan[] | undefined
  /** Events in it, good or bad. */
  events: number
}

/** The body, read. */
export interface Read {
  events: ReadEvent[]
  envelope: Pick<Envelope, 'sentAt' | 'context' | 'integrations'>
}

export interface ReadEvent {
  bytes: Uint8Array
  value: Json | undefined
  /** Found before parsing: it is put aside unread. */
  fault: QuarantineReason | undefined
}

const isObject = (value: Json | undefined): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Looks at a body without parsing it: what comes with a key that nobody has gets no more work than this.
 * @throws Refusal('too_deep') | Refusal('too_many_keys') | Refusal('too_large') | Refusal('bad_input')
 */
export function lookAt({ body, keys }: Pick<Arrived, 'body' | 'keys'>): Looked {
  if (body.length === 0) throw new Refusal('bad_input', 'The body is empty.')
  const seen = scan(body)
  if (seen.depth > limits.depth) throw new Refusal('too_deep')
  if (seen.keys > limits.keys) throw new Refusal('too_many_keys')
  if (seen.allKeys > limits.bodyKeys) {
    throw new Refusal('too_many_keys', `The body has more than ${limits.bodyKeys.toLocaleString('en')} keys.`)
  }
  return { keys: keysOf(keys, seen.writeKeys), spans: seen.events, events: seen.events?.length ?? 1 }
}

/**
 * Reads a body. One bad event does not spoil the batch: it is put aside with its reason, the others go on. Others have
 * their turn between the events.
 * @throws Refusal('malformed_json') | Refusal('too_large') | Refusal('bad_input')
 */
export async function readBody(
  { body, type }: Pick<Arrived, 'body' | 'type'>,
  { spans }: Pick<Looked, 'spans'>,
): Promise<Read> {
  if (spans === undefined) return readOne(body, type)
  const [first, last] = [spans[0], spans.at(-1)]
  // Without the events, what is left is the envelope.
  const outer =
    first === undefined || last === undefined
      ? body
      : Buffer.concat([body.subarray(0, first.from), body.subarray(last.to)])
  if (outer.length > limits.envelopeBytes || outer.length * spans.length > limits.sharedBytes) {
    throw new Refusal('too_large', 'What is around the events of the batch (context, integrations) is too large.')
  }
  const envelope = parse(outer)
  const events: ReadEvent[] = []
  await inSlices(spans, (span) => {
    const bytes = body.subarray(span.from, span.to)
    const fault = faultOf(span)
    events.push({ bytes, fault, value: fault === undefined ? parse(bytes) : undefined })
  })
  const outside = isObject(envelope) ? envelope : {}
  return {
    events,
    envelope: {
      ...(outside['sentAt'] === undefined ? {} : { sentAt: outside['sentAt'] }),
      ...(outside['context'] === undefined ? {} : { context: outside['context'] }),
      ...(outside['integrations'] === undefined ? {} : { integrations: outside['integrations'] }),
    },
  }
}

function readOne(body: Buffer, type: EventType | undefined): Read {
  if (body.length > limits.eventBytes) {
    if (!/^(?:\xef\xbb\xbf)?\s*\{/.test(body.toString('latin1', 0, 64))) throw notJson()
    return { events: [{ bytes: body, value: undefined, fault: 'event_too_large' }], envelope: {} }
  }
  const value = parse(body)
  if (!isObject(value)) throw new Refusal('bad_input', 'The body is neither an event nor a batch of events.')
  if (type === undefined && value['type'] === undefined) {
    throw new Refusal('bad_input', 'The body has no array named batch.')
  }
  return { events: [{ bytes: body, value, fault: undefined }], envelope: {} }
}

/** What bars an event before it is parsed. */
export function faultOf(span: EventSpan): QuarantineReason | undefined {
  if (span.depth > limits.depth) return 'too_deep'
  if (span.keys > limits.keys) return 'too_many_keys'
  return span.to - span.from > limits.eventBytes ? 'event_too_large' : undefined
}

/** What is wrong with one event before it is parsed, by the limits of today: for one that was put aside earlier. */
export function faultOfEvent(bytes: Uint8Array): QuarantineReason | undefined {
  // As the only one of a batch, so that a `batch` of its own is nothing special.
  const [span] = scan(Buffer.concat([Buffer.from('['), bytes, Buffer.from(']')])).events ?? []
  return span === undefined ? undefined : faultOf(span)
}

const notJson = () => new Refusal('malformed_json', 'The body is not JSON.')

function parse(bytes: Uint8Array): Json {
  try {
    return readJson(bytes)
  } catch (error) {
    if (error instanceof SyntaxError) throw notJson()
    throw error
  }
}

function keysOf(named: readonly string[], inside: readonly Uint8Array[]): string[] {
  const said = inside.flatMap((text) => {
    if (text.length > 600) return []
    try {
      const key = readJson(text)
      return typeof key === 'string' ? [key] : []
    } catch {
      return []
    }
  })
  const all = [...named, ...said].map((key) => key.trim())
  return [...new Set(all)].filter((key) => key !== '' && key.length <= 200).slice(0, mostKeys)
}

/** Each may be asked of the database; no SDK names more than three. */
const mostKeys = 4

/** Ready for the journal, and what the sender is told. */
export interface Prepared {
  records: Uint8Array[]
  /** One for each record. */
  normalised: Normalised[]
  quarantined: { index: number; reason: QuarantineReason; because: string }[]
}

/** Turns what was read into records of the journal; others have their turn between the events. */
export async function prepare(
  read: Read,
  source: Pick<Source, 'id' | 'kind'>,
  arrived: Pick<Arrived, 'type' | 'via' | 'ip' | 'receivedMs'>,
): Promise<Prepared> {
  const onDevice = source.kind === 'web' || source.kind === 'app'
  const network = onDevice ? networkOf(arrived.ip) : undefined
  const envelope: Envelope = {
    sourceId: source.id,
    receivedMs: arrived.receivedMs,
    via: arrived.via,
    ...read.envelope,
    ...(arrived.type === undefined ? {} : { type: arrived.type }),
    ...(network === undefined ? {} : { ip: network }),
  }
  const shared = encodeEnvelope(envelope)
  const prepared: Prepared = { records: [], normalised: [], quarantined: [] }
  await inSlices(read.events.entries(), ([index, { bytes, value, fault }]) => {
    const outcome: Normalised = fault === undefined ? normalise(value ?? null, envelope, '') : { quarantined: fault }
    prepared.normalised.push(outcome)
    prepared.records.push(encodeRecord(fault === undefined ? shared : encodeEnvelope({ ...envelope, fault }), bytes))
    if ('quarantined' in outcome) {
      prepared.quarantined.push({ index, reason: outcome.quarantined, because: quarantineReasons[outcome.quarantined] })
    }
  })
  return prepared
}

/** An address cut to its network (/24 or /48): enough for a country, not for a household. */
export function networkOf(ip: string): string | undefined {
  if (!ipaddr.isValid(ip)) return undefined
  const address = ipaddr.process(ip)
  const bits = address.kind() === 'ipv4' ? 24 : 48
  const bytes = address.toByteArray().map((byte, index) => (index < bits / 8 ? byte : 0))
  return ipaddr.fromByteArray(bytes).toString()
}
