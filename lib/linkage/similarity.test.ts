import { describe, expect, it } from 'vitest'
import { seededRandom } from '../seeded/seeded.ts'
import {
  gramDistance,
  gramsOf,
  jaroWinkler,
  lettersOf,
  mayBeSlips,
  mostAlike,
  oneSlip,
  soundex,
  twoSlips,
} from './similarity.ts'

function both(one: string, other: string) {
  const text = Uint16Array.from(one + other, (letter) => letter.charCodeAt(0))
  return [text, 0, one.length, one.length, other.length] as const
}
const similarity = (one: string, other: string) => jaroWinkler(...both(one, other))

/** Optimal string alignment by the whole table, as the book has it. */
function slipsByTheBook(one: string, other: string): number {
  const table = Array.from({ length: one.length + 1 }, (_, at) => [
    at,
    ...Array.from({ length: other.length }, () => 0),
  ])
  const cell = (a: number, b: number) => table[a]?.[b] ?? 0
  for (let at = 0; at <= other.length; at++) (table[0] ?? [])[at] = at
  for (let a = 1; a <= one.length; a++)
    for (let b = 1; b <= other.length; b++) {
      let cost = Math.min(
        cell(a - 1, b) + 1,
        cell(a, b - 1) + 1,
        cell(a - 1, b - 1) + (one[a - 1] === other[b - 1] ? 0 : 1),
      )
      if (a > 1 && b > 1 && one[a - 1] === other[b - 2] && one[a - 2] === other[b - 1])
        cost = Math.min(cost, cell(a - 2, b - 2) + 1)
      ;(table[a] ?? [])[b] = cost
    }
  return cell(one.length, other.length)
}

describe('how alike two texts are', () => {
  it('is what Winkler printed for his examples', () => {
    expect(similarity('martha', 'marhta')).toBeCloseTo(0.9611, 4)
    expect(similarity('dwayne', 'duane')).toBeCloseTo(0.84, 4)
    expect(similarity('dixon', 'dicksonx')).toBeCloseTo(0.8133, 4)
  })

  it('is nothing for a text that says nothing: a missing surname is not like any', () => {
    expect(similarity('', 'smith')).toBe(0)
    expect(similarity('', '')).toBe(0)
  })

  it('counts letters, not bytes: José and Jose are one slip apart', () => {
    expect(oneSlip(...both('josé', 'jose'))).toBe(true)
    expect(oneSlip(...both('иванов', 'иванев'))).toBe(true)
  })

  it('never says more than lengths and letters allow', () => {
    const random = seededRandom(7)
    for (let round = 0; round < 20_000; round++) {
      const [one, other] = [aText(random), aText(random)]
      let prefix = 0
      while (prefix < 4 && prefix < Math.min(one.length, other.length) && one[prefix] === other[prefix]) prefix += 1
      const bound = mostAlike(one.length, lettersOf(one), other.length, lettersOf(other), prefix)
      expect(similarity(one, other)).toBeLessThanOrEqual(bound + 1e-12)
    }
  })

  it('finds one and two slips where the whole table finds them', () => {
    const random = seededRandom(11)
    for (let round = 0; round < 20_000; round++) {
      const [one, other] = [aText(random), aText(random)]
      const slips = slipsByTheBook(one, other)
      if (one !== other) expect(oneSlip(...both(one, other)), `${one} ${other}`).toBe(slips <= 1)
      expect(twoSlips(...both(one, other)), `${one} ${other}`).toBe(slips <= 2)
      for (const most of [1, 2])
        if (slips <= most) expect(mayBeSlips(most, lettersOf(one), lettersOf(other)), `${one} ${other}`).toBe(true)
    }
  })

  it('sees words that moved', () => {
    const apart = (one: string, other: string) => {
      const [left, right] = [gramsOf(one), gramsOf(other)]
      return gramDistance(Uint32Array.from([...left, ...right]), 0, left.length, left.length, right.length)
    }
    expect(apart('chicago commons association', 'association chicago commons')).toBeLessThan(0.35)
    expect(apart('chicago commons association', 'ymca of metropolitan chicago')).toBeGreaterThan(0.7)
    expect(apart('hull house', 'hull house')).toBe(0)
  })

  it('hears names that sound alike, and keeps scripts that it cannot hear apart', () => {
    expect(soundex('robert')).toBe('r163')
    expect(soundex('rupert')).toBe(soundex('robert'))
    expect(soundex('ashcraft')).toBe('a261')
    expect(soundex('иванов')).not.toBe(soundex('петров'))
  })
})

/** Short, of few letters, so that slips and common letters are frequent. */
function aText(random: () => number): string {
  return Array.from({ length: 1 + Math.floor(random() * 8) }, () => 'abcd'[Math.floor(random() * 4)]).join('')
}
