import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock/clock.ts'
import { makeId, type Id } from '../../lib/ids/ids.ts'

/** Randomness behind one door, so that a test can fix it. */
export interface Random {
  bytes(count: number): Uint8Array
}

export const systemRandom: Random = { bytes: (count) => randomBytes(count) }

/** The same bytes for the same seed (xorshift32): for tests and the demo company, never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed | 0 || 1
  return {
    bytes(count) {
      const out = new Uint8Array(count)
      for (let index = 0; index < count; index++) {
        state ^= state << 13
        state ^= state >>> 17
        state ^= state << 5
        out[index] = state & 0xff
      }
      return out
    },
  }
}

/** Makes ids from a clock and randomness. */
export interface Ids {
  next<Kind extends string>(kind: Kind): Id<Kind>
}

export function createIds(clock: Clock, random: Random): Ids {
  return { next: (kind) => makeId(kind, clock.ms(), random.bytes(10)) }
}
