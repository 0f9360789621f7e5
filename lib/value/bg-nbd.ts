import { hypergeometric, least, logBeta, logGamma } from './special.ts'

/** What a customer did, in one unit of time throughout (weeks, say). */
export interface Buying {
  /** Purchases after the first. */
  repeats: number
  /** From the first purchase to the last; 0 where there was but one. */
  recency: number
  /** From the first purchase to now. */
  age: number
}

/**
 * The model of buying with dropout: while alive, each customer buys at a rate of their own, which over all customers is gamma (r, α); after each purchase they may
 * be lost, with a probability of their own that is beta (a, b) over all.
 * Source: Fader, Hardie and Lee (2005), “‘Counting Your Customers’ the Easy Way: An Alternative to the Pareto/NBD Model”, Marketing Science 24(2).
 */
export interface BgNbd {
  r: number
  alpha: number
  a: number
  b: number
}

/** The logarithm of how probable a customer's buying is (equation 6, as in their note on computing it). */
function logLikelihood({ r, alpha, a, b }: BgNbd, { repeats: x, recency, age }: Buying): number {
  const one = logGamma(r + x) - logGamma(r) + r * Math.log(alpha)
  const two = logBeta(a, b + x) - logBeta(a, b)
  const alive = -(r + x) * Math.log(alpha + age)
  if (x === 0) return one + two + alive
  const lost = Math.log(a) - Math.log(b + x - 1) - (r + x) * Math.log(alpha + recency)
  const most = Math.max(alive, lost)
  return one + two + most + Math.log(Math.exp(alive - most) + Math.exp(lost - most))
}

/**
 * Fits the model by maximum likelihood. Customers who did the same count once, with their number, so that a million are fitted like a few thousand.
 * @returns undefined where nobody ever bought again: there is nothing to learn from
 */
export function fitBgNbd(customers: readonly Buying[]): BgNbd | undefined {
  if (!customers.some(({ repeats }) => repeats > 0)) return undefined
  const same = new Map<string, { one: Buying; times: number }>()
  for (const one of customers) {
    const key = `${String(one.repeats)} ${one.recency.toFixed(2)} ${one.age.toFixed(2)}`
    const known = same.get(key)
    if (known === undefined) same.set(key, { one, times: 1 })
    else known.times += 1
  }
  const all = [...same.values()]
  const scale = all.reduce((sum, { one, times }) => sum + one.age * times, 0) / customers.length
  const modelOf = (at: readonly number[]): BgNbd => ({
    r: Math.exp(at[0] ?? 0),
    alpha: Math.exp(at[1] ?? 0) * scale,
    a: Math.exp(at[2] ?? 0),
    b: Math.exp(at[3] ?? 0),
  })
  const { at } = least(
    (at) => {
      const model = modelOf(at)
      const sum = all.reduce((loss, { one, times }) => loss - times * logLikelihood(model, one), 0)
      // Without a limit the parameters run away where customers hardly differ; so far out they change nothing.
      return Number.isFinite(sum) && at.every((value) => Math.abs(value) < 12) ? sum / customers.length : 1e12
    },
    [-1, -1.5, -0.5, 0.5],
  )
  return modelOf(at)
}

/** Whether a customer is still one (equation from Fader, Hardie and Lee, 2008, “Computing P(alive) Using the BG/NBD Model”); 1 for who bought but once. */
export function probabilityAlive({ r, alpha, a, b }: BgNbd, { repeats: x, recency, age }: Buying): number {
  if (x === 0) return 1
  return 1 / (1 + (a / (b + x - 1)) * ((alpha + age) / (alpha + recency)) ** (r + x))
}

/** Purchases that are expected of a customer in the time to come (equation 10). */
export function expectedPurchases(model: BgNbd, buying: Buying, time: number): number {
  const { r, alpha, a, b } = model
  const { repeats: x, age } = buying
  const z = time / (alpha + age + time)
  const inside = 1 - ((alpha + age) / (alpha + age + time)) ** (r + x) * hypergeometric(r + x, b + x, a + b + x - 1, z)
  return ((a + b + x - 1) / (a - 1)) * inside * probabilityAlive(model, buying)
}

/**
 * The probability that a customer buys at least once in the time to come: they are still one, and the next purchase comes in time. Given that they are one, their
 * rate is gamma (r + x, α + age), so the wait has the tail of a Pareto distribution (the paper's section 3). What is left to 1 is the risk of losing them.
 */
export function probabilityOfBuying(model: BgNbd, buying: Buying, time: number): number {
  const { r, alpha } = model
  const from = alpha + buying.age
  return probabilityAlive(model, buying) * (1 - (from / (from + time)) ** (r + buying.repeats))
}
