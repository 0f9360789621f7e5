import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { aClickHouse } from '../../../test/make/engines.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Condition, SegmentDefinition, Test, Window } from '../contract.ts'
import { compile } from './compile.ts'
import { why } from './why.ts'

/** The definition of a segment against a naive reading of it in plain code, on random people who did random things. */

const nowMs = Date.parse('2028-02-29T10:00:00Z')
const day = 86_400_000
type Value = string | number | boolean | undefined
interface Someone {
  id: string
  traits: Record<string, Value>
  mailable: boolean
}
interface Deed {
  /** Who it was stored for; some of them are someone else by now. */
  of: string
  name: string
  atMs: number
  revenue: Value
}
interface World {
  people: Someone[]
  deeds: Deed[]
  /** From whom, to whom. */
  merges: Map<string, string>
}

const words = fc.constantFrom('SE', 'DE', 'se', 'S', `O'Brien`, 'Åsa')
const numbers = fc.integer({ min: -2, max: 4 })
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(undefined),
  words,
  numbers,
  numbers.map(String),
  fc.boolean(),
  // Half a day off every whole number of days, so that no test stands on an edge.
  fc.integer({ min: 0, max: 6 }).map((days) => new Date(nowMs - (days + 0.5) * day).toISOString()),
)
const ids = ['a', 'b', 'c', 'd', 'e', 'f']
const gone = ['x', 'y']
const world: fc.Arbitrary<World> = fc.record({
  people: fc.tuple(
    ...ids.map((id) =>
      fc.record({
        id: fc.constant(id),
        traits: fc.record({ one: value, two: value }),
        mailable: fc.boolean(),
      }),
    ),
  ),
  deeds: fc.array(
    fc.record({
      of: fc.constantFrom(...ids, ...gone),
      name: fc.constantFrom('Order', 'View'),
      atMs: fc.integer({ min: 0, max: 6 }).map((days) => nowMs - (days + 0.5) * day),
      revenue: value,
    }),
    { maxLength: 24 },
  ),
  merges: fc
    .tuple(fc.constantFrom(...ids), fc.constantFrom(...ids))
    .map((to) => new Map(gone.map((id, at) => [id, to[at] ?? 'a']))),
})

const test: fc.Arbitrary<Test> = fc.oneof(
  fc.record({
    is: fc.constantFrom('equal' as const, 'not equal' as const),
    value: fc.oneof(words, numbers, fc.boolean()),
  }),
  fc.record({ is: fc.constantFrom('contains' as const, 'starts with' as const), value: words }),
  fc.record({
    is: fc.constantFrom('greater than' as const, 'less than' as const, 'at least' as const, 'at most' as const),
    value: numbers,
  }),
  fc.record({
    is: fc.constant('one of' as const),
    values: fc.array(fc.oneof(words, numbers), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ is: fc.constantFrom('set' as const, 'not set' as const) }),
  fc.record({
    is: fc.constantFrom('in the last' as const, 'not in the last' as const),
    days: fc.integer({ min: 1, max: 5 }),
  }),
)
const window: fc.Arbitrary<Window> = fc.oneof(
  fc.constant({ kind: 'ever' as const }),
  fc.record({ kind: fc.constant('last' as const), days: fc.integer({ min: 1, max: 5 }) }),
  fc.constant({ kind: 'between' as const, from: '2028-02-24', to: '2028-02-26' }),
)
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ kind: fc.constant('trait' as const), field: fc.constantFrom('one', 'two'), test }),
  fc.record({
    kind: fc.constant('event' as const),
    name: fc.constantFrom('Order', 'View', 'Never'),
    times: fc.oneof(
      fc.constant({ is: 'did not' as const }),
      fc.record({
        is: fc.constantFrom('at least' as const, 'at most' as const, 'exactly' as const),
        count: fc.integer({ min: 0, max: 3 }),
      }),
    ),
    window,
    where: fc.array(fc.record({ property: fc.constant('revenue'), test }), { maxLength: 1 }),
  }),
  fc.record({
    kind: fc.constant('amount' as const),
    of: fc.constantFrom('sum' as const, 'mean' as const, 'highest' as const),
    property: fc.constant('revenue'),
    name: fc.constantFrom('Order', 'View', 'Never'),
    is: fc.constantFrom('at least' as const, 'at most' as const),
    value: numbers,
    window,
    where: fc.array(fc.record({ property: fc.constant('revenue'), test }), { maxLength: 1 }),
  }),
  fc.record({
    kind: fc.constant('sequence' as const),
    first: fc.constantFrom('Order', 'View'),
    second: fc.constantFrom('Order', 'View', 'Never'),
    did: fc.constantFrom('and then' as const, 'but not' as const),
    days: fc.integer({ min: 1, max: 5 }),
    window,
  }),
  fc.record({
    kind: fc.constant('moment' as const),
    which: fc.constantFrom('first' as const, 'last' as const),
    name: fc.constantFrom('Order', 'View', 'Never'),
    is: fc.constantFrom('in the last' as const, 'longer ago than' as const),
    days: fc.integer({ min: 1, max: 5 }),
    where: fc.array(fc.record({ property: fc.constant('revenue'), test }), { maxLength: 1 }),
  }),
  fc.record({
    kind: fc.constant('consent' as const),
    topic: fc.constantFrom('news', 'News', 'other'),
    state: fc.constantFrom('given' as const, 'not given' as const),
  }),
)
const definition: fc.Arbitrary<SegmentDefinition> = fc.record({
  match: fc.constantFrom('all' as const, 'any' as const),
  groups: fc.array(
    fc.record({
      match: fc.constantFrom('all' as const, 'any' as const),
      of: fc.array(condition, { minLength: 1, maxLength: 3 }),
      not: fc.boolean(),
    }),
    { minLength: 1, maxLength: 2 },
  ),
})

