import { describe, expect, it } from 'vitest'
import { comingOf, crossing, forecast, stepMs, type Launch } from './forecast.ts'
import { assumedAtFirst, assumedCurve, baseOf, curveOf, responseFor, type Past } from './response.ts'

const hourMs = 3_600_000
const fromMs = Date.parse('2028-02-29T10:00:00Z')
const launch = (more: Partial<Launch> = {}): Launch => ({
  id: 'broadcast_1',
  name: 'Öppet hus',
  atMs: fromMs + 2 * hourMs,
  people: 600_000,
  lastsMs: 0,
  response: { sent: 0, opened: 0.5, clicked: 0.1, pages: 0.4 },
  ...more,
})
const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0)
const quiet = { fromMs, hours: 48, base: () => 0, curve: [0.5, 0.5] }

describe('what a launch brings', () => {
  it('is audience × response, spread by the curve from the moment of the mail on', () => {
    const coming = comingOf(launch(), [0.5, 0.25, 0.25], fromMs, 18)
    expect(coming.slice(0, 12)).toEqual(Array.from({ length: 12 }, () => 0))
    expect(coming.slice(12)).toEqual([300_000, 150_000, 150_000, 0, 0, 0])
  })

  it('comes to the same in all, however long the mails take to leave, and with a lower peak', () => {
    const [fast, slow] = [0, 4 * hourMs].map((lastsMs) =>
      comingOf(
        launch({ lastsMs, response: { sent: 1, opened: 0.4, clicked: 0.02, pages: 0.1 } }),
        assumedCurve,
        fromMs,
        288,
      ),
    )
    expect(sum(fast!)).toBeCloseTo(600_000 * 1.52, 3)
    expect(sum(slow!)).toBeCloseTo(sum(fast!), 3)
    expect(Math.max(...slow!)).toBeLessThan(Math.max(...fast!) / 3)
  })

  it('is the tail alone of what left before', () => {
    const coming = comingOf(launch({ atMs: fromMs - stepMs }), [0.75, 0.25], fromMs, 6)
    expect(coming).toEqual([150_000, 0, 0, 0, 0, 0])
  })
})

describe('the hours to come', () => {
  it('are each as full as their fullest ten minutes, with what comes anyway', () => {
    const { hours, peaks } = forecast([launch(), launch({ id: 'broadcast_2', people: 6_000 })], {
      ...quiet,
      base: () => 7,
    })
    expect(hours[1]).toEqual({ atMs: fromMs + hourMs, base: 7, launches: [], perSecond: 7 })
    expect(hours[2]).toEqual({
      atMs: fromMs + 2 * hourMs,
      base: 7,
      launches: [
        { id: 'broadcast_1', perSecond: 500 },
        { id: 'broadcast_2', perSecond: 5 },
      ],
      perSecond: 512,
    })
    expect(peaks.get('broadcast_1')).toBe(500)
  })

  it('cross nothing while the machine takes exactly as much', () => {
    expect(crossing([launch()], new Set(['broadcast_1']), quiet, 500)).toBeUndefined()
    expect(crossing([launch()], new Set(['broadcast_1']), quiet, 499)).toMatchObject({ perSecond: 500 })
  })

  it('say how many hours later, and with how many people, the larger of two that meet would pass', () => {
    const both = [launch(), launch({ id: 'broadcast_2', people: 300_000 })]
    const found = crossing(both, new Set(['broadcast_1', 'broadcast_2']), { ...quiet, base: () => 50 }, 600)
    // 50 + 500 + 250; alone it is 550. One hour later they no longer meet, and 300 a second are left at their own time.
    expect(found).toEqual({
      id: 'broadcast_1',
      atMs: fromMs + 2 * hourMs,
      perSecond: 800,
      laterHours: 1,
      people: 360_000,
    })
  })

  it('ask nothing of a launch for another that is too much without it', () => {
    const curve = [1, ...Array.from({ length: 143 }, () => 0.0001)]
    const base = (atMs: number) => (atMs < fromMs + 3 * hourMs ? 150 : 0)
    const both = [
      launch({ people: 540_000 }),
      launch({ id: 'broadcast_2', people: 600_000, atMs: fromMs + 25 * hourMs }),
    ]
    // An hour later nothing else comes at its time, and its tail still reaches into the hour of the second, which is too much as it is.
    expect(crossing(both, new Set(['broadcast_1']), { ...quiet, curve, base }, 900)).toMatchObject({
      id: 'broadcast_1',
      laterHours: 1,
      people: 450_000,
    })
  })

  it('have no better hour for what is too much by itself, and move nothing that is out', () => {
    expect(crossing([launch()], new Set(['broadcast_1']), quiet, 100)).toMatchObject({
      laterHours: undefined,
      people: 120_000,
    })
    expect(crossing([launch()], new Set(), quiet, 100)).toMatchObject({
      id: 'broadcast_1',
      laterHours: undefined,
      people: 0,
    })
    expect(crossing([], new Set(), { ...quiet, base: () => 101 }, 100)).toMatchObject({ id: undefined, people: 0 })
  })
})

