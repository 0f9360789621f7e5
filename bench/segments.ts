import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngines } from '../apps/server/engines.ts'
import type { Condition, SegmentDefinition } from '../modules/segments/contract.ts'
import { compile } from '../modules/segments/server/compile.ts'
import { why } from '../modules/segments/server/why.ts'
import { readConfig } from '../platform/config/config.ts'
import { removeDataDirs } from '../platform/data-dir/remove.ts'
import { createLog } from '../platform/log/log.ts'
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'

/**
 * `npx interlock bench segments [PEOPLE EVENTS]`: how long the count of each of ten typical segments takes over a million people and twenty million events, all of them
 * computed one after the other with their members, and why one person is in one. On the embedded analytics engine, as an installation has it.
 */
export const name = 'segments'

const nowMs = Date.parse('2026-11-01T00:00:00Z')
const [spanDays, tries] = [180, 3]

const event = (name: string, more: Partial<Extract<Condition, { kind: 'event' }>> = {}): Condition => ({
  kind: 'event',
  name,
  times: { is: 'at least', count: 1 },
  window: { kind: 'ever' },
  where: [],
  ...more,
})
const last = (days: number) => ({ kind: 'last', days }) as const
const trait = (field: string, value: string): Condition => ({ kind: 'trait', field, test: { is: 'equal', value } })

/** The typical ones of a shop. */
const typical: Readonly<Record<string, Condition[]>> = {
  four_traits: [
    trait('country', 'SE'),
    trait('plan', 'plus'),
    { kind: 'trait', field: 'age', test: { is: 'greater than', value: 30 } },
    { kind: 'trait', field: 'email', test: { is: 'set' } },
  ],
  ordered_three_times_in_30_days: [
    event('Order Completed', {
      times: { is: 'at least', count: 3 },
      window: last(30),
      where: [{ property: 'revenue', test: { is: 'greater than', value: 50 } }],
    }),
  ],
  never_ordered: [event('Order Completed', { times: { is: 'did not' } })],
  first_viewed_in_30_days: [
    { kind: 'moment', which: 'first', name: 'Product Viewed', is: 'in the last', days: 30, where: [] },
  ],
  lapsed_30_days_with_two_orders: [
    event('Order Completed', { times: { is: 'at least', count: 2 } }),
    event('Order Completed', { times: { is: 'did not' }, window: last(30) }),
  ],
  traits_and_checkout_without_order: [
    trait('country', 'SE'),
    event('Checkout Started', { window: last(7) }),
    event('Order Completed', { times: { is: 'did not' }, window: last(7) }),
  ],
  spent_300_in_90_days: [
    {
      kind: 'amount',
      of: 'sum',
      property: 'revenue',
      name: 'Order Completed',
      is: 'at least',
      value: 300,
      window: last(90),
      where: [],
    },
  ],
  viewed_a_category_in_14_days: [
    event('Product Viewed', {
      window: last(14),
      where: [{ property: 'category', test: { is: 'equal', value: 'Garden' } }],
    }),
  ],
  added_but_not_ordered_within_a_day: [
    {
      kind: 'sequence',
      first: 'Product Added',
      second: 'Order Completed',
      did: 'but not',
      days: 1,
      window: last(30),
    },
  ],
  tenth_by_lot: [{ kind: 'sample', percent: 10, lot: 'autumn' }, trait('plan', 'plus')],
}

export async function run(words: readonly string[] = []) {
  const [people, events] = [Number(words[0] ?? 1_000_000), Number(words[1] ?? 20_000_000)]
  const dataDir = await mkdtemp(join(tmpdir(), 'interlock-bench-segments-'))
  const engines = await openEngines(readConfig({}, { dataDir }), createLog('error'))
  try {
    const { clickhouse } = engines
    const filled = await fill(clickhouse, people, events)
    const figures: Record<string, number> = { people, events, fill_seconds: round(filled) }
    const definitions = Object.entries(typical).map(([name, of]) => [name, all(of)] as const)
    for (const [name, definition] of definitions) {
      const times: number[] = []
      for (let n = 0; n < tries; n++) times.push(await timed(() => count(clickhouse, definition)))
      figures[`${name}_ms`] = Math.round(times.sort((a, b) => a - b)[1] ?? 0)
      figures[`${name}_people`] = await count(clickhouse, definition)
    }
    figures['all_ten_with_members_seconds'] = round(
      (await timed(async () => {
        for (const [, definition] of definitions) await members(clickhouse, definition)
      })) / 1_000,
    )
    const asked: number[] = []
    for (let n = 0; n < 20; n++) {
      const [, definition] = definitions[n % definitions.length] ?? definitions[0] ?? ['', all([])]
      asked.push(await timed(() => why(clickhouse, definition, `p${String((n * 7_919) % people)}`, nowMs)))
    }
    figures['why_one_person_ms'] = Math.round(asked.sort((a, b) => a - b)[10] ?? 0)
    return {
      figures,
      notes: [
        `${people.toLocaleString('en-GB')} people, ${events.toLocaleString('en-GB')} events over ${String(spanDays)} days, drawn by the analytics engine itself, in the product's own tables, one in a hundred people part of another. …_ms is the middle of ${String(tries)} counts.`,
        'all_ten_with_members: every id of every segment, streamed to this process, one segment after the other.',
        'why_one_person: the middle of 20 questions why somebody is in one of the ten, or not.',
      ],
    }
  } finally {
    await engines.close()
    await removeDataDirs(dataDir)
  }
}