function passes(of: Value, asked: Test): boolean {
  const text = of === undefined ? undefined : String(of)
  const number = text === undefined || !/^-?\d+$/.test(text) ? undefined : Number(text)
  const moment = text !== undefined && /^\d{4}-/.test(text) ? Date.parse(text) : undefined
  switch (asked.is) {
    case 'equal':
      return text === String(asked.value)
    case 'not equal':
      return text !== String(asked.value)
    case 'contains':
      return text?.toLowerCase().includes(asked.value.toLowerCase()) === true
    case 'starts with':
      return text?.toLowerCase().startsWith(asked.value.toLowerCase()) === true
    case 'greater than':
      return number !== undefined && number > asked.value
    case 'less than':
      return number !== undefined && number < asked.value
    case 'at least':
      return number !== undefined && number >= asked.value
    case 'at most':
      return number !== undefined && number <= asked.value
    case 'one of':
      return text !== undefined && asked.values.map(String).includes(text)
    case 'set':
      return text !== undefined
    case 'not set':
      return text === undefined
    case 'in the last':
      return moment !== undefined && moment >= nowMs - asked.days * day
    case 'not in the last':
      return moment === undefined || moment < nowMs - asked.days * day
  }
}
function within(atMs: number, of: Window): boolean {
  if (of.kind === 'ever') return true
  if (of.kind === 'last') return atMs >= nowMs - of.days * day
  return atMs >= Date.parse(of.from) && atMs < Date.parse(of.to) + day
}
function holds(person: Someone, of: Condition, { deeds, merges }: World): boolean {
  if (of.kind === 'trait') return passes(person.traits[of.field], of.test)
  if (of.kind === 'consent') return (person.mailable && of.topic.toLowerCase() === 'news') === (of.state === 'given')
  if (of.kind === 'sample') throw new Error('a lot is not drawn here')
  const theirs = deeds.filter((deed) => (merges.get(deed.of) ?? deed.of) === person.id)
  if (of.kind === 'sequence')
    return theirs.some((first) => {
      if (first.name !== of.first || !within(first.atMs, of.window)) return false
      const untilMs = first.atMs + of.days * day
      const came = theirs.some(({ name, atMs }) => name === of.second && atMs > first.atMs && atMs <= untilMs)
      return of.did === 'and then' ? came : !came && untilMs < nowMs
    })
  const some = theirs.filter(
    (deed) => deed.name === of.name && of.where.every((filter) => passes(deed.revenue, filter.test)),
  )
  if (of.kind === 'moment') {
    const at = some.map((deed) => deed.atMs)
    const when = of.which === 'first' ? Math.min(...at) : Math.max(...at)
    return some.length > 0 && when >= nowMs - of.days * day === (of.is === 'in the last')
  }
  const inside = some.filter((deed) => within(deed.atMs, of.window))
  if (of.kind === 'amount') {
    const values = inside.flatMap(({ revenue }) => (/^-?\d+$/.test(String(revenue)) ? [Number(revenue)] : []))
    const sum = values.reduce((total, one) => total + one, 0)
    const figure = of.of === 'sum' ? sum : of.of === 'mean' ? sum / values.length : Math.max(...values)
    if (of.of !== 'sum' && values.length === 0) return false
    return of.is === 'at least' ? figure >= of.value : figure <= of.value
  }
  const times = inside.length
  switch (of.times.is) {
    case 'did not':
      return times === 0
    case 'at least':
      return times >= of.times.count
    case 'at most':
      return times <= of.times.count
    case 'exactly':
      return times === of.times.count
  }
}
function naive(of: SegmentDefinition, all: World): string[] {
  const both = <T>(match: 'all' | 'any', some: readonly T[], is: (one: T) => boolean) =>
    match === 'all' ? some.every(is) : some.some(is)
  return all.people
    .filter((person) =>
      both(of.match, of.groups, (group) => both(group.match, group.of, (one) => holds(person, one, all)) !== group.not),
    )
    .map((person) => person.id)
}

