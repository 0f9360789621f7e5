import { expect, it } from 'vitest'
import { medianBy, timesOf } from './load.ts'

it('compares what ran in the same seconds: a machine that slows both down in one round changes no ratio', () => {
  expect(timesOf([20_000, 2_000, 18_000], [10_000, 1_000, 9_000])).toBe(2)
  // The middle rates, 200 and 100, would say 2: they never ran beside each other.
  expect(timesOf([100, 300, 200], [100, 100, 200])).toBe(1)
})

it('takes the middle run and refuses to make one up', () => {
  expect(medianBy([{ rate: 3 }, { rate: 1 }, { rate: 2 }], (one) => one.rate)).toEqual({ rate: 2 })
  expect(() => medianBy([], () => 0)).toThrow('no runs')
})
