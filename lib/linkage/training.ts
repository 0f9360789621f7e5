import { uOf, weightOf, type FieldModel, type Given, type Model, type Pattern } from './model.ts'

/** Candidate pairs that were chosen because they agree on some fields, so that they say nothing about those. */
export interface TrainingBlock {
  patterns: readonly Pattern[]
  /** Fields by place. */
  blocked: ReadonlySet<number>
}

/** What random pairs show of a field. A few of them are matches, which training takes out. */
export interface Chance {
  /** Shares by level. */
  u: number[]
  /** Of pairs that say the same in the field of that place, shares by level of this one. */
  beside: { field: number; shares: number[] }[]
}

type Corrected = Pick<FieldModel, 'u' | 'given'>

export interface Trained extends Model {
  /** Fields, by place, of which no block could say how often they agree among matches. They must not be scored. */
  untrained: number[]
}

const mostRounds = 60
/** Shares that move less are found. */
const still = 1e-5
/** Added to what was seen of each level, in pairs: a level that was never seen among matches is rare, not impossible. */
const pseudoPairs = 0.5
/** No level is rarer than this: a million pairs do not show what one in ten million does. */
const leastShare = 1e-7
/** A field is given another when beside it some level is so frequent, and so many times more frequent than alone. */
const givenAt = { share: 0.003, times: 3 }
/** Training again with the matches taken out of u moves nothing after so many times. */
const corrections = 3

/**
 * Finds m and the prior by expectation and maximisation with u held fixed, on counts of agreement patterns (hundreds of rows, however many pairs): once for
 * each block without the fields that it was made of, then the mean over the blocks by their expected matches. Random pairs are not all of two entities; the
 * matches that are expected among them are taken out of u, and all is trained again.
 * Sources: Winkler (1988), “Using the EM Algorithm for Weight Computation in the Fellegi-Sunter Model of Record Linkage”; Enamorado, Fifield and Imai (2019),
 * “Using a Probabilistic Model to Assist Merging of Large-Scale Administrative Records”, section 2; training by blocks is the scheme of Splink.
 * @param blocks each whole: without the pairs of other blocks, the fields of those would seem to disagree
 * @param candidates patterns of all candidate pairs, each pair once, for the prior
 * @param pairsInAll n (n − 1) / 2, of which the candidates were chosen
 */
export function train(
  chances: readonly Chance[],
  blocks: readonly TrainingBlock[],
  candidates: readonly Pattern[],
  pairsInAll: number,
): Trained {
  let model = trainOnce(
    chances.map(({ u }) => ({ u, given: [] })),
    blocks,
    candidates,
    pairsInAll,
  )
  for (let round = 0; round < corrections; round++)
    model = trainOnce(withoutMatches(chances, model), blocks, candidates, pairsInAll)
  return model
}

function trainOnce(
  chances: readonly Corrected[],
  blocks: readonly TrainingBlock[],
  candidates: readonly Pattern[],
  pairsInAll: number,
): Trained {
  const sums = chances.map(({ u }) => ({ m: u.map(() => 0), matches: 0 }))
  for (const { patterns, blocked } of blocks) {
    const seen = expectAndMaximise(chances, patterns, blocked)
    if (seen.matches < 1) continue
    for (const [at, sum] of sums.entries()) {
      if (blocked.has(at)) continue
      sum.matches += seen.matches
      seen.m[at]?.forEach((share, level) => (sum.m[level] = (sum.m[level] ?? 0) + share * seen.matches))
    }
  }
  const untrained = [...sums.keys()].filter((at) => sums[at]?.matches === 0)
  const fields: FieldModel[] = chances.map(({ u, given }, at) => {
    const { m = [], matches = 0 } = sums[at] ?? {}
    return { m: matches === 0 ? [...u] : m.map((share) => share / matches), u: [...u], given: [...given] }
  })
  return { prior: priorOf(fields, candidates, pairsInAll), fields, untrained }
}