describe('a definition', () => {
  let clickhouse: ClickHouse
  beforeAll(async () => {
    clickhouse = await aClickHouse()
  })

  async function settle(all: World, nth: number): Promise<void> {
    for (const table of ['profile', 'event', 'profile_override', 'anchor_override', 'mailable'])
      await clickhouse.command(`TRUNCATE TABLE ${table}`)
    const at = new Date(nowMs).toISOString()
    const token = `world ${String(nth)}`
    await clickhouse.insert(
      'profile',
      all.people.map(({ id, traits }) => ({
        profile_id: id,
        version: 1,
        removed: 0,
        traits,
        email: '',
        first_seen_at: at,
        last_seen_at: at,
      })),
      { token },
    )
    const mailable = all.people.filter((person) => person.mailable)
    if (mailable.length > 0)
      await clickhouse.insert(
        'mailable',
        mailable.map(({ id }) => ({ topic: 'news', profile_id: id, version: 1, removed: 0 })),
        { token },
      )
    await clickhouse.insert(
      'profile_override',
      [...all.merges].map(([from_profile, to_profile]) => ({ from_profile, to_profile, version: 1 })),
      { token },
    )
    if (all.deeds.length > 0)
      await clickhouse.insert(
        'event',
        all.deeds.map((deed, position) => ({
          source_id: 's',
          message_id: String(position),
          type: 'track',
          name: deed.name,
          profile_id: deed.of,
          time: new Date(deed.atMs).toISOString(),
          original_time: at,
          sent_at: at,
          received_at: at,
          clamped: 0,
          traits: {},
          properties: deed.revenue === undefined ? {} : { revenue: deed.revenue },
          context: {},
          position,
        })),
        { token },
      )
  }

  it('finds whom a naive reading of it finds', async () => {
    let nth = 0
    await fc.assert(
      fc.asyncProperty(world, fc.array(definition, { minLength: 12, maxLength: 12 }), async (all, asked) => {
        await settle(all, (nth += 1))
        for (const one of asked) {
          const { sql, params } = compile(one, nowMs)
          const rows = await clickhouse.query<{ profile_id: string }>(`${sql} ORDER BY profile_id`, params)
          expect(
            rows.map((row) => row.profile_id),
            JSON.stringify(one),
          ).toEqual(naive(one, all))
        }
      }),
      { numRuns: 25 },
    )
  }, 120_000)

  it('says of each person and each condition what that naive reading says', async () => {
    let nth = 1_000
    await fc.assert(
      fc.asyncProperty(world, fc.array(definition, { minLength: 3, maxLength: 3 }), async (all, asked) => {
        await settle(all, (nth += 1))
        for (const one of asked)
          for (const person of all.people) {
            const found = await why(clickhouse, one, person.id, nowMs)
            const told = found?.groups.flatMap((group) => group.of.map(({ holds: is }) => is))
            expect([person.id, found?.inside, told], JSON.stringify(one)).toEqual([
              person.id,
              naive(one, all).includes(person.id),
              one.groups.flatMap((group) => group.of.map((asks) => holds(person, asks, all))),
            ])
          }
      }),
      { numRuns: 8 },
    )
  }, 120_000)

  it('draws the same share of everybody for a lot each time, and others for another lot', async () => {
    const at = new Date(nowMs).toISOString()
    await clickhouse.command('TRUNCATE TABLE profile')
    await clickhouse.insert(
      'profile',
      Array.from({ length: 4_000 }, (_, n) => ({
        profile_id: `drawn ${String(n)}`,
        version: 1,
        removed: 0,
        traits: {},
        email: '',
        first_seen_at: at,
        last_seen_at: at,
      })),
      { token: 'drawn' },
    )
    const drawn = async (percent: number, lot: string) => {
      const { sql, params } = compile(
        { match: 'all', groups: [{ match: 'all', not: false, of: [{ kind: 'sample', percent, lot }] }] },
        nowMs,
      )
      return (await clickhouse.query<{ profile_id: string }>(`${sql} ORDER BY profile_id`, params)).map(
        (row) => row.profile_id,
      )
    }
    const tenth = await drawn(10, 'autumn')
    expect(tenth.length / 4_000).toBeCloseTo(0.1, 1)
    expect(await drawn(10, 'autumn')).toEqual(tenth)
    const fifth = new Set(await drawn(20, 'autumn'))
    expect(tenth.every((id) => fifth.has(id))).toBe(true)
    expect(await drawn(10, 'winter')).not.toEqual(tenth)
    expect(await drawn(100, 'any')).toHaveLength(4_000)
  })
})
