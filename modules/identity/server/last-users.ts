/** A browser that two people use: an event without a user id belongs to whoever used it last, within this time. */
export const sessionMs = 30 * 60_000

const mostDevices = 50_000

/** Who used which device last, to say at once whose an event without a name is. Bounded: of the devices that were quiet longest nothing is known any more. */
export interface LastUsers {
  /** @returns whether that changes nothing of what was said of this device before: nobody is known to have used it later, nor was anything done on it later without a name */
  used(device: number, user: number, atMs: number): boolean
  /** Something was done on it without a name. */
  unnamed(device: number, atMs: number): void
  /** What all of its events say: the last use, if there was any, and when something was done last without a name. */
  learn(device: number, last: { user: number; atMs: number } | undefined, unnamedMs: number): void
  /** Whose session an instant is in; undefined outside of anybody's; `unknown` when only all events of the device can say it. */
  userAt(device: number, atMs: number): number | 'unknown' | undefined
  clear(): void
}

interface Last {
  /** 0: nobody. */
  user: number
  atMs: number
  unnamedMs: number
}

/** Nobody used any device yet. */
export function createLastUsers(): LastUsers {
  const last = new Map<number, Last>()
  function put(device: number, now: Last): void {
    last.delete(device)
    last.set(device, now)
    if (last.size <= mostDevices) return
    for (const oldest of last.keys()) {
      last.delete(oldest)
      return
    }
  }
  return {
    used(device, user, atMs) {
      const known = last.get(device)
      if (known !== undefined && known.atMs > atMs) return false
      put(device, { user, atMs, unnamedMs: known?.unnamedMs ?? 0 })
      return known !== undefined && known.unnamedMs <= atMs
    },
    unnamed(device, atMs) {
      const known = last.get(device)
      if (known !== undefined) known.unnamedMs = Math.max(known.unnamedMs, atMs)
    },
    learn(device, use, unnamedMs) {
      const known = last.get(device)
      const now = use ?? { user: 0, atMs: 0 }
      const later = known !== undefined && known.atMs > now.atMs ? known : now
      put(device, { user: later.user, atMs: later.atMs, unnamedMs: Math.max(unnamedMs, known?.unnamedMs ?? 0) })
    },
    userAt(device, atMs) {
      const known = last.get(device)
      if (known === undefined || known.atMs > atMs) return 'unknown'
      return known.user !== 0 && atMs - known.atMs < sessionMs ? known.user : undefined
    },
    clear: () => {
      last.clear()
    },
  }
}
