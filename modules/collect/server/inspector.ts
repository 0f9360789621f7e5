import { quarantineReasons, rejectReasons, type Inspected, type Outcome, type TrackedEvent } from '../contract.ts'
import type { Envelope, Normalised } from './normalise.ts'

/** The last events in memory, and who is watching. */
export interface Inspector {
  arrived(position: bigint, envelope: Pick<Envelope, 'sourceId' | 'receivedMs'>, normalised: Normalised): void
  settled(
    position: bigint,
    envelope: Pick<Envelope, 'sourceId' | 'receivedMs'>,
    known: { event: TrackedEvent | undefined; outcome: Outcome; profileId: string | undefined },
  ): void
  recent(filter: { sourceId?: string | undefined; limit: number }): Inspected[]
  /** Calls `tell` for every change until the returned function is called. */
  watch(tell: (events: Inspected[]) => void): () => void
}

const remembered = 1000

export function createInspector(): Inspector {
  const events = new Map<string, Inspected>()
  const watchers = new Set<(events: Inspected[]) => void>()
  let waiting: Inspected[] = []

  function put(one: Inspected): void {
    events.delete(one.position)
    events.set(one.position, one)
    if (events.size > remembered) {
      const [oldest] = events.keys()
      if (oldest !== undefined) events.delete(oldest)
    }
    if (watchers.size === 0) return
    // Told in one piece at the end of the turn, and never more than anyone can look at.
    if (waiting.length === 0) {
      queueMicrotask(() => {
        const told = waiting.slice(-200)
        waiting = []
        for (const tell of watchers) tell(told)
      })
    }
    waiting.push(one)
  }

  return {
    arrived(position, envelope, normalised) {
      const event = 'event' in normalised ? normalised.event : undefined
      put(describe(position, envelope, event, { outcome: 'in-flight', reason: '', because: '', profileId: '' }))
    },
    settled(position, envelope, { event, outcome, profileId = '' }) {
      const reason = 'reason' in outcome ? outcome.reason : ''
      put(describe(position, envelope, event, { outcome: outcome.kind, reason, because: becauseOf(reason), profileId }))
    },
    recent({ sourceId, limit }) {
      const all = [...events.values()].filter((one) => sourceId === undefined || one.sourceId === sourceId)
      return all.sort((a, b) => (BigInt(a.position) < BigInt(b.position) ? 1 : -1)).slice(0, limit)
    },
    watch(tell) {
      watchers.add(tell)
      return () => watchers.delete(tell)
    },
  }
}

const sentences: Record<string, string> = { ...rejectReasons, ...quarantineReasons }
export const becauseOf = (reason: string): string => sentences[reason] ?? ''

function describe(
  position: bigint,
  envelope: Pick<Envelope, 'sourceId' | 'receivedMs'>,
  event: TrackedEvent | undefined,
  rest: Pick<Inspected, 'outcome' | 'reason' | 'because' | 'profileId'>,
): Inspected {
  const iso = (atMs: number | undefined) => (atMs === undefined ? null : isoOf(atMs))
  return {
    position: String(position),
    sourceId: envelope.sourceId,
    type: event?.type ?? '',
    name: event?.name ?? '',
    messageId: event?.messageId ?? '',
    userId: event?.userId ?? '',
    anonymousId: event?.anonymousId ?? '',
    receivedAt: isoOf(envelope.receivedMs),
    originalAt: iso(event?.originalMs),
    sentAt: iso(event?.sentMs),
    time: iso(event?.timeMs),
    clamped: event?.clamped ?? false,
    ...rest,
  }
}

/** A client may name an instant that a Date cannot hold. */
const isoOf = (atMs: number) => (Math.abs(atMs) <= 8.64e15 ? new Date(atMs).toISOString() : String(atMs))
