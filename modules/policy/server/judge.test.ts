import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Facts, Level } from '../contract.ts'
import { judge, laneOf, type Levels } from './judge.ts'

const firstName = { name: 'firstName', label: 'first name', sensitivity: 2 as const }
const email = { name: 'email', label: 'e-mail', sensitivity: 2 as const }
const orders = { name: 'orders', label: 'last order value', sensitivity: 3 as const }
const facts = (rest: Partial<Facts> = {}): Facts => ({
  audience: { people: 4_812, of: 20_000 },
  fields: [email, firstName],
  irreversibility: { level: 2, because: 'a mail cannot be taken back' },
  integration: { level: 2, because: 'it leaves through one mail route' },
  firstUse: [],
  staff: 9,
  ...rest,
})
const all = [0, 1, 2, 3, 4] as const
const rank = { green: 0, amber: 1, red: 2 }

describe('the lane', () => {
  it('of all 625 combinations is green for 32, amber for 282 and red for 311', () => {
    const counts = { green: 0, amber: 0, red: 0 }
    for (const sensitivity of all)
      for (const reach of all)
        for (const irreversibility of all)
          for (const integration of all) counts[laneOf({ sensitivity, reach, irreversibility, integration }).lane] += 1
    expect(counts).toEqual({ green: 32, amber: 282, red: 311 })
  })

  it('never comes down when a scale goes up', () => {
    const level = fc.constantFrom(...all)
    fc.assert(
      fc.property(
        fc.record({ sensitivity: level, reach: level, irreversibility: level, integration: level }),
        fc.constantFrom('sensitivity', 'reach', 'irreversibility', 'integration'),
        (levels: Levels, scale: keyof Levels) => {
          const raised = Math.min(4, levels[scale] + 1) as Level
          expect(rank[laneOf({ ...levels, [scale]: raised }).lane]).toBeGreaterThanOrEqual(rank[laneOf(levels).lane])
        },
      ),
    )
  })

  it('says how many are reached now, one as one', () => {
    const reached = (people: number, atMost: number) =>
      judge(facts({ audience: { people, of: 20_000, atMost } })).scales.reach.because
    expect(reached(1, 2)).toBe('it reaches 1 person, a seed list')
    expect(reached(20, 26)).toBe('it reaches 20 people, under 1% of all')
  })

  it.each([
    [
      'a copy change on an approved page',
      facts({
        audience: { people: 20_000, of: 20_000 },
        fields: [],
        irreversibility: { level: 0, because: 'it is switched off in minutes' },
        integration: { level: 0, because: 'nothing' },
      }),
      'green',
    ],
    ['a mail to a seed list without contact data joined', facts({ audience: { people: 20, of: 20_000 } }), 'amber'],
    ['a newsletter to a quarter of all', facts(), 'amber'],
    ['a mail with purchase history to a quarter', facts({ fields: [email, orders] }), 'amber'],
    [
      'a mail with purchase history to nearly everybody',
      facts({ audience: { people: 19_000, of: 20_000 }, fields: [email, orders] }),
      'red',
    ],
    [
      'a list with purchases handed to an ad platform',
      facts({ fields: [email, orders], irreversibility: { level: 3, because: 'data leaves the company' } }),
      'red',
    ],
    [
      'anything with birthdays of children',
      facts({ fields: [{ name: 'child', label: 'child’s birthday', sensitivity: 4 }] }),
      'red',
    ],
  ])('of %s', (_what, given, lane) => {
    expect(judge(given).lane).toBe(lane)
  })
})

describe('the verdict', () => {
  it('says in one sentence which keys and why', () => {
    const verdict = judge(facts({ audience: { people: 19_000, of: 20_000 }, fields: [email, orders] }))
    expect(verdict.keys).toEqual(['marketing', 'it', 'protection'])
    expect(verdict.because).toContain('last order value')
    expect(verdict.because).toContain('95% of all')
  })

  it('offers only ways that really come down a lane, and never to leave out the address of a mail', () => {
    const verdict = judge(facts({ audience: { people: 19_000, of: 20_000 }, fields: [email, orders] }))
    expect(verdict.ways.map((way) => way.say)).toEqual([
      'Leave out “last order value” and it turns amber.',
      'Send to at most 10,000 people and it turns amber.',
    ])
  })

  it('gives a small company one key and a day to cool off, and says so', () => {
    const verdict = judge(facts({ staff: 3 }))
    expect(verdict).toMatchObject({ keys: ['marketing'], coolingOffHours: 24 })
    expect(verdict.because).toContain('fewer than four people')
    expect(judge(facts({ staff: 2, otherSide: 'it' })).keys).toEqual(['it'])
    expect(judge(facts({ staff: 3, otherSide: 'it', fields: [email, { ...email, sensitivity: 4 }] })).keys).toEqual([
      'it',
      'protection',
    ])
  })

  it('judges the most that keys would cover, not only whom it reaches today', () => {
    const today = { audience: { people: 9_999, of: 20_000 }, fields: [email, orders] }
    expect(judge(facts(today)).lane).toBe('amber')
    expect(judge(facts({ ...today, audience: { ...today.audience, atMost: 11_000 } })).lane).toBe('red')
  })
})
