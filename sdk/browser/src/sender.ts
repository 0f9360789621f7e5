import { isFinal, waitMs } from './backoff.ts'
import type { Device } from './device.ts'
import type { Queue, Waiting } from './queue.ts'
import { on, safely } from './safely.ts'

/** Events that happen together leave together. */
const gatherMs = 250
/** Until another tab, in a process of its own, sees what was removed from localStorage. */
const settleMs = 100
/** A request without an answer is given up after this and tried again. */
const patienceMs = 15_000

export interface Sender {
  /** Soon, or as soon as the server wants. */
  soon(): void
  now(): void
  /** The page goes: what waits leaves by a beacon. What is stored stays there until an answer came, so the next page may send it again; the server stores it once. */
  leave(): void
  back(): void
}

/**
 * Sends what waits, one request at a time over all tabs.
 * @param may whether anything may be sent now
 * @param around the fields of a request beside its events, for example `"writeKey":"…"`
 */
export function createSender(
  url: string,
  key: string,
  device: Device,
  queue: Queue,
  may: () => boolean,
  around: () => object,
): Sender {
  const state = `retry:${key}`
  let timer: ReturnType<typeof setTimeout> | undefined
  let timerAt = 0
  let left = false
  let sending: readonly Waiting[] = []
  /** Of one event alone, after a batch was refused: it may be one of them. */
  let most: number | undefined

  const can = () => may() && !left && navigator.onLine
  /** Failures in a row, and when to try again: shared with the other tabs. */
  const retry = () =>
    (device.get(state) ?? '0,0,0').split(',').map(Number) as [failures: number, atMs: number, status: number]
  const later = (ms: number) => {
    const at = Date.now() + ms
    if (timer && timerAt <= at) return
    clearTimeout(timer)
    timerAt = at
    timer = setTimeout(
      safely(() => {
        timer = undefined
        now()
      }),
      ms,
    )
  }
  const bodyOf = (waiting: readonly Waiting[]) =>
    `{"batch":[${waiting.map((one) => one.json).join()}],${JSON.stringify({ sentAt: new Date().toISOString(), ...around() }).slice(1)}`

  async function drain(): Promise<void> {
    while (can()) {
      const [failures, at] = retry()
      // A clock that was set back must not make it wait for years.
      const rest = at - Date.now()
      if (rest > 0 && rest < 4e6) return later(rest)
      sending = queue.next(most)
      if (!sending[0]) return
      const dropped = queue.dropped()
      // Text: a request that a browser sends without asking first.
      const reply = await fetch(url, {
        method: 'POST',
        body: bodyOf(sending),
        keepalive: true,
        credentials: 'omit',
        // Old browsers lack it, and give up by themselves.
        signal: AbortSignal.timeout?.(patienceMs),
      }).catch(() => undefined)
      const status = reply?.status ?? 0
      const sent = sending
      sending = []
      if (reply?.ok) {
        queue.done(sent)
        if (dropped) queue.drop(-dropped)
        device.set(state)
        most = undefined
      } else if (isFinal(status)) {
        if (sent.length > 1 && (status === 400 || status === 413)) most = 1
        else {
          queue.done(sent)
          queue.drop(sent.length)
          console.warn('Interlock:', status, sent)
        }
      } else {
        const wait = waitMs(failures + 1, Math.random(), reply?.headers.get('retry-after'))
        device.set(state, `${failures + 1},${Date.now() + wait},${status}`)
        return later(wait)
      }
    }
  }

  const settle = () => new Promise((done) => setTimeout(done, settleMs))
  let running = false
  function now(): void {
    if (running || !can()) return
    running = true
    const end = () => {
      running = false
      // Something may have come after the last look.
      if (!timer && can() && queue.next(1)[0]) later(gatherMs)
    }
    // One tab at a time. Without locks (pages without TLS, old browsers) two may send the same: the server stores it once.
    const alone =
      device.lasts() && navigator.locks
        ? navigator.locks.request(`interlock:${key}`, () => drain().then(settle))
        : drain()
    alone.then(end, end)
  }

  on('online', () => {
    // Who failed for want of a network need not wait; who was told to wait does.
    if (!retry()[2]) device.set(state)
    now()
  })

  return {
    soon: () => {
      later(gatherMs)
    },
    now,
    leave() {
      left = true
      // Told to wait: the next page sends what is stored. What only this page has goes now or never.
      if (!may() || (retry()[1] > Date.now() && device.lasts())) return
      let batch = sending
      do {
        // What is in flight goes on; it was the first.
        batch = queue.next(undefined, batch[batch.length - 1]?.name)
      } while (batch[0] && navigator.sendBeacon(url, bodyOf(batch)) && (device.lasts() || (queue.done(batch), true)))
    },
    back() {
      left = false
      now()
    },
  }
}
