import type { Campaign } from './address.ts'

/** One visit, as this browser saw it. */
export interface Session {
  id: string
  startMs: number
  /** Of the last event. */
  lastMs: number
  /** How many sessions this device has had, with this one. */
  count: number
  /** What it came by; its absence means none. */
  campaign?: Campaign
}

/** A pause that is longer than this ends a session. */
export const idleMs = 30 * 60_000

/**
 * The session that an event at `nowMs` belongs to. A session ends by a pause of more than 30 minutes (exactly 30:00.000 is still the same), or when
 * somebody arrives by another campaign; never at midnight, and not because the clock was set back.
 * @param arrivedBy the campaign in the address, when a page was just opened; undefined otherwise
 */
export function sessionAt(
  before: Session | undefined,
  nowMs: number,
  arrivedBy: Campaign | undefined,
  newId: () => string,
): Session {
  const same =
    before !== undefined &&
    nowMs - before.lastMs <= idleMs &&
    (arrivedBy === undefined || JSON.stringify(arrivedBy) === JSON.stringify(before.campaign))
  if (same) return { ...before, lastMs: nowMs }
  return {
    id: newId(),
    startMs: nowMs,
    lastMs: nowMs,
    count: (before?.count ?? 0) + 1,
    ...(arrivedBy && { campaign: arrivedBy }),
  }
}
