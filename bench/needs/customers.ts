import type { BgNbd, Buying } from '../../lib/value/bg-nbd.ts'
import { seededRandom } from '../../lib/seeded/seeded.ts'

/** A customer drawn from a known model, with what they did after the day on which they were looked at. */
export interface DrawnCustomer extends Buying {
  /** Purchases in the time after. */
  later: number
}

/** Draws customers as the model says that they are: a rate and a chance to be lost of their own, and purchases one after the other. */
export function drawCustomers(model: BgNbd, count: number, age: number, after: number, seed: number): DrawnCustomer[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const rate = gammaDraw(random, model.r) / model.alpha
    const [x, y] = [gammaDraw(random, model.a), gammaDraw(random, model.b)]
    const lost = x / (x + y)
    // They came over the first quarter of the time, so their ages differ.
    const since = age * (0.75 + random() * 0.25)
    let [at, repeats, recency, later] = [0, 0, 0, 0]
    // After the first purchase, too, nobody is lost before the next: the model's customers are lost after a repeat purchase.
    for (;;) {
      at += -Math.log(1 - random()) / rate
      if (at > since + after) break
      if (at <= since) {
        repeats += 1
        recency = at
      } else later += 1
      if (random() < lost) break
    }
    return { repeats, recency, age: since, later }
  })
}

/** A gamma draw of scale 1. Source: Marsaglia and Tsang (2000), “A Simple Method for Generating Gamma Variables”. */
function gammaDraw(random: () => number, shape: number): number {
  if (shape < 1) return gammaDraw(random, shape + 1) * random() ** (1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    const v = (1 + c * normal) ** 3
    if (v > 0 && Math.log(1 - random()) < 0.5 * normal ** 2 + d - d * v + d * Math.log(v)) return d * v
  }
}
