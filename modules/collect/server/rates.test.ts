import { expect, it } from 'vitest'
import { stoppedClock } from '../../../platform/clock/clock.ts'
import { createRates } from './rates.ts'

it('tells how many events a second came in the last minute, and forgets what is older', async () => {
  const clock = stoppedClock()
  const rates = createRates(clock)
  await clock.advance(120_000)
  rates.came(500)
  rates.came(100)
  await clock.advance(30_000)
  rates.came(600)
  expect(rates.perSecond()).toBe(20)
  await clock.advance(31_000)
  expect(rates.perSecond()).toBe(10)
  await clock.advance(3_600_000)
  expect(rates.perSecond()).toBe(0)
})

it('keeps the fastest ten thousand that were stored in a row, and says nothing of fewer', () => {
  const rates = createRates(stoppedClock())
  rates.stored(9_999, 10)
  expect(rates.fastest()).toBeUndefined()
  rates.stored(1, 990)
  expect(rates.fastest()?.perSecond).toBe(10_000)
  rates.stored(10_000, 5_000)
  rates.stored(10_000, 500)
  expect(rates.fastest()?.perSecond).toBe(20_000)
})
