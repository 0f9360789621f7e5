import { sessionMs } from './turns.ts'

const mostDevices = 50_000

/** Who used which device last. Bounded: the devices that were quiet longest are forgotten, and asked of the store when they come again. */
export interface LastUsers {
  /** @returns whether that changes nothing of what was said of this device before: nobody is known to have used it later, nor did anything on it without a name */
  used(device: number, user: number, atMs: number): boolean
  /** An event without a name was given to whoever `userAt` said. */
  gave(device: number, atMs: number): void
  knows(device: number): boolean
  /** Whose session an instant is in; undefined outside of anybody's; `somebody later` when the last use that is known is after it. */
  userAt(device: number, atMs: number): number | 'somebody later' | undefined
  clear(): void
}

interface Last {
  user: number
  atMs: number
  /** The latest event without a name that was given to somebody. */
  givenMs: number
}

/** Nobody used any device yet. */
export function createLastUsers(): LastUsers {
  const last = new Map<number, Last>()
  return {
    used(device, user, atMs) {
      const known = last.get(device)
      if (known !== undefined && known.atMs > atMs) return false
      last.delete(device)
      last.set(device, { user, atMs, givenMs: known?.givenMs ?? 0 })
      if (last.size > mostDevices)
        for (const oldest of last.keys()) {
          last.delete(oldest)
          break
        }
      return known !== undefined && known.givenMs <= atMs
    },
    gave(device, atMs) {
      const known = last.get(device)
      if (known !== undefined) known.givenMs = Math.max(known.givenMs, atMs)
    },
    knows: (device) => last.has(device),
    userAt(device, atMs) {
      const known = last.get(device)
      if (known === undefined) return undefined
      if (known.atMs > atMs) return 'somebody later'
      return atMs - known.atMs < sessionMs ? known.user : undefined
    },
    clear: () => {
      last.clear()
    },
  }
}
