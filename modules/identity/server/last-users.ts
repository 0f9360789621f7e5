import type { Node } from './graph.ts'

/** A browser that two people use: an event without a user id belongs to whoever used it last, within this time. */
const sessionMs = 30 * 60_000
const mostDevices = 50_000

/** Who used which device last. Bounded: the devices that were quiet longest are forgotten, and asked of the store when they come again. */
export interface LastUsers {
  /** @param user the node of the user id: whatever its profile becomes part of, it says so */
  used(deviceId: string, user: Node, atMs: number): void
  knows(deviceId: string): boolean
  /** The profile that an event at this time belongs to; undefined outside of anybody's session. */
  profileAt(deviceId: string, atMs: number): string | undefined
  clear(): void
}

/** Nobody used any device yet. */
export function createLastUsers(): LastUsers {
  const last = new Map<string, { user: Node; atMs: number }>()
  return {
    used(deviceId, user, atMs) {
      const known = last.get(deviceId)
      if (known !== undefined && known.atMs > atMs) return
      last.delete(deviceId)
      last.set(deviceId, { user, atMs })
      if (last.size <= mostDevices) return
      for (const oldest of last.keys()) {
        last.delete(oldest)
        break
      }
    },
    knows: (deviceId) => last.has(deviceId),
    profileAt(deviceId, atMs) {
      const known = last.get(deviceId)
      return known !== undefined && Math.abs(atMs - known.atMs) < sessionMs ? known.user.profile : undefined
    },
    clear: () => {
      last.clear()
    },
  }
}
