import { sessionMs } from './turns.ts'

const mostDevices = 50_000

/** Who used which device last. Bounded: the devices that were quiet longest are forgotten, and asked of the store when they come again. */
export interface LastUsers {
  /** @returns false when somebody is known to have used it later */
  used(device: number, user: number, atMs: number): boolean
  knows(device: number): boolean
  /** Whose session an instant is in; undefined outside of anybody's; `somebody later` when the last use that is known is after it. */
  userAt(device: number, atMs: number): number | 'somebody later' | undefined
  clear(): void
}

/** Nobody used any device yet. */
export function createLastUsers(): LastUsers {
  const last = new Map<number, { user: number; atMs: number }>()
  return {
    used(device, user, atMs) {
      const known = last.get(device)
      if (known !== undefined && known.atMs > atMs) return false
      last.delete(device)
      last.set(device, { user, atMs })
      if (last.size <= mostDevices) return true
      for (const oldest of last.keys()) {
        last.delete(oldest)
        break
      }
      return true
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
