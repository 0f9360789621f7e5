import type { Source } from '../../sources/server/index.ts'

/** Full, a bucket holds what a source may send in so many seconds: a queue that was offline comes in at once. */
const burstSeconds = 10
/** Nobody is sent away for longer, however many wait. */
const longestWaitSeconds = 60

/**
 * How fast each source may send, so that one public key cannot drown the house. A token bucket in memory for each source,
 * without a timer and without a wait; each server keeps its own. The last request before it is empty goes through whole.
 * Whoever is sent away gets a turn of their own: told all the same second, they would come all at once and most of them be sent away again, and the
 * browser SDK of Segment gives an event up after ten such answers (its default limit of retries).
 */
export interface Pace {
  /** Whole seconds until the source may send again; 0 when it may now. */
  waitSeconds(source: Pick<Source, 'id' | 'eventsPerSecond'>, nowMs: number): number
  spend(source: Pick<Source, 'id' | 'eventsPerSecond'>, events: number, nowMs: number): void
}

export function createPace(): Pace {
  const buckets = new Map<string, { events: number; promised: number; atMs: number }>()

  function bucketOf(id: string, perSecond: number, nowMs: number) {
    const full = perSecond * burstSeconds
    const bucket = buckets.get(id)
    if (bucket === undefined) {
      const fresh = { events: full, promised: 0, atMs: nowMs }
      buckets.set(id, fresh)
      return fresh
    }
    // A clock that was set back gives nothing and takes nothing.
    const elapsedMs = Math.max(0, nowMs - bucket.atMs)
    bucket.events = Math.min(full, bucket.events + (elapsedMs / 1000) * perSecond)
    bucket.promised = Math.max(0, bucket.promised - (elapsedMs / 1000) * perSecond)
    bucket.atMs = nowMs
    return bucket
  }

  return {
    waitSeconds({ id, eventsPerSecond }, nowMs) {
      if (eventsPerSecond === null) return 0
      const bucket = bucketOf(id, eventsPerSecond, nowMs)
      if (bucket.events > 0) return 0
      const wait = Math.ceil((bucket.promised - bucket.events) / eventsPerSecond)
      bucket.promised += 1
      return Math.min(longestWaitSeconds, Math.max(1, wait))
    },
    spend({ id, eventsPerSecond }, events, nowMs) {
      if (eventsPerSecond !== null) bucketOf(id, eventsPerSecond, nowMs).events -= events
    },
  }
}
