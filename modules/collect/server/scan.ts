import { Refusal } from '../../../lib/refusals/refusals.ts'

/**
 * A look over the bytes of a body before `JSON.parse` sees them: how deep, how many keys, and where each event of a batch
 * begins and ends. `JSON.parse` accepts 100,000 levels that break everything behind it, and stalls for seconds on a
 * million keys (measured, spec/reliability-and-security.md 4.2). One pass, no allocation but the list of events.
 * The text may still not be JSON: this only bounds what the parser will meet.
 */
export const limits = {
  /** Of one body, unpacked. */
  bodyBytes: 8 * 1024 * 1024,
  /** Of one event. Segment refuses above 32 KB, but its Node SDK lets larger ones through. */
  eventBytes: 256 * 1024,
  /** Levels of objects and arrays in one event, itself the first. */
  depth: 32,
  /** Keys in one event, on all levels. */
  keys: 2000,
  /** Keys in one body, all events together: 80 for each of the most events that it may bring. */
  bodyKeys: 400_000,
  /** Of what is around the events of a batch: it is written down beside each of them. */
  envelopeBytes: 64 * 1024,
  /** The envelope times the events. */
  sharedBytes: 32 * 1024 * 1024,
  eventsPerRequest: 5000,
} as const

export interface EventSpan {
  from: number
  /** Exclusive. */
  to: number
  depth: number
  keys: number
}

export interface Scan {
  /** Of what is not inside an event of a batch: the whole of a single event, or the envelope. */
  depth: number
  keys: number
  /** Of the whole body. */
  allKeys: number
  /** The elements of the array `batch` of the top object (or of a top array); undefined when there is none. */
  events: EventSpan[] | undefined
  /** What `writeKey` says, as text of JSON: at the top first, then in the first event. */
  writeKeys: Uint8Array[]
}

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const colon = 0x3a
const comma = 0x2c
const bytesOf = (name: string) => Array.from(name, (letter) => letter.charCodeAt(0))
const batchKey = bytesOf('batch')
const writeKeyKey = bytesOf('writeKey')

/**
 * @throws Refusal('too_large') when a batch has more events than one request may bring
 * @throws Refusal('bad_input') when it has two batches: which of them counts would be a guess
 */
export function scan(bytes: Uint8Array): Scan {
  const end = bytes.length
  let depth = 0
  let deepest = 0
  let keys = 0
  let events: EventSpan[] | undefined
  /** The depth inside the batch array, or 0 while outside of it. */
  let batchDepth = 0
  let event: EventSpan | undefined
  let lastString = 0
  let expectBatch = false
  let expectWriteKey = false
  const writeKeys: { top: boolean; text: Uint8Array }[] = []

  const finish = (at: number) => {
    if (event === undefined) return
    while (at > event.from && isSpace(bytes[at - 1])) at--
    event.to = at
    if (event.to > event.from) events?.push(event)
    event = undefined
    if (events !== undefined && events.length > limits.eventsPerRequest) {
      throw new Refusal('too_large', `A request may bring at most ${limits.eventsPerRequest} events.`)
    }
  }
  const begin = (at: number) => {
    event ??= { from: at, to: at, depth: 0, keys: 0 }
  }

  for (let at = 0; at < end; at++) {
    const byte = bytes[at]
    if (byte === quote) {
      if (batchDepth > 0 && depth === batchDepth) begin(at)
      lastString = at
      at++
      while (at < end && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
      if (expectWriteKey && writeKeys.length < 4)
        writeKeys.push({ top: event === undefined, text: bytes.subarray(lastString, at + 1) })
      expectWriteKey = false
    } else if (byte === openBrace || byte === openBracket) {
      if (batchDepth > 0 && depth === batchDepth) begin(at)
      depth++
      if (event === undefined) deepest = Math.max(deepest, depth)
      else event.depth = Math.max(event.depth, depth - batchDepth)
      if (byte === openBracket && batchDepth === 0 && ((depth === 2 && expectBatch) || depth === 1)) {
        if (events !== undefined) throw new Refusal('bad_input', 'The body has two batches.')
        batchDepth = depth
        events = []
      }
      expectBatch = false
      expectWriteKey = false
    } else if (byte === closeBrace || byte === closeBracket) {
      if (depth === batchDepth) {
        finish(at)
        batchDepth = 0
      }
      depth--
    } else if (byte === colon) {
      if (event === undefined) keys++
      else event.keys++
      expectBatch = depth === 1 && isKey(bytes, lastString, batchKey)
      expectWriteKey =
        (event === undefined ? depth === 1 : depth === batchDepth + 1 && events?.length === 0) &&
        isKey(bytes, lastString, writeKeyKey)
    } else if (byte === comma) {
      if (depth === batchDepth) finish(at)
      expectBatch = false
      expectWriteKey = false
    } else if (batchDepth > 0 && depth === batchDepth && !isSpace(byte)) begin(at)
  }
  const allKeys = keys + (events ?? []).reduce((sum, one) => sum + one.keys, 0)
  const said = [...writeKeys.filter((one) => one.top), ...writeKeys.filter((one) => !one.top)]
  return { depth: deepest, keys, allKeys, events, writeKeys: said.map((one) => one.text) }
}

const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
const isKey = (bytes: Uint8Array, at: number, key: readonly number[]) =>
  bytes[at + key.length + 1] === quote && key.every((letter, index) => bytes[at + 1 + index] === letter)
