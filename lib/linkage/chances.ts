import type { Column, Columns } from './columns.ts'
import { highestOf } from './kinds.ts'
import type { Pattern } from './model.ts'
import type { Chance } from './training.ts'

const leastShare = 1e-7
/** A level that no random pair shows is not impossible. */
const pseudoPairs = 0.3

/**
 * How often fields agree by chance. That two say the same is known exactly, from how frequent each value is; how often they are alike is seen in random pairs.
 * @param random patterns of random pairs
 * @param beside by field, patterns of random pairs that say the same there
 */
export function learnChances(
  { columns }: Columns,
  random: readonly Pattern[],
  beside: readonly (readonly Pattern[])[],
): Chance[] {
  return columns.map((column, at) => {
    const counts = countsOf(column, at, random)
    const others = counts.slice(1, -1).map((count) => count + pseudoPairs)
    const sum = others.reduce((one, other) => one + other, 0)
    const exact = sameByChance(column)
    return {
      u: [0, ...others.map((count) => Math.max((count / sum) * (1 - exact), leastShare)), exact],
      beside: beside.flatMap((patterns, field) => {
        const seen = countsOf(column, at, patterns)
        const all = seen.reduce((one, other) => one + other, 0)
        return field === at || all === 0 ? [] : [{ field, shares: seen.map((count) => count / all) }]
      }),
    }
  })
}

/** Pairs by level of one field, those that say nothing left out. */
function countsOf({ kind }: Column, at: number, patterns: readonly Pattern[]): number[] {
  const counts = Array.from({ length: highestOf(kind) + 1 }, () => 0)
  for (const { levels, pairs } of patterns) counts[levels[at] ?? 0] = (counts[levels[at] ?? 0] ?? 0) + pairs
  counts[0] = 0
  return counts
}

function sameByChance({ counts }: Column): number {
  let [all, pairs] = [0, 0]
  for (let code = 1; code < counts.length; code++) {
    const count = counts[code] ?? 0
    all += count
    pairs += count * (count - 1)
  }
  return Math.max(leastShare, all < 2 ? 0 : pairs / (all * (all - 1)))
}
