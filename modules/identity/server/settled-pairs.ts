const most = 100_000

/** Pairs that were settled, so that an event which says again what was known needs no second look; those not seen for longest may be forgotten. */
export function createSettledPairs() {
  let earliest = new Map<string, number>()
  let homes = new Map<number, number>()
  return {
    /** Whether a pair was settled with an event as early as this. */
    has: (key: string, atMs: number) => (earliest.get(key) ?? Number.POSITIVE_INFINITY) <= atMs,
    add(key: string, atMs: number): void {
      const known = earliest.get(key) ?? atMs
      earliest.delete(key)
      if (earliest.size >= most) earliest = new Map()
      earliest.set(key, Math.min(known, atMs))
    },
    /** Only an event as early as this could say that what is shared stays with somebody else; for ever, when that is forgotten. */
    homeSince: (no: number) => homes.get(no) ?? Number.POSITIVE_INFINITY,
    setHome(no: number, ms: number): void {
      if (homes.size >= most) homes = new Map()
      homes.set(no, ms)
    },
    clear(): void {
      homes.clear()
      earliest.clear()
    },
  }
}
export type SettledPairs = ReturnType<typeof createSettledPairs>
