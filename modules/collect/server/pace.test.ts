import { describe, expect, it } from 'vitest'
import type { Id } from '../../../lib/ids/ids.ts'
import { createPace } from './pace.ts'

const source = { id: 'source_ä' as Id<'source'>, eventsPerSecond: 100 }

describe('the pace of a source', () => {
  it('lets ten seconds of events through at once, then as many as its limit says', () => {
    const pace = createPace()
    pace.spend(source, 999, 0)
    expect(pace.waitSeconds(source, 0)).toBe(0)
    pace.spend(source, 251, 0)
    expect(pace.waitSeconds(source, 0)).toBe(3)
    expect(pace.waitSeconds(source, 2000)).toBe(1)
    expect(pace.waitSeconds(source, 2600)).toBe(0)
  })

  it('never saves up more than ten seconds, and gives nothing for a clock that was set back', () => {
    const pace = createPace()
    pace.spend(source, 1, 1_000_000)
    pace.spend(source, 1001, 9_000_000)
    expect(pace.waitSeconds(source, 9_000_000)).toBe(1)
    expect(pace.waitSeconds(source, 0)).toBe(1)
  })

  it('gives everybody who is sent away a turn of their own, and nobody one that is further than a minute', () => {
    const pace = createPace()
    const slow = { ...source, eventsPerSecond: 2 }
    pace.spend(slow, 20, 0)
    expect(Array.from({ length: 7 }, () => pace.waitSeconds(slow, 0))).toEqual([1, 1, 1, 2, 2, 3, 3])
    for (let number = 0; number < 1000; number++) expect(pace.waitSeconds(slow, 0)).toBeLessThanOrEqual(60)
    // Turns pass like seconds do.
    pace.spend(slow, 2, 1000)
    expect(pace.waitSeconds(slow, 1_000_000)).toBe(0)
    pace.spend(slow, 20, 1_000_000)
    expect(pace.waitSeconds(slow, 1_000_000)).toBe(1)
  })

  it('is of each source alone, and a source without a limit has none', () => {
    const pace = createPace()
    pace.spend(source, 5000, 0)
    expect(pace.waitSeconds({ ...source, id: 'source_b' as Id<'source'> }, 0)).toBe(0)
    const free = { id: source.id, eventsPerSecond: null }
    pace.spend(free, 1e9, 0)
    expect(pace.waitSeconds(free, 0)).toBe(0)
  })
})
