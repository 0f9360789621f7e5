import { describe, expect, it } from 'vitest'
import { campaignOf, cleanUrl } from './address.ts'
import { isFinal, waitMs } from './backoff.ts'
import { modeOf } from './privacy.ts'
import { openQueue } from './queue.ts'
import { isSampled } from './resources.ts'
import { sessionAt, type Session } from './session.ts'

/** The pure parts of the tracker, with the clock stopped. */

const noon = Date.parse('2026-03-10T12:00:00.000Z')
const minute = 60_000
let numbered = 0
const newId = () => `session-${String(++numbered)}`
/** How many events each session has, when events happen at these times. */
function sizes(events: [afterMs: number, campaign?: Record<string, string>][]): number[] {
  let now: Session | undefined
  const found = new Map<string, number>()
  for (const [afterMs, campaign] of events) {
    now = sessionAt(now, noon + afterMs, campaign, newId)
    found.set(now.id, (found.get(now.id) ?? 0) + 1)
  }
  return [...found.values()]
}

describe('a session', () => {
  it.each([
    ['goes on over a pause of 29:59.999', [[0], [30 * minute - 1]], [2]],
    ['goes on over a pause of exactly 30:00.000', [[0], [30 * minute]], [2]],
    ['ends by a pause of 30:00.001', [[0], [30 * minute + 1]], [1, 1]],
    ['counts the pause from the last event, not from the first', [[0], [20 * minute], [45 * minute]], [3]],
    ['goes on over midnight', [[11.9 * 60 * minute], [12.1 * 60 * minute]], [2]],
    ['goes on when the clock was set back', [[0], [-90 * minute], [-80 * minute]], [3]],
    [
      'ends when somebody arrives by another campaign',
      [
        [0, { source: 'a' }],
        [minute, { source: 'b' }],
      ],
      [1, 1],
    ],
    [
      'goes on when the same campaign is opened again',
      [[0, { source: 'a' }], [minute, { source: 'a' }], [2 * minute]],
      [3],
    ],
  ] as [string, [number, Record<string, string>?][], number[]][])('%s', (_, events, expected) => {
    expect(sizes(events)).toEqual(expected)
  })

  it('knows how many the device has had', () => {
    const first = sessionAt(undefined, noon, { name: 'höst' }, newId)
    const second = sessionAt(first, noon + 31 * minute, undefined, newId)
    expect([first.count, second.count]).toEqual([1, 2])
    expect(second.campaign).toBeUndefined()
  })
})

describe('an address', () => {
  it('gives its campaign by the names of Segment, cut at 200 characters', () => {
    expect(
      campaignOf(`?utm_campaign=höst&utm_source=x&utm_term=${'y'.repeat(300)}&utm_medium=&q=1&__proto__=2`),
    ).toEqual({
      name: 'höst',
      source: 'x',
      term: 'y'.repeat(200),
    })
    expect(campaignOf('?q=1')).toBeUndefined()
  })

  it.each([
    ['https://asa:pw@il.example/a?token=1&utm_source=x&q=ö#top', 'https://il.example/a?utm_source=x&q=%C3%B6'],
    ['https://il.example/?token=1', 'https://il.example/'],
    ['about:blank', ''],
    ['', ''],
  ])('%s is sent as %s', (url, sent) => {
    expect(cleanUrl(url, ['q'])).toBe(sent)
  })
})

describe('whether anything may be stored or sent', () => {
  it.each([
    [{}, undefined, undefined, 'full'],
    [{}, 'gpc', undefined, 'anonymous'],
    [{ privacySignal: 'off' }, 'dnt', undefined, 'refused'],
    [{ privacySignal: 'ignore' }, 'gpc', undefined, 'full'],
    [{ consent: 'required' }, undefined, undefined, 'waiting'],
    [{ consent: 'required', privacySignal: 'ignore' }, 'gpc', undefined, 'waiting'],
    [{ consent: 'required' }, 'gpc', 'granted', 'full'],
    [{}, undefined, 'denied', 'refused'],
  ] as const)('%j with the signal %s and the answer %s: %s', (options, signal, choice, mode) => {
    expect(modeOf(options, signal, choice)).toBe(mode)
  })
})

describe('the time until the next try', () => {
  it('doubles up to five minutes, spread over its upper half, and is never shorter than the server asked for', () => {
    expect([1, 2, 3, 20].map((failures) => waitMs(failures, 1, null))).toEqual([1_000, 2_000, 4_000, 300_000])
    expect([1, 2, 3, 20].map((failures) => waitMs(failures, 0, null))).toEqual([500, 1_000, 2_000, 150_000])
    expect(waitMs(1, 0, '120')).toBe(120_000)
    expect(waitMs(1, 0, '99999999')).toBe(3_600_000)
    expect(waitMs(1, 1, 'Tue, 10 Mar 2026 12:00:00 GMT')).toBe(1_000)
  })

  it('is never for what no retry could save', () => {
    expect([400, 401, 403, 404, 413].every(isFinal)).toBe(true)
    expect([0, 200, 408, 429, 500, 503].some(isFinal)).toBe(false)
  })
})

describe('the queue', () => {
  const device = () => {
    const entries = new Map<string, string>()
    return {
      get: (name: string) => entries.get(name),
      set(name: string, value?: string) {
        if (value === undefined) entries.delete(name)
        else entries.set(name, value)
      },
      names: (begin: string) => [...entries.keys()].filter((name) => name.startsWith(begin)).sort(),
    } as never
  }
  const filled = (count: number, mostEvents?: number, mostChars?: number) => {
    const queue = openQueue(device(), 'key', mostEvents, mostChars)
    for (let at = 0; at < count; at++) queue.take(`{"number":${String(at)}}`, `id${String(at)}`, noon)
    return queue
  }
  const numbers = (waiting: { json: string }[]) =>
    waiting.map(({ json }) => (JSON.parse(json) as { number: number }).number)

  it('gives twenty at a time, in their order', () => {
    const queue = filled(25)
    const first = queue.next()
    expect(numbers(first)).toEqual(Array.from({ length: 20 }, (_, at) => at))
    queue.done(first)
    expect(numbers(queue.next())).toEqual([20, 21, 22, 23, 24])
  })

  it('lets the oldest go when there are too many, or they are too long, and says how many', () => {
    const many = filled(12, 10)
    expect(numbers(many.next())).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(many.dropped()).toBe(2)
    many.drop(-2)
    expect(many.dropped()).toBe(0)
    expect(numbers(filled(9, 10, 60).next())).toEqual([4, 5, 6, 7, 8])
  })

  it('cuts a request at 48,000 bytes, and takes no event over 32,000 bytes, however few letters it has', () => {
    const queue = openQueue(device(), 'key')
    const large = JSON.stringify('ö'.repeat(14_000))
    queue.take(large, 'a', noon)
    queue.take(large, 'b', noon)
    expect(queue.next()).toHaveLength(1)
    expect(() => {
      queue.take(JSON.stringify('ö'.repeat(17_000)), 'c', noon)
    }).toThrow('over 32 kB')
    expect(queue.dropped()).toBe(1)
  })
})

it('a share of the sessions reports, and a session always or never', () => {
  expect(isSampled('00ff0000-', 0.01)).toBe(true)
  expect(isSampled('ffff0000-', 0.01)).toBe(false)
  expect(isSampled('ffff0000-', 1)).toBe(true)
  expect(isSampled('00000000-', 0)).toBe(false)
})
