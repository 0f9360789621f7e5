import { hash } from 'node:crypto'
import type { Frequency } from '../contract.ts'
import { personOf, type OutEvent } from './outgoing.ts'

/** An event in the window of a destination. `letter`: it is a dead letter that is tried again. */
export interface Slot {
  event: OutEvent
  done: boolean
  letter?: string
}

/** Where one journal stands: what was read of it and has no end yet, in order. */
export interface Track {
  journalId: string
  /** The next position to read. */
  from: number
  slots: Slot[]
  /** What was written down last. */
  committed: number
}

/** Everything of a journal before this has an end. Lets go of what has one. */
export function advance(track: Track): number {
  const open = track.slots.findIndex((slot) => !slot.done)
  if (open === -1) track.slots = []
  else if (open > 0) track.slots.splice(0, open)
  return track.slots[0]?.event.position ?? track.from
}

/** The lane of a person: always the same, so that their events go one after the other. */
export function laneOf(event: OutEvent, lanes: number): number {
  return lanes === 1 ? 0 : hash('sha256', personOf(event), 'buffer').readUInt32BE(0) % lanes
}

const periodMs: Record<Exclude<Frequency, 'at_once'>, number> = { hourly: 3_600_000, daily: 86_400_000 }
const batchBytes = 4 * 1024 * 1024

/**
 * What a lane delivers next: of the head of its queue, as many as one delivery takes, all of one hour or day when it is delivered by the hour or day,
 * and that only after its end. @returns how many to take, or how long to wait
 */
export function nextOf(
  queue: readonly Slot[],
  frequency: Frequency,
  most: number,
  nowMs: number,
): { take: number } | { waitMs: number } {
  const [first] = queue
  if (first === undefined) return { take: 0 }
  const long = frequency === 'at_once' ? undefined : periodMs[frequency]
  const periodOf = (slot: Slot) => (long === undefined ? 0 : Math.floor(slot.event.receivedMs / long))
  const period = periodOf(first)
  if (long !== undefined && first.letter === undefined) {
    const ends = (period + 1) * long
    if (ends > nowMs) return { waitMs: ends - nowMs }
  }
  let take = 0
  let bytes = 0
  for (const slot of queue) {
    // Dead letters go by themselves: their end is written elsewhere. And no file holds events of two journals, whose positions mean different things.
    const other =
      periodOf(slot) !== period ||
      (slot.letter === undefined) !== (first.letter === undefined) ||
      slot.event.journalId !== first.event.journalId
    bytes += slot.event.bytes
    if (take > 0 && (take >= most || other || bytes > batchBytes)) break
    take += 1
  }
  return { take }
}
