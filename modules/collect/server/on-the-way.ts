import { decodeRecord } from './record.ts'
import type { Journal } from '../../../platform/journal/journal.ts'

/** Events of one source that arrived within one hour. */
export interface Arrivals {
  sourceId: string
  /** When that hour began, in milliseconds since 1970. */
  hourMs: number
  events: number
}

const hourMs = 3_600_000
export const hourOf = (ms: number): number => ms - (ms % hourMs)

/** Adds up arrivals by source and hour. */
export function arrivalsOf(some: Iterable<{ sourceId: string; receivedMs: number }>): Arrivals[] {
  const sums = new Map<string, Arrivals>()
  for (const { sourceId, receivedMs } of some) {
    const hour = hourOf(receivedMs)
    const key = `${sourceId} ${hour}`
    const sum = sums.get(key)
    if (sum === undefined) sums.set(key, { sourceId, hourMs: hour, events: 1 })
    else sum.events += 1
  }
  return [...sums.values()]
}

/**
 * What was acknowledged and is in no count yet, by source and hour of arrival. Counted as requests come, not from the journal: the ledger's check
 * compares the two. Bounded by the sources and hours that wait in the journal.
 */
export interface OnTheWay {
  came(some: readonly Arrivals[]): void
  left(some: readonly Arrivals[]): void
  /** Places in the journal that replays took and that are not counted yet: their events were received before. */
  replays: number
  events(): number
  bySource(): Map<string, number>
  byHour(): Arrivals[]
}

export function createOnTheWay(): OnTheWay {
  const sums = new Map<string, Arrivals>()
  const add = (some: readonly Arrivals[], sign: 1 | -1) => {
    for (const one of some) {
      const key = `${one.sourceId} ${one.hourMs}`
      const events = (sums.get(key)?.events ?? 0) + sign * one.events
      if (events === 0) sums.delete(key)
      else sums.set(key, { ...one, events })
    }
  }
  return {
    came(some) {
      add(some, 1)
    },
    left(some) {
      add(some, -1)
    },
    replays: 0,
    events: () => [...sums.values()].reduce((sum, one) => sum + one.events, 0),
    bySource() {
      const by = new Map<string, number>()
      for (const one of sums.values()) by.set(one.sourceId, (by.get(one.sourceId) ?? 0) + one.events)
      return by
    },
    byHour: () => [...sums.values()],
  }
}

/** After a restart: what waits in the journal. @param until what came later was counted as it came */
export async function countWaiting(journal: Journal, until: bigint, onTheWay: OnTheWay): Promise<void> {
  for (let at = journal.stored; at < until;) {
    const records = await journal.read(at, 1000)
    if (records.length === 0) return
    const own: { sourceId: string; receivedMs: number }[] = []
    for (const { position, payload } of records) {
      if (position >= until) continue
      const { envelope } = decodeRecord(payload)
      if (envelope.replay === undefined) own.push(envelope)
      else onTheWay.replays += 1
    }
    onTheWay.came(arrivalsOf(own))
    at += BigInt(records.length)
  }
}
