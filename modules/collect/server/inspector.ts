import {
  deduplicatedReasons,
  quarantineReasons,
  refusedByStep,
  rejectReasons,
  type Inspected,
  type Outcome,
  type TrackedEvent,
} from '../contract.ts'
import type { Envelope, Normalised } from './normalise.ts'

type Where = Pick<Envelope, 'sourceId' | 'receivedMs'>

/** The last events in memory, and who is watching. */
export interface Inspector {
  /** The events of one request, in their order. @param first position of the first */
  arrived(first: bigint, where: Where, normalised: readonly Normalised[]): void
  settled(
    position: bigint,
    where: Where,
    known: { event: TrackedEvent | undefined; outcome: Outcome; profileId: string | undefined },
  ): void
  recent(filter: { sourceId?: string | undefined; limit: number }): Inspected[]
  /** What became of the event at a position, when it is among the latest. */
  at(position: bigint): Inspected | undefined
  /** Calls `tell` for every change until the returned function is called. */
  watch(tell: (events: Inspected[]) => void): () => void
}

/** What is kept is described only when somebody looks: every event passes here, and few are looked at. */
interface Noted {
  position: bigint
  where: Where
  event: TrackedEvent | undefined
  outcome: Outcome | undefined
  profileId: string | undefined
}
interface Run {
  first: bigint
  where: Where
  normalised: readonly Normalised[]
}

const remembered = 1000
/** Nobody can look at more at once. */
const toldAtOnce = 200

export function createInspector(): Inspector {
  const settled = new Map<bigint, Noted>()
  const runs: Run[] = []
  let inRuns = 0
  const watchers = new Set<(events: Inspected[]) => void>()
  let waiting: Inspected[] = []

  function tellLater(some: readonly Noted[]): void {
    // Told in one piece at the end of the turn.
    if (waiting.length === 0) {
      queueMicrotask(() => {
        const told = waiting.slice(-toldAtOnce)
        waiting = []
        for (const tell of watchers) tell(told)
      })
    }
    waiting.push(...some.map(describe))
  }

  return {
    arrived(first, where, normalised) {
      // A long request would only push itself out of the window.
      const skipped = Math.max(0, normalised.length - remembered)
      const run = {
        first: first + BigInt(skipped),
        where,
        normalised: skipped === 0 ? normalised : normalised.slice(skipped),
      }
      runs.push(run)
      inRuns += run.normalised.length
      for (
        let oldest = runs[0];
        oldest !== undefined && inRuns - oldest.normalised.length >= remembered;
        oldest = runs[0]
      ) {
        inRuns -= oldest.normalised.length
        runs.shift()
      }
      if (watchers.size > 0) tellLater(eventsOf(run).slice(-toldAtOnce))
    },
    settled(position, where, { event, outcome, profileId }) {
      const one = { position, where, event, outcome, profileId }
      settled.delete(position)
      settled.set(position, one)
      if (settled.size > remembered) {
        const [oldest] = settled.keys()
        if (oldest !== undefined) settled.delete(oldest)
      }
      if (watchers.size > 0) tellLater([one])
    },
    recent({ sourceId, limit }) {
      const all = new Map(runs.flatMap(eventsOf).map((one) => [one.position, one]))
      for (const one of settled.values()) all.set(one.position, one)
      return [...all.values()]
        .filter((one) => sourceId === undefined || one.where.sourceId === sourceId)
        .sort((a, b) => (a.position < b.position ? 1 : -1))
        .slice(0, limit)
        .map(describe)
    },
    at(position) {
      const one = settled.get(position)
      return one === undefined ? undefined : describe(one)
    },
    watch(tell) {
      watchers.add(tell)
      return () => watchers.delete(tell)
    },
  }
}

const eventsOf = ({ first, where, normalised }: Run): Noted[] =>
  normalised.map((one, index) => ({
    position: first + BigInt(index),
    where,
    event: 'event' in one ? one.event : undefined,
    outcome: undefined,
    profileId: undefined,
  }))

const sentences: Record<string, string> = {
  ...rejectReasons,
  ...refusedByStep,
  ...quarantineReasons,
  ...deduplicatedReasons,
}
export const becauseOf = (reason: string): string => sentences[reason] ?? ''

export function describe({ position, where, event, outcome, profileId = '' }: Noted): Inspected {
  const iso = (atMs: number | undefined) => (atMs === undefined ? null : isoOf(atMs))
  const reason = outcome !== undefined && 'reason' in outcome ? (outcome.reason ?? '') : ''
  return {
    position: String(position),
    sourceId: where.sourceId,
    outcome: outcome?.kind ?? 'in-flight',
    reason,
    because: becauseOf(reason),
    type: event?.type ?? '',
    name: event?.name ?? '',
    messageId: event?.messageId ?? '',
    userId: event?.userId ?? '',
    anonymousId: event?.anonymousId ?? '',
    profileId,
    receivedAt: isoOf(where.receivedMs),
    originalAt: iso(event?.originalMs),
    sentAt: iso(event?.sentMs),
    time: iso(event?.timeMs),
    clamped: event?.clamped ?? false,
  }
}

/** A client may name an instant that a Date cannot hold. */
const isoOf = (atMs: number) => (Math.abs(atMs) <= 8.64e15 ? new Date(atMs).toISOString() : String(atMs))
