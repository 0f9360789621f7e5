import { besideWritingMs, inSlices } from '../../../platform/clock/slices.ts'
import type { Json } from '../contract.ts'
import { faultOf, type Read, type ReadEvent } from './intake.ts'
import { readJson } from './read-json.ts'
import { scan } from './scan.ts'

/** One append of our own producers: few fsyncs for many events, and far below what may wait for the disk. */
const most = { events: 5_000, bytes: 4 * 1024 * 1024 }

/**
 * Events of our own producers as `readBody` would give them. They are plain values of JSON already, so they are written down once, event by event, and
 * not parsed again (that was half the time of an import); the limits and the harmlessness of what everybody sends hold for them too.
 * @returns as many as go into one append, in their order
 */
export async function* readOwn(events: readonly unknown[]): AsyncGenerator<Read> {
  let read: ReadEvent[] = []
  let bytes = 0
  const full: ReadEvent[][] = []
  await inSlices(
    events,
    (event) => {
      const one = readOne(event)
      if (read.length >= most.events || (read.length > 0 && bytes + one.bytes.length > most.bytes)) {
        full.push(read)
        read = []
        bytes = 0
      }
      read.push(one)
      bytes += one.bytes.length
    },
    besideWritingMs,
  )
  for (const some of [...full, read]) if (some.length > 0) yield { events: some, envelope: {} }
}

function readOne(event: unknown): ReadEvent {
  const text = JSON.stringify(event)
  const bytes = Buffer.from(text)
  const seen = scan(bytes)
  const inner = seen.events ?? []
  const depth = Math.max(seen.depth, ...inner.map((one) => one.depth + 2))
  const fault = faultOf({ from: 0, to: bytes.length, depth, keys: seen.allKeys })
  if (fault !== undefined) return { bytes, fault, value: undefined }
  const plain = !text.includes('\\u') && !text.includes('__proto__') && !text.includes('constructor')
  return { bytes, fault: undefined, value: plain ? (event as Json) : readJson(bytes) }
}