const all = (of: Condition[]): SegmentDefinition => ({ match: 'all', groups: [{ match: 'all', not: false, of }] })
const round = (value: number) => Math.round(value * 10) / 10

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

async function count(clickhouse: ClickHouse, definition: SegmentDefinition): Promise<number> {
  const { sql, params } = compile(definition, nowMs)
  const [row] = await clickhouse.query<{ people: string }>(`SELECT toString(count()) AS people FROM (${sql})`, params)
  return Number(row?.people)
}

async function members(clickhouse: ClickHouse, definition: SegmentDefinition): Promise<number> {
  const { sql, params } = compile(definition, nowMs)
  let found = 0
  for await (const rows of clickhouse.stream(`${sql} ORDER BY profile_id`, params)) found += rows.length
  return found
}

/** @returns seconds */
async function fill(clickhouse: ClickHouse, people: number, events: number): Promise<number> {
  const began = performance.now()
  const atOnce = 1_000_000
  for (let from = 0; from < people; from += atOnce)
    await clickhouse.command(
      `INSERT INTO profile (profile_id, version, removed, traits, email, first_seen_at, last_seen_at)
       SELECT 'p' || toString(number) AS profile_id, 1, 0,
         toJSONString(map('country', ['SE', 'DE', 'IE', 'BG'][1 + cityHash64(number, 1) % 4], 'plan', ['basic', 'plus'][1 + cityHash64(number, 2) % 2], 'age', toString(18 + cityHash64(number, 3) % 60), 'email', profile_id || '@bench.example'))::JSON,
         profile_id || '@bench.example', toDateTime64({now:Int64} / 1000, 3, 'UTC') - INTERVAL 180 DAY, toDateTime64({now:Int64} / 1000, 3, 'UTC')
       FROM numbers({from:UInt64}, {many:UInt64})`,
      { now: nowMs, from, many: Math.min(atOnce, people - from) },
    )
  for (let from = 0; from < events; from += atOnce)
    await clickhouse.command(
      `INSERT INTO event (source_id, message_id, type, name, user_id, anonymous_id, profile_id, external_ids, time, original_time, sent_at, received_at, clamped, traits, properties, context, position)
       SELECT 'source_bench', toString(number), 'track',
         multiIf(kind < 55, 'Product Viewed', kind < 75, 'Page Viewed', kind < 87, 'Product Added', kind < 93, 'Checkout Started', 'Order Completed'),
         '', '', 'p' || toString(cityHash64(number, 4) % {people:UInt64}), [], at, at, at, at, 0, '{}'::JSON,
         toJSONString(map('category', ['Garden', 'Kids', 'Kitchen', 'Light', 'Bed', 'Bath', 'Tools', 'Paint'][1 + cityHash64(number, 5) % 8], 'revenue', toString(round(5 + cityHash64(number, 6) % 15000 / 100, 2))))::JSON,
         '{}'::JSON, number
       FROM (SELECT number, cityHash64(number, 7) % 100 AS kind, toDateTime64(({now:Int64} - cityHash64(number, 8) % ({days:Int64} * 86400000)) / 1000, 3, 'UTC') AS at FROM numbers({from:UInt64}, {many:UInt64}))`,
      { now: nowMs, days: spanDays, people, from, many: Math.min(atOnce, events - from) },
    )
  await clickhouse.command(
    `INSERT INTO profile_override (from_profile, to_profile, version) SELECT 'p' || toString(number), 'p' || toString(number + 1), 1 FROM numbers({people:UInt64}) WHERE number % 100 = 0`,
    { people },
  )
  return (performance.now() - began) / 1_000
}
