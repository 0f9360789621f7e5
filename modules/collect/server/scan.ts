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
  eventsPerRequest: 10_000,
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
  /** The elements of the array `batch` of the top object (or of a top array); undefined when there is none. */
  events: EventSpan[] | undefined
}

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const colon = 0x3a
const comma = 0x2c
const batchKey = [0x62, 0x61, 0x74, 0x63, 0x68]

/** @throws Refusal('too_large') when a batch has more events than one request may bring */
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
    } else if (byte === openBrace || byte === openBracket) {
      if (batchDepth > 0 && depth === batchDepth) begin(at)
      depth++
      if (event === undefined) deepest = Math.max(deepest, depth)
      else event.depth = Math.max(event.depth, depth - batchDepth)
      if (byte === openBracket && batchDepth === 0 && ((depth === 2 && expectBatch) || depth === 1)) {
        batchDepth = depth
        events = []
      }
      expectBatch = false
    } else if (byte === closeBrace || byte === closeBracket) {
      if (depth === batchDepth) {
        finish(at)
        batchDepth = 0
      }
      depth--
    } else if (byte === colon) {
      if (event === undefined) keys++
      else event.keys++
      expectBatch = depth === 1 && isBatchKey(bytes, lastString)
    } else if (byte === comma) {
      if (depth === batchDepth) finish(at)
      expectBatch = false
    } else if (batchDepth > 0 && depth === batchDepth && !isSpace(byte)) begin(at)
  }
  return { depth: deepest, keys, events }
}

const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
const isBatchKey = (bytes: Uint8Array, at: number) =>
  bytes[at + 6] === quote && batchKey.every((letter, index) => bytes[at + 1 + index] === letter)
