/** Repeatable chance for the demo company: the same seed gives the same company. Never for secrets or for assignment to experiments. */
export interface Dice {
  /** Uniform in [0, 1). */
  chance(): number
  /** True with this probability. */
  is(probability: number): boolean
  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number
  pick<T>(from: readonly T[]): T
  /** Picks by weight; the weights need not sum to one. */
  weighted<T>(from: readonly (readonly [T, number])[]): T
  /** Log-normal with this median; `spread` is sigma of the logarithm. */
  lognormal(median: number, spread: number): number
  /** Standard normal (Box–Muller). */
  normal(): number
  /** Dice of their own for one purpose, so that adding a purpose does not move all the others. */
  fork(purpose: string): Dice
}

/** mulberry32 (public domain, T. Ettinger): 32 bits of state, passes what a demo needs. */
export function dice(seed: number): Dice {
  let state = seed >>> 0
  const chance = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const normal = () => Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance())
  return {
    chance,
    is: (probability) => chance() < probability,
    whole: (from, to) => from + Math.floor(chance() * (to - from + 1)),
    pick(from) {
      const chosen = from[Math.floor(chance() * from.length)]
      if (chosen === undefined) throw new Error('nothing to pick from')
      return chosen
    },
    weighted(from) {
      let rest = chance() * from.reduce((sum, [, weight]) => sum + weight, 0)
      for (const [value, weight] of from) {
        rest -= weight
        if (rest < 0) return value
      }
      const last = from.at(-1)
      if (last === undefined) throw new Error('nothing to pick from')
      return last[0]
    },
    lognormal: (median, spread) => median * Math.exp(spread * normal()),
    normal,
    fork(purpose) {
      let hash = seed ^ 0x9e3779b9
      for (const letter of purpose) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193)
      return dice(hash >>> 0)
    },
  }
}
