import type { Clock } from '../../../platform/clock/clock.ts'

const sliceMs = 5_000
const slices = 12
/** A rate of storing is told of so many events in a row and not of fewer: a small batch says more of its fixed cost than of the machine. */
const inARow = 10_000

/** How fast events come in and are stored, counted on what really came. In memory, from the start of this process. */
export interface Rates {
  came(events: number): void
  /** Events a second of the last minute. */
  perSecond(): number
  /** A full batch was stored in so many ms. */
  stored(events: number, ms: number): void
  /** The fastest that at least ten thousand events in a row were stored since the start; undefined while that never happened. */
  fastest(): { perSecond: number; atMs: number } | undefined
}

export function createRates(clock: Pick<Clock, 'ms'>): Rates {
  const beganMs = clock.ms()
  const counts: { slice: number; events: number }[] = []
  let row = { events: 0, ms: 0 }
  let fastest: { perSecond: number; atMs: number } | undefined
  const sliceNow = () => Math.floor(clock.ms() / sliceMs)
  const forget = () => {
    const first = sliceNow() - slices
    while (counts[0] !== undefined && counts[0].slice <= first) counts.shift()
  }
  return {
    came(events) {
      const last = counts.at(-1)
      const slice = sliceNow()
      if (last?.slice === slice) last.events += events
      else {
        counts.push({ slice, events })
        forget()
      }
    },
    perSecond() {
      forget()
      const seconds = Math.min(60, Math.max(sliceMs, clock.ms() - beganMs) / 1000)
      return counts.reduce((sum, one) => sum + one.events, 0) / seconds
    },
    stored(events, ms) {
      row = { events: row.events + events, ms: row.ms + ms }
      if (row.events < inARow || row.ms <= 0) return
      const perSecond = row.events / (row.ms / 1000)
      if (fastest === undefined || perSecond > fastest.perSecond) fastest = { perSecond, atMs: clock.ms() }
      row = { events: 0, ms: 0 }
    },
    fastest: () => fastest,
  }
}
