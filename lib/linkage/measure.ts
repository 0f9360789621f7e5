/** How well clusters agree with the truth, over all pairs of records. */
export interface Quality {
  /** Of the pairs that were put together, the share that are one. 1 when none were. */
  precision: number
  /** Of the pairs that are one, the share that were put together. 1 when there are none. */
  recall: number
  /** The harmonic mean of both. */
  f1: number
  /** Pairs that are one, and pairs that were put together. */
  truePairs: number
  foundPairs: number
  largest: number
}

const pairsOf = (counts: Iterable<number>): number => {
  let sum = 0
  for (const count of counts) sum += (count * (count - 1)) / 2
  return sum
}

/** @param found for each record its cluster @param truth for each record its entity */
export function qualityOf(found: ArrayLike<number>, truth: readonly string[]): Quality {
  const clusters = new Map<number, number>()
  const entities = new Map<string, number>()
  const both = new Map<string, number>()
  for (const [at, entity] of truth.entries()) {
    const one = found[at] ?? at
    const together = `${String(one)} ${entity}`
    clusters.set(one, (clusters.get(one) ?? 0) + 1)
    entities.set(entity, (entities.get(entity) ?? 0) + 1)
    both.set(together, (both.get(together) ?? 0) + 1)
  }
  const [right, foundPairs, truePairs] = [both, clusters, entities].map((counts) => pairsOf(counts.values())) as [
    number,
    number,
    number,
  ]
  let largest = 0
  for (const count of clusters.values()) largest = Math.max(largest, count)
  return {
    precision: foundPairs === 0 ? 1 : right / foundPairs,
    recall: truePairs === 0 ? 1 : right / truePairs,
    f1: foundPairs + truePairs === 0 ? 1 : (2 * right) / (foundPairs + truePairs),
    truePairs,
    foundPairs,
    largest,
  }
}
