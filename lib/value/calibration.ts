/** How well probabilities keep what they promise. */
export interface Calibration {
  /** Mean squared error; less is better. Source: Brier (1950). */
  brier: number
  /** The same for saying the share of all to each: what knowing nothing of anybody would give. */
  brierOfShare: number
  /** Mean distance between what was said and what came, over the bins, each by its size (expected calibration error). */
  error: number
  /** The reliability curve: what was said on average, and what came. */
  bins: { count: number; said: number; came: number }[]
}

/** @param said probabilities @param came whether it came, 1 or 0, by the same place @param bins of about the same number of cases */
export function calibrationOf(said: readonly number[], came: readonly number[], bins = 10): Calibration {
  const order = [...said.keys()].sort((one, other) => (said[one] ?? 0) - (said[other] ?? 0))
  const mean = (places: readonly number[], of: readonly number[]) =>
    places.reduce((sum, at) => sum + (of[at] ?? 0), 0) / Math.max(1, places.length)
  const share = mean(order, came)
  const square = (probability: (at: number) => number) =>
    order.reduce((sum, at) => sum + (probability(at) - (came[at] ?? 0)) ** 2, 0) / Math.max(1, order.length)
  const found = Array.from({ length: bins }, (_, bin) => {
    const places = order.slice(Math.floor((bin * order.length) / bins), Math.floor(((bin + 1) * order.length) / bins))
    return { count: places.length, said: mean(places, said), came: mean(places, came) }
  }).filter(({ count }) => count > 0)
  return {
    brier: square((at) => said[at] ?? 0),
    brierOfShare: square(() => share),
    error: found.reduce((sum, one) => sum + (one.count / order.length) * Math.abs(one.said - one.came), 0),
    bins: found,
  }
}