describe('the response that is expected', () => {
  const past = (more: Partial<Past>): Past => ({
    id: 'b',
    senderId: 's1',
    topicId: 'news',
    people: 1_000,
    sent: 900,
    opened: 300,
    clicked: 30,
    pages: 90,
    ...more,
  })
  const to = { senderId: 's1', topicId: 'news' }

  it('is measured on the nearest earlier campaigns that are large enough', () => {
    const all = [
      past({ people: 99, opened: 99 }),
      past({ senderId: 's2', opened: 500 }),
      past({ topicId: 'sale', opened: 0 }),
    ]
    expect(responseFor(to, all, assumedAtFirst)).toMatchObject({
      measured: true,
      says: 'measured on 2 earlier campaigns with this topic, 1,099 people',
    })
    expect(responseFor(to, [past({})], assumedAtFirst)).toMatchObject({
      sent: 0.9,
      opened: 0.3,
      clicked: 0.03,
      pages: 0.09,
    })
    expect(responseFor({ senderId: 'new', topicId: 'new' }, [past({})], assumedAtFirst).says).toContain('of any topic')
  })

  it('is what was assumed while nothing large enough is out', () => {
    const assumed = { opened: 0.2, clicked: 0.1, pagesPerClick: 5 }
    expect(responseFor(to, [past({ people: 99 })], assumed)).toEqual({
      sent: 1,
      opened: 0.2,
      clicked: 0.1,
      pages: 0.5,
      measured: false,
      says: 'assumed, as stated below',
    })
  })

  it('comes by the curve that was seen, or by the assumed one: half in the first hour, all within a day', () => {
    expect(sum(assumedCurve.slice(0, 6))).toBeCloseTo(0.5, 9)
    expect(sum(assumedCurve)).toBeCloseTo(1, 9)
    expect(curveOf(new Map([[0, 199]]))).toMatchObject({ measured: false, responses: 199, curve: assumedCurve })
    const seen = curveOf(
      new Map([
        [0, 150],
        [3, 50],
        [9_999, 1_000],
      ]),
    )
    expect(seen).toMatchObject({ measured: true, responses: 200 })
    expect(seen.curve.slice(0, 4)).toEqual([0.75, 0, 0, 0.25])
  })

  it('stands on what comes anyway: the busiest same hour of the day, once one day in seven is set aside', () => {
    const at = (text: string) => Date.parse(text)
    const day = (count: number, events: number) => ({
      hourMs: at('2028-02-01T10:00:00Z') + count * 24 * hourMs,
      events,
    })
    const young = baseOf([day(0, 7_200), day(1, 3_600)], at('2028-02-03T00:00:00Z'))
    expect([young(at('2028-03-05T10:40:00Z')), young(at('2028-03-05T11:00:00Z'))]).toEqual([2, 0])
    // An import on one of fifteen days, and a campaign on another: neither is every day.
    const month = Array.from({ length: 15 }, (_none, count) =>
      day(count, count === 3 ? 9_000_000 : count === 9 ? 360_000 : 3_600),
    )
    expect(baseOf(month, at('2028-02-15T11:00:00Z'))(at('2028-03-05T10:00:00Z'))).toBe(1)
  })
})
