import { describe, expect, it } from 'vitest'
import { drawBaskets } from '../../bench/needs/baskets.ts'
import { drawCustomers } from '../../bench/needs/customers.ts'
import { seededRandom } from '../seeded/seeded.ts'
import { hitRateOf, learnAffinity } from './affinity.ts'
import { expectedPurchases, fitBgNbd, probabilityAlive, probabilityOfBuying } from './bg-nbd.ts'
import { calibrationOf } from './calibration.ts'
import { expectedValue, fitGammaGamma } from './gamma-gamma.ts'
import { hypergeometric, least, logGamma } from './special.ts'

/** As published for the CDNOW customers (Fader, Hardie and Lee 2005, table 2). */
const published = { r: 0.2426, alpha: 4.4136, a: 0.7929, b: 2.4259 }
const known = { r: 0.6, alpha: 5, a: 0.9, b: 2.5 }

describe('functions that the models need', () => {
  it('are what tables say', () => {
    expect(logGamma(5)).toBeCloseTo(Math.log(24), 12)
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 12)
    expect(logGamma(0.1)).toBeCloseTo(2.252712651734206, 10)
    // −ln(1 − z) / z, and (1 − z)^−a.
    for (const z of [0.1, 0.5, 0.9, 0.99]) {
      expect(hypergeometric(1, 1, 2, z)).toBeCloseTo(-Math.log(1 - z) / z, 8)
      expect(hypergeometric(2.5, 3, 3, z) / (1 - z) ** -2.5).toBeCloseTo(1, 8)
    }
  })

  it('find the bottom of a curved valley', () => {
    const { at } = least(([x = 0, y = 0]) => (1 - x) ** 2 + 100 * (y - x * x) ** 2, [-1.2, 1])
    expect(at[0]).toBeCloseTo(1, 3)
    expect(at[1]).toBeCloseTo(1, 3)
  })
})

describe('what a customer will do', () => {
  it('is what the paper prints for its customer of two repeat purchases', () => {
    const customer = { repeats: 2, recency: 30.43, age: 38.86 }
    expect(expectedPurchases(published, customer, 39)).toBeCloseTo(1.226, 3)
  })

  it('is learned from data: the parameters come back that it was drawn from', () => {
    const found = fitBgNbd(drawCustomers(known, 20_000, 60, 39, 1))
    for (const key of ['r', 'alpha'] as const) expect((found?.[key] ?? 0) / known[key]).toBeCloseTo(1, 1)
    expect((found?.a ?? 0) / ((found?.a ?? 0) + (found?.b ?? 1))).toBeCloseTo(0.9 / 3.4, 1)
  })

  it('keeps what it promises in weeks that it did not see, and says more than the share of all', () => {
    const customers = drawCustomers(known, 20_000, 60, 39, 3)
    const found = fitBgNbd(customers) ?? known
    const calibration = calibrationOf(
      customers.map((one) => probabilityOfBuying(found, one, 39)),
      customers.map((one) => (one.later > 0 ? 1 : 0)),
    )
    expect(calibration.error).toBeLessThan(0.02)
    expect(calibration.brier).toBeLessThan(calibration.brierOfShare * 0.85)
    const expected = customers.reduce((sum, one) => sum + expectedPurchases(found, one, 39), 0)
    const came = customers.reduce((sum, one) => sum + one.later, 0)
    expect(expected / came).toBeCloseTo(1, 1)
  })

  it('falls with the time since the last purchase, the faster the more they used to buy', () => {
    const after = (repeats: number, silence: number) =>
      probabilityAlive(published, { repeats, recency: 40 - silence, age: 40 })
    expect(after(10, 2)).toBeGreaterThan(after(10, 20))
    expect(after(10, 20)).toBeLessThan(after(1, 20))
    expect(after(0, 40)).toBe(1)
  })

  it('says nothing where nobody ever bought again', () => {
    expect(fitBgNbd([{ repeats: 0, recency: 0, age: 10 }])).toBeUndefined()
    expect(fitGammaGamma([{ purchases: 1, mean: 10 }])).toBeUndefined()
  })

  it('is worth between what they spent and what all spend', () => {
    const model = { p: 6.25, q: 3.74, gamma: 15.44 }
    const all = (model.p * model.gamma) / (model.q - 1)
    expect(expectedValue(model, { purchases: 1, mean: 100 })).toBeLessThan(100)
    expect(expectedValue(model, { purchases: 1, mean: 100 })).toBeGreaterThan(all)
    expect(expectedValue(model, { purchases: 50, mean: 100 })).toBeGreaterThan(97)
  })

  it('calibration of what is always right has no error, and of chance the error of the share', () => {
    const random = seededRandom(1)
    const said = Array.from({ length: 50_000 }, () => random())
    const came = said.map((probability) => (random() < probability ? 1 : 0))
    expect(calibrationOf(said, came).error).toBeLessThan(0.01)
    const constant = calibrationOf(
      said.map(() => 0.5),
      came,
    )
    expect(constant.brier).toBeCloseTo(constant.brierOfShare, 3)
  })
})

describe('what goes with what', () => {
  it('is what the same people had, and says because of what', () => {
    const { nextFor, popular } = learnAffinity([
      ...Array.from({ length: 30 }, () => ['tent', 'stove']),
      ...Array.from({ length: 30 }, () => ['lamp', 'rug']),
      ...Array.from({ length: 40 }, () => ['mug']),
      ['tent', 'rug'],
    ])
    expect(nextFor(['tent'], 1)).toMatchObject([{ item: 'stove', because: 'tent' }])
    expect(nextFor(['lamp'], 3).map(({ item }) => item)).toEqual(['rug'])
    expect(nextFor(['mug'], 3)).toEqual([])
    expect(popular[0]).toBe('mug')
  })

  it('believes two people less than thirty', () => {
    const { nextFor } = learnAffinity([...Array.from({ length: 30 }, () => ['a', 'b']), ['a', 'c'], ['a', 'c']])
    const [b, c] = nextFor(['a'], 2)
    expect([b?.item, c?.item]).toEqual(['b', 'c'])
    expect((b?.score ?? 0) / (c?.score ?? 1)).toBeGreaterThan(5)
  })

  it('finds the item that was held back more often than what is popular does', () => {
    const { affinity, popularity, people } = hitRateOf(drawBaskets(4_000, 30, 40, 2))
    expect(people).toBeGreaterThan(3_500)
    expect(affinity).toBeGreaterThan(popularity * 1.25)
  })
})
