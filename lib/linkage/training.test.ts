import { describe, expect, it } from 'vitest'
import { seededRandom } from '../seeded/seeded.ts'
import { priorWeight, probabilityOf, weightOf, type Pattern } from './model.ts'
import { train, type Chance } from './training.ts'

/** Pairs drawn from a known model: levels 0 (nothing said), 1 (differs), 2 (alike), 3 (the same). */
function drawn(
  pairs: number,
  matches: number,
  m: readonly number[][],
  u: readonly number[][],
  random: () => number,
): Pattern[] {
  const counts = new Map<string, Pattern>()
  for (let at = 0; at < pairs; at++) {
    const shares = at < matches ? m : u
    const levels = shares.map((field) => {
      if (random() < 0.1) return 0
      let left = random()
      let level = 0
      while (level < field.length - 1 && left >= 0) left -= field[(level += 1)] ?? 0
      return level
    })
    const key = levels.join(' ')
    const pattern = counts.get(key) ?? { levels, pairs: 0 }
    pattern.pairs += 1
    counts.set(key, pattern)
  }
  return [...counts.values()]
}

const m = [
  [0, 0.1, 0.2, 0.7],
  [0, 0.05, 0.15, 0.8],
  [0, 0.2, 0.1, 0.7],
  [0, 0.3, 0.1, 0.6],
]
const u = [
  [0, 0.95, 0.03, 0.02],
  [0, 0.97, 0.02, 0.01],
  [0, 0.98, 0.01, 0.01],
  [0, 0.9, 0.05, 0.05],
]
/** As random pairs show it: one in 25 of them is a match. */
const chances: Chance[] = u.map((shares, at) => ({
  u: shares.map((share, level) => share * 0.96 + (m[at]?.[level] ?? 0) * 0.04),
  beside: [],
}))

describe('training without labels', () => {
  it('finds the shares that the pairs were drawn from, and how many of them match', () => {
    const patterns = drawn(200_000, 8_000, m, u, seededRandom(3))
    const model = train(chances, [{ patterns, blocked: new Set() }], patterns, 200_000)
    for (const [at, field] of model.fields.entries())
      for (const level of [1, 2, 3])
        expect(field.m[level], `field ${String(at)} level ${String(level)}`).toBeCloseTo(m[at]?.[level] ?? 0, 1)
    expect(model.prior * 200_000).toBeGreaterThan(7_400)
    expect(model.prior * 200_000).toBeLessThan(8_600)
    expect(model.untrained).toEqual([])
  })

  it('learns nothing of a field from pairs that were chosen because they agree on it', () => {
    const patterns = drawn(100_000, 4_000, m, u, seededRandom(5)).filter(({ levels }) => levels[0] === 3)
    const blocks = [{ patterns, blocked: new Set([0]) }]
    expect(train(chances, blocks, patterns, 1_000_000).untrained).toEqual([0])
  })

  it('weighs a level against how often it comes by chance, and nothing said as nothing', () => {
    const patterns = drawn(200_000, 8_000, m, u, seededRandom(3))
    const { fields } = train(chances, [{ patterns, blocked: new Set() }], patterns, 200_000)
    expect(weightOf(fields, 0, [3, 0, 0, 0])).toBeCloseTo(Math.log2(0.7 / 0.02), 0)
    expect(weightOf(fields, 0, [1, 0, 0, 0])).toBeLessThan(-2)
    expect(weightOf(fields, 0, [0, 3, 3, 3])).toBe(0)
  })

  it('lets a field say little beside one that makes it agree anyway', () => {
    const patterns = drawn(200_000, 8_000, m, u, seededRandom(3))
    const beside = [{ field: 0, shares: [0, 0.1, 0.05, 0.85] }]
    const known = u.map((shares, at): Chance => ({ u: shares, beside: at === 1 ? beside : [] }))
    // One in fifty agrees on the first field by chance: far more than there are matches.
    const { fields } = train(known, [{ patterns, blocked: new Set() }], patterns, 1_000_000_000)
    expect(weightOf(fields, 1, [0, 3, 0, 0])).toBeGreaterThan(5)
    expect(weightOf(fields, 1, [3, 3, 0, 0])).toBeLessThan(1)
  })

  it('turns bits into probabilities', () => {
    expect(probabilityOf(0)).toBe(0.5)
    expect(probabilityOf(priorWeight(0.001))).toBeCloseTo(0.001, 10)
  })
})
