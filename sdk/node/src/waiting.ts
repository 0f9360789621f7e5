import { InterlockError } from './errors.ts'

/** The first events that wait, in the order in which they were taken. */
export interface Batch {
  /** Each as JSON. */
  events: string[]
  /** What became of them is known: they wait no more. */
  done(): Promise<void>
}

/** How much one request may bring. The first event goes in any case. */
export interface Most {
  events: number
  bytes: number
}

/** Events that were taken and wait for an answer: in memory, or on disk. */
export interface Waiting {
  /** Resolves when it is taken. @throws InterlockError `queue_full`, `spool_failed` */
  push(json: string): Promise<void>
  /** The first batch, again and again until it is done; undefined when nothing waits. */
  next(most: Most): Promise<Batch | undefined>
  events(): number
  bytes(): number
  close(): Promise<void>
}

/** In memory, bounded: what does not fit is refused, and what was taken is never pushed out by what comes later. */
export function waitInMemory(mostEvents: number, mostBytes: number): Waiting {
  let held: { json: string; bytes: number }[] = []
  let bytes = 0
  return {
    push(json) {
      const size = Buffer.byteLength(json)
      if (held.length >= mostEvents || bytes + size > mostBytes)
        return Promise.reject(
          new InterlockError(
            'queue_full',
            `The queue is full: ${held.length.toLocaleString('en')} events (${bytes.toLocaleString('en')} bytes) wait to be sent. The event was not taken.`,
          ),
        )
      held.push({ json, bytes: size })
      bytes += size
      return Promise.resolve()
    },
    next(most) {
      const count = fitting(held, most)
      if (count === 0) return Promise.resolve(undefined)
      const batch = held.slice(0, count)
      return Promise.resolve({
        events: batch.map((one) => one.json),
        done() {
          held = held.slice(count)
          for (const one of batch) bytes -= one.bytes
          return Promise.resolve()
        },
      })
    },
    events: () => held.length,
    bytes: () => bytes,
    close: () => Promise.resolve(),
  }
}

/** How many of the first go into one request. */
export function fitting(events: readonly { bytes: number }[], most: Most): number {
  let bytes = 0
  let count = 0
  for (const one of events) {
    bytes += one.bytes + 1
    if (count > 0 && (count >= most.events || bytes > most.bytes)) break
    count++
  }
  return count
}
