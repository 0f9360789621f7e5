import ipaddr from 'ipaddr.js'
import { Refusal } from '../../../lib/refusals/refusals.ts'
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

/** The body, read as far as needed to know whose it is and what is in it. */
export interface Read {
  /** All write keys it names, in the order in which they count. */
  keys: string[]
  events: ReadEvent[]
  envelope: Pick<Envelope, 'sentAt' | 'context' | 'integrations'>
}

interface ReadEvent {
  bytes: Uint8Array
  value: Json | undefined
  /** Found before parsing: it is put aside unread. */
  fault: QuarantineReason | undefined
}

const isObject = (value: Json | undefined): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Reads a body. One bad event does not spoil the batch: it is put aside with its reason, the others go on.
 * @throws Refusal('malformed_json') | Refusal('too_deep') | Refusal('too_many_keys') | Refusal('too_large') | Refusal('bad_input')
 */
export function readBody(arrived: Pick<Arrived, 'body' | 'type' | 'keys'>): Read {
  const { body, type } = arrived
  if (body.length === 0) throw new Refusal('bad_input', 'The body is empty.')
  const looked = scan(body)
  if (looked.depth > limits.depth) throw new Refusal('too_deep')
  if (looked.keys > limits.keys) throw new Refusal('too_many_keys')
  const { events: spans } = looked
  // Without the events, what is left is the envelope: small, whatever is in them.
  const [first, last] = [spans?.[0], spans?.at(-1)]
  const outer =
    first === undefined || last === undefined
      ? body
      : Buffer.concat([body.subarray(0, first.from), body.subarray(last.to)])
  const envelope = parse(outer)
  if (spans === undefined) {
    if (!isObject(envelope)) throw new Refusal('bad_input', 'The body is neither an event nor a batch of events.')
    if (type === undefined && envelope['type'] === undefined) {
      throw new Refusal('bad_input', 'The body has no array named batch.')
    }
    const fault = body.length > limits.eventBytes ? ('event_too_large' as const) : undefined
    return { keys: keysOf(arrived.keys, envelope), events: [{ bytes: body, value: envelope, fault }], envelope: {} }
  }
  const events = spans.map((span): ReadEvent => {
    const bytes = body.subarray(span.from, span.to)
    const fault = faultOf(span)
    return { bytes, fault, value: fault === undefined ? parse(bytes) : undefined }
  })
  const outside = isObject(envelope) ? envelope : {}
  return {
    keys: keysOf(arrived.keys, outside, events[0]?.value),
    events,
    envelope: {
      ...(outside['sentAt'] === undefined ? {} : { sentAt: outside['sentAt'] }),
      ...(outside['context'] === undefined ? {} : { context: outside['context'] }),
      ...(outside['integrations'] === undefined ? {} : { integrations: outside['integrations'] }),
    },
  }
}

function faultOf(span: EventSpan): QuarantineReason | undefined {
  if (span.depth > limits.depth) return 'too_deep'
  if (span.keys > limits.keys) return 'too_many_keys'
  return span.to - span.from > limits.eventBytes ? 'event_too_large' : undefined
}

function parse(bytes: Uint8Array): Json {
  try {
    return readJson(bytes)
  } catch (error) {
    if (error instanceof SyntaxError) throw new Refusal('malformed_json', 'The body is not JSON.')
    throw error
  }
}

function keysOf(named: readonly string[], ...values: (Json | undefined)[]): string[] {
  const inside = values.map((value) => (isObject(value) ? value['writeKey'] : undefined))
  const all = [...named, ...inside].filter((key) => typeof key === 'string').map((key) => key.trim())
  return [...new Set(all)].filter((key) => key !== '' && key.length <= 200)
}

/** Ready for the journal, and what the sender is told. */
export interface Prepared {
  records: Uint8Array[]
  /** One for each record. */
  normalised: Normalised[]
  quarantined: { index: number; reason: QuarantineReason; because: string }[]
}

/** Turns what was read into records of the journal. */
export function prepare(
  read: Read,
  source: Pick<Source, 'id' | 'kind'>,
  arrived: Pick<Arrived, 'type' | 'via' | 'ip' | 'receivedMs'>,
): Prepared {
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
  for (const [index, { bytes, value, fault }] of read.events.entries()) {
    const outcome: Normalised = fault === undefined ? normalise(value ?? null, envelope, '') : { quarantined: fault }
    prepared.normalised.push(outcome)
    prepared.records.push(encodeRecord(fault === undefined ? shared : encodeEnvelope({ ...envelope, fault }), bytes))
    if ('quarantined' in outcome) {
      prepared.quarantined.push({ index, reason: outcome.quarantined, because: quarantineReasons[outcome.quarantined] })
    }
  }
  return prepared
}

/** An address cut to its network (/24 or /48): enough for a country, not for a household. */
function networkOf(ip: string): string | undefined {
  if (!ipaddr.isValid(ip)) return undefined
  const address = ipaddr.process(ip)
  const bits = address.kind() === 'ipv4' ? 24 : 48
  const bytes = address.toByteArray().map((byte, index) => (index < bits / 8 ? byte : 0))
  return ipaddr.fromByteArray(bytes).toString()
}
