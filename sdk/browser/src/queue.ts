import type { Device } from './device.ts'

/** Most events in one request. */
const batchEvents = 20
/** Most bytes of events in one request: what a browser lets go out after the page is gone is 64 KiB in all. */
const batchBytes = 48_000
/** A larger event is not taken. */
const eventBytes = 32_000

export interface Waiting {
  name: string
  json: string
}

/**
 * Events that wait to be sent, in the order in which they happened. Each is an entry of its own, because two tabs that rewrite one list would lose
 * what the other added.
 */
export interface Queue {
  /** Takes the oldest out when it is full. @throws when the event is too large; it is counted as dropped */
  take(json: string, id: string, nowMs: number): void
  /** The first that go into one request, of those that come after the one with this name. */
  next(most?: number, after?: string): Waiting[]
  done(waiting: readonly Waiting[]): void
  /** How many were never sent, since the last time that was told. */
  dropped(): number
  /** More were dropped, or (a negative number) so many were told. */
  drop(count: number): void
}

const bytesOf = (text: string) => new TextEncoder().encode(text).length

export function openQueue(device: Device, key: string, mostEvents = 200, mostChars = 200_000): Queue {
  const prefix = `queue:${key}:`
  const lost = `dropped:${key}`
  let numbered = 1e6
  const queue: Queue = {
    take(json, id, nowMs) {
      if (bytesOf(json) > eventBytes) {
        queue.drop(1)
        throw new Error('over 32 kB')
      }
      // Both parts keep their length, so names sort by age.
      const name = `${prefix}${nowMs}${numbered++}:${id}`
      device.set(name, json)
      const all = device.names(prefix)
      // From the newest back: what is over the limit is let go.
      let chars = 0
      all.reverse().forEach((one, at) => {
        chars += (device.get(one) ?? '').length
        if (at >= mostEvents || chars > mostChars) {
          device.set(one)
          queue.drop(1)
        }
      })
    },
    next(most = batchEvents, after = '') {
      const batch: Waiting[] = []
      let bytes = 0
      for (const name of device.names(prefix)) {
        const json = device.get(name)
        if (!json || name <= after) continue
        bytes += bytesOf(json)
        if (batch.length >= most || (batch[0] && bytes > batchBytes)) break
        batch.push({ name, json })
      }
      return batch
    },
    done(waiting) {
      waiting.forEach(({ name }) => {
        device.set(name)
      })
    },
    dropped: () => +(device.get(lost) ?? 0),
    drop(count) {
      const now = queue.dropped() + count
      device.set(lost, now > 0 ? `${now}` : undefined)
    },
  }
  return queue
}
