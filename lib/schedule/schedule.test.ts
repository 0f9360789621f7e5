import { describe, expect, it } from 'vitest'
import { freshnessOf } from './freshness.ts'
import { nextTime } from './schedule.ts'

describe('a schedule', () => {
  it('is due by the five fields of cron, in UTC, also in the night in which clocks are set back', () => {
    expect(nextTime('0 2 * * *', new Date('2026-10-24T23:59:59Z')).toISOString()).toBe('2026-10-25T02:00:00.000Z')
    expect(nextTime('*/15 * * * *', new Date('2026-10-25T00:45:00Z')).toISOString()).toBe('2026-10-25T01:00:00.000Z')
  })

  it.each(['every night', '* * * * * *', '61 * * * *', ''])(
    'is refused as “%s”, with an example of what is one',
    (text) => {
      expect(() => nextTime(text, new Date('2026-11-25T00:00:00Z'))).toThrow('five fields of cron')
    },
  )

  it('is refused when it is never due', () => {
    expect(() => nextTime('0 0 30 2 *', new Date('2026-11-25T00:00:00Z'))).toThrow('never due')
  })
})

describe('a promise of freshness', () => {
  const createdAt = new Date('2026-11-25T00:00:00Z')
  it('is missed by what is older than promised, and by what never came', () => {
    const noon = Date.parse('2026-11-25T12:00:00Z')
    expect(freshnessOf({ freshAt: new Date(noon - 7_200_000), createdAt, promiseHours: 2 }, noon).missed).toBe(false)
    expect(freshnessOf({ freshAt: new Date(noon - 7_200_001), createdAt, promiseHours: 2 }, noon).missed).toBe(true)
    expect(freshnessOf({ freshAt: null, createdAt, promiseHours: 11 }, noon).missed).toBe(true)
    expect(freshnessOf({ freshAt: null, createdAt, promiseHours: null }, noon).missed).toBe(false)
  })
})