function expectAndMaximise(
  chances: readonly Corrected[],
  patterns: readonly Pattern[],
  blocked: ReadonlySet<number>,
): { m: number[][]; matches: number } {
  const total = patterns.reduce((sum, { pairs }) => sum + pairs, 0)
  if (total === 0) return { m: [], matches: 0 }
  const open = [...chances.keys()].filter((at) => !blocked.has(at))
  // The same in every round: how probable a pattern is among records of two.
  const forTwo = patterns.map(({ levels }) =>
    open.reduce((product, at) => product * (levels[at] === 0 ? 1 : uOf(chances, at, levels)), 1),
  )
  let m = chances.map(({ u }) => atFirst(u.length))
  let share = 0.2
  for (let round = 0; round < mostRounds; round++) {
    const seen = chances.map(({ u }) => u.map((_, level): number => (level === 0 ? 0 : pseudoPairs)))
    let expected = 0
    for (const [at, { levels, pairs }] of patterns.entries()) {
      let one = share
      for (const field of open) if (levels[field] !== 0) one *= m[field]?.[levels[field] ?? 0] ?? 0
      const two = (1 - share) * (forTwo[at] ?? 0)
      const matches = (one === 0 ? 0 : one / (one + two)) * pairs
      expected += matches
      for (const field of open) {
        const level = levels[field] ?? 0
        const row = seen[field]
        if (level !== 0 && row !== undefined) row[level] = (row[level] ?? 0) + matches
      }
    }
    const next = seen.map((row) => {
      const sum = row.reduce((one, other) => one + other, 0)
      return row.map((count, level) => (level === 0 ? 0 : Math.max(count / sum, leastShare)))
    })
    const moved = Math.max(
      Math.abs(expected / total - share),
      ...open.flatMap((at) => next[at]?.map((one, level) => Math.abs(one - (m[at]?.[level] ?? 0))) ?? []),
    )
    m = next
    share = Math.min(0.999, Math.max(1e-9, expected / total))
    if (moved < still) break
  }
  return { m, matches: share * total }
}

/** Before anything is known: records of one entity mostly say the same. */
function atFirst(levels: number): number[] {
  const between = Math.max(1, levels - 2)
  return Array.from({ length: levels }, (_, level) => (level === 0 ? 0 : level === levels - 1 ? 0.8 : 0.2 / between))
}

/** The share of all pairs that are expected to match, all of them among the candidates; each estimate is the prior of the next. */
function priorOf(fields: readonly FieldModel[], candidates: readonly Pattern[], pairsInAll: number): number {
  const odds = candidates.map(({ levels }) => 2 ** fields.reduce((sum, _, at) => sum + weightOf(fields, at, levels), 0))
  let prior = 1e-4
  for (let round = 0; round < mostRounds; round++) {
    const before = prior / (1 - prior)
    const matches = candidates.reduce((sum, { pairs }, at) => {
      const after = before * (odds[at] ?? 0)
      return sum + (after / (1 + after)) * pairs
    }, 0)
    const next = Math.min(0.5, Math.max(1 / (pairsInAll + 2), matches / pairsInAll))
    const moved = Math.abs(next / prior - 1)
    prior = next
    if (moved < still) break
  }
  return prior
}

/** The same of pairs of two entities alone. */
function withoutMatches(chances: readonly Chance[], { fields, prior }: Model): Corrected[] {
  const top = (levels: readonly number[] | undefined) => levels?.at(-1) ?? 0
  const us = chances.map(({ u }, at) => {
    const left = u.map((share, level) =>
      // Never all of it: the estimate of what is taken out is rough where it is nearly everything.
      level === 0 ? 0 : Math.max((share - prior * (fields[at]?.m[level] ?? 0)) / (1 - prior), share * 0.02, leastShare),
    )
    const sum = left.reduce((one, other) => one + other, 0)
    return left.map((share) => share / sum)
  })
  return chances.map(({ beside }, at) => {
    const u = us[at] ?? []
    const m = fields[at]?.m ?? []
    const given = beside.flatMap(({ field, shares }): Given[] => {
      // Of the pairs that agree there, the share that are matches.
      const matches = (prior * top(fields[field]?.m)) / top(chances[field]?.u)
      // Where half of them are matches already, what is left is a guess.
      if (matches > 0.5) return []
      const left = shares.map((share, level) => {
        const ofMatches = matches * (m[level] ?? 0)
        // How many matches there are is an estimate: what is left counts only where it is more than what was taken out.
        return share < 2 * ofMatches ? 0 : (share - ofMatches) / (1 - matches)
      })
      const matters = left.some(
        (share, level) => level >= 2 && share >= givenAt.share && share >= givenAt.times * (u[level] ?? 1),
      )
      return matters ? [{ field, u: left.map((share) => Math.min(0.98, share)) }] : []
    })
    return { u, given }
  })
}
