import fc from 'fast-check'
import { beforeAll, describe as group, expect, it } from 'vitest'
import { aClickHouse } from '../../../test/make/engines.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { SegmentDefinition } from '../contract.ts'
import { compile } from './compile.ts'
import { describe } from './describe.ts'
import { why } from './why.ts'

const nowMs = Date.parse('2028-02-29T10:00:00Z')
const ago = (days: number) => new Date(nowMs - days * 86_400_000).toISOString()
const all = (...of: SegmentDefinition['groups'][number]['of']): SegmentDefinition => ({
  match: 'all',
  groups: [{ match: 'all', of, not: false }],
})

group('a segment', () => {
  let clickhouse: ClickHouse
  beforeAll(async () => {
    clickhouse = await aClickHouse()
    const person = (id: string, traits: object) => ({
      profile_id: id,
      version: 1,
      removed: 0,
      traits,
      email: `${id}@mail.example`,
      first_seen_at: ago(100),
      last_seen_at: ago(1),
    })
    await clickhouse.insert(
      'profile',
      [
        person('åsa', { firstName: 'Åsa', address: { country: 'SE' }, age: 40, since: ago(20) }),
        person('obrien', { firstName: `O'Brien`, address: { country: 'IE' }, age: '39' }),
        person('gone', {}),
        person('merged', { firstName: 'Щерев' }),
      ],
      { token: 'people' },
    )
    await clickhouse.insert('profile', [{ ...person('gone', {}), version: 2, removed: 1 }], { token: 'gone' })
    const event = (profile: string, name: string, days: number, properties: object = {}, position = 1) => ({
      source_id: 's',
      message_id: `${profile}${name}${String(days)}${String(position)}`,
      type: 'track',
      name,
      user_id: '',
      anonymous_id: '',
      previous_id: '',
      group_id: '',
      profile_id: profile,
      external_ids: [],
      time: ago(days),
      original_time: ago(days),
      sent_at: ago(days),
      received_at: ago(days),
      clamped: 0,
      traits: {},
      properties,
      context: {},
      position,
    })
    await clickhouse.insert(
      'event',
      [
        event('åsa', 'Order Completed', 5, { revenue: 80 }),
        event('åsa', 'Order Completed', 100, { revenue: 20 }),
        event('obrien', 'Order Completed', 120, { revenue: 300 }),
        event('old', 'Order Completed', 3, { revenue: 10 }),
      ],
      { token: 'events' },
    )
    await clickhouse.insert('profile_override', [{ from_profile: 'old', to_profile: 'merged', version: 1 }], {
      token: 'override',
    })
  })
  const members = async (definition: SegmentDefinition) => {
    const { sql, params } = compile(definition, nowMs)
    return (await clickhouse.query<{ profile_id: string }>(`${sql} ORDER BY profile_id`, params)).map(
      (row) => row.profile_id,
    )
  }

  it.each<[string, SegmentDefinition, string[]]>([
    ['a country', all({ kind: 'trait', field: 'address.country', test: { is: 'equal', value: 'SE' } }), ['åsa']],
    [
      'a name with an apostrophe',
      all({ kind: 'trait', field: 'firstName', test: { is: 'equal', value: `O'Brien` } }),
      ['obrien'],
    ],
    [
      'a number that some sources send as text',
      all({ kind: 'trait', field: 'age', test: { is: 'at least', value: 39 } }),
      ['obrien', 'åsa'],
    ],
    ['what is not known', all({ kind: 'trait', field: 'age', test: { is: 'not set' } }), ['merged']],
    ['a date in the last days', all({ kind: 'trait', field: 'since', test: { is: 'in the last', days: 30 } }), ['åsa']],
    [
      'orders within a window, also of someone who merged since',
      all({
        kind: 'event',
        name: 'Order Completed',
        times: { is: 'at least', count: 1 },
        window: { kind: 'last', days: 30 },
        where: [],
      }),
      ['merged', 'åsa'],
    ],
    [
      'orders with a property',
      all({
        kind: 'event',
        name: 'Order Completed',
        times: { is: 'at least', count: 1 },
        window: { kind: 'ever' },
        where: [{ property: 'revenue', test: { is: 'greater than', value: 100 } }],
      }),
      ['obrien'],
    ],
    [
      'two orders, ever',
      all({
        kind: 'event',
        name: 'Order Completed',
        times: { is: 'exactly', count: 2 },
        window: { kind: 'ever' },
        where: [],
      }),
      ['åsa'],
    ],
    [
      'who did not order lately',
      all({
        kind: 'event',
        name: 'Order Completed',
        times: { is: 'did not' },
        window: { kind: 'last', days: 30 },
        where: [],
      }),
      ['obrien'],
    ],
    ...(
      [
        ['at most', 0, ['merged']],
        ['exactly', 0, ['merged']],
        ['at least', 0, ['merged', 'obrien', 'åsa']],
        ['at most', 1, ['merged', 'obrien']],
        ['exactly', 1, ['obrien']],
      ] as const
    ).map(([is, count, expected]): [string, SegmentDefinition, string[]] => [
      `who ordered something dear ${is} ${String(count)} times, who never did included`,
      all({
        kind: 'event',
        name: 'Order Completed',
        times: { is, count },
        window: { kind: 'ever' },
        where: [{ property: 'revenue', test: { is: 'greater than', value: 15 } }],
      }),
      [...expected],
    ]),
    [
      'any of two',
      {
        match: 'any',
        groups: [
          {
            match: 'all',
            of: [{ kind: 'trait', field: 'address.country', test: { is: 'one of', values: ['SE', 'NO'] } }],
            not: false,
          },
          {
            match: 'all',
            of: [{ kind: 'trait', field: 'firstName', test: { is: 'contains', value: 'щер' } }],
            not: false,
          },
        ],
      },
      ['merged', 'åsa'],
    ],
    [
      'not a group',
      {
        match: 'all',
        groups: [{ match: 'any', of: [{ kind: 'trait', field: 'age', test: { is: 'set' } }], not: true }],
      },
      ['merged'],
    ],
  ])('finds %s', async (_what, definition, expected) => {
    expect(await members(definition)).toEqual(expected)
  })

  it('reads back as a sentence', () => {
    expect(
      describe(
        all(
          {
            kind: 'event',
            name: 'Order Completed',
            times: { is: 'at least', count: 2 },
            window: { kind: 'last', days: 180 },
            where: [],
          },
          {
            kind: 'event',
            name: 'Order Completed',
            times: { is: 'did not' },
            window: { kind: 'last', days: 90 },
            where: [],
          },
          { kind: 'trait', field: 'address.country', test: { is: 'equal', value: 'DE' } },
        ),
      ),
    ).toBe(
      'People who did “Order Completed” at least 2 times in the last 180 days, who did not do “Order Completed” in the last 90 days and whose country is “DE”.',
    )
  })

  it('reads back amounts, sequences, moments and lots', () => {
    const window = { kind: 'last' as const, days: 90 }
    const where = [{ property: 'store', test: { is: 'equal' as const, value: 'web' } }]
    const spent = { kind: 'amount' as const, of: 'sum' as const, property: 'revenue', name: 'Order', value: 100 }
    expect(
      describe(
        all(
          { ...spent, is: 'at least', window, where },
          { kind: 'sequence', first: 'Added', second: 'Order', did: 'but not', days: 1, window: { kind: 'ever' } },
          { kind: 'moment', which: 'last', name: 'Order', is: 'longer ago than', days: 60, where: [] },
          { kind: 'sample', percent: 12.5, lot: 'höst' },
        ),
      ),
    ).toBe(
      'People whose “Order” with store that is “web” in the last 90 days together have revenue at least 100, who did “Added” but not “Order” within one day after it, who did “Order” for the last time more than 60 days ago and who are in the 12.5% drawn by the lot “höst”.',
    )
  })

  it('says why somebody is in it or not, with what there is to show', async () => {
    const asked = all(
      { kind: 'trait', field: 'address.country', test: { is: 'equal', value: 'SE' } },
      { kind: 'trait', field: 'phone', test: { is: 'set' } },
      { kind: 'event', name: 'Never', times: { is: 'did not' }, window: { kind: 'ever' }, where: [] },
    )
    expect(await why(clickhouse, asked, 'åsa', nowMs)).toEqual({
      inside: false,
      match: 'all',
      groups: [
        {
          match: 'all',
          not: false,
          holds: false,
          of: [
            { says: 'whose country is “SE”', holds: true, found: 'it is “SE”', at: null },
            { says: 'whose phone is known', holds: false, found: 'not known', at: null },
            { says: 'who did not do “Never”', holds: true, found: 'not once', at: null },
          ],
        },
      ],
    })
    expect(await why(clickhouse, asked, 'nobody', nowMs)).toBeUndefined()
  })

  it('never lets a word of a person into the SQL', () => {
    const hostile = fc.string({ minLength: 8, maxLength: 40 }).map((text) => `hostile'${text}`)
    fc.assert(
      fc.property(hostile, hostile, fc.constantFrom('equal' as const, 'not equal' as const), (value, name, is) => {
        const { sql } = compile(
          all(
            { kind: 'trait', field: 'a', test: { is, value } },
            {
              kind: 'event',
              name,
              times: { is: 'did not' },
              window: { kind: 'ever' },
              where: [{ property: 'b', test: { is: 'contains', value } }],
            },
            { kind: 'consent', topic: name, state: 'given' },
            { kind: 'sample', percent: 1, lot: name },
            { kind: 'sequence', first: name, second: value, did: 'and then', days: 1, window: { kind: 'ever' } },
            { kind: 'moment', which: 'first', name, is: 'in the last', days: 1, where: [] },
          ),
          nowMs,
        )
        expect(sql).not.toContain('hostile')
      }),
    )
  })
})
