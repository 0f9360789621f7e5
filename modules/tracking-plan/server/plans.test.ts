import { describe, expect, it } from 'vitest'
import { somebody } from '../../../test/make/callers.ts'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'
import { aClickHouse, aPostgres } from '../../../test/make/engines.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { silentLog } from '../../../platform/log/log.ts'
import type { PostgresPool } from '../../../platform/postgres/postgres.ts'
import { createAudit } from '../../audit/server/index.ts'
import { createSources } from '../../sources/server/index.ts'
import { createIds, systemRandom } from '../../../platform/random/random.ts'
import { PlanContent } from '../contract.ts'
import { createTrackingPlans, type TrackingPlans } from './service.ts'

const order = 'Order “ñ” Completed'
const plan = (more: object = {}) =>
  PlanContent.parse({
    events: [
      {
        type: 'track',
        name: order,
        properties: [
          { name: 'total', type: 'number', required: true, meaning: 'Sum with tax', sensitivity: 3 },
          { name: 'channel', type: 'string', values: ['web', 'shop'] },
        ],
      },
      { type: 'identify', properties: [{ name: 'email', type: 'email', sensitivity: 2 }] },
    ],
    ...more,
  })

interface House {
  plans: TrackingPlans
  server: CollectServer
  postgres: PostgresPool
  clickhouse: ClickHouse
}
function planner(postgres: PostgresPool, clickhouse: ClickHouse): TrackingPlans {
  const [clock, log] = [systemClock, silentLog]
  const audit = createAudit({ postgres, clock })
  const sources = createSources({
    postgres,
    clock,
    ids: createIds(clock, systemRandom),
    random: systemRandom,
    log,
    audit,
  })
  return createTrackingPlans({ postgres, clickhouse, clock, log, audit, sources, names: () => Promise.resolve({}) })
}
async function aHouse(content?: PlanContent): Promise<House> {
  const [postgres, clickhouse] = await Promise.all([aPostgres(), aClickHouse()])
  const plans = planner(postgres, clickhouse)
  const server = await aCollectServer({ postgres, clickhouse, steps: [plans.step] })
  if (content !== undefined) await plans.save(somebody, server.source.id, content, 0, '')
  return { plans, server, postgres, clickhouse }
}
const track = (properties: object, more: object = {}) => ({
  type: 'track',
  event: order,
  userId: 'İsmail',
  properties,
  context: { library: { name: 'analytics.js', version: '1.84.3' } },
  ...more,
})
async function send({ server }: House, ...events: object[]) {
  await server.collect.accept(server.source, events, 'test')
  await server.collect.drained()
}
const stored = ({ clickhouse }: House, columns = 'properties') =>
  clickhouse.query(
    `SELECT ${columns} FROM event ORDER BY position SETTINGS output_format_json_quote_64bit_integers = 0`,
  )
async function counts({ server }: House) {
  const { total, lost } = await server.collect.ledger()
  const { received, stored: kept, quarantined, rejected, deduplicated, inFlight } = total
  expect(received).toBe(kept + deduplicated + quarantined + rejected + inFlight)
  expect(lost).toBe(0)
  return { stored: kept, quarantined, rejected }
}

describe('a tracking plan', () => {
  it('that observes stores everything as it came and writes down what violates it, with the library that sent it', async () => {
    const house = await aHouse(plan())
    await send(house, track({ total: 1 }), track({ total: 'one', phone: '+46 70 123 45 67' }), {
      ...track({}),
      event: 'Unheard “of”',
      context: { library: { name: 'analytics.js', version: '1.85.0' } },
    })
    expect(await counts(house)).toEqual({ stored: 3, quarantined: 0, rejected: 0 })
    expect(await stored(house)).toEqual([
      { properties: { total: 1 } },
      { properties: { total: 'one', phone: '+46 70 123 45 67' } },
      { properties: {} },
    ])
    const { violations, events, steps } = await house.plans.violations(house.server.source.id, 'day')
    expect([events, steps]).toEqual([3, 24])
    const found = violations.map(({ name, property, rule, samples, libraries, overTime }) => [
      name,
      property,
      rule,
      samples,
      libraries.map((one) => one.version),
      overTime.reduce((sum, one) => sum + one, 0),
    ])
    expect(found).toEqual(
      expect.arrayContaining([
        [order, 'total', 'wrong_type', ['text of 3 characters'], ['1.84.3'], 1],
        // Not in the plan, but its name says what it is: only its form is kept.
        [order, 'phone', 'unplanned_property', ['text of 16 characters'], ['1.84.3'], 1],
        ['Unheard “of”', '', 'unplanned_event', [], ['1.85.0'], 1],
      ]),
    )
    expect(violations[0]?.overTime.length).toBe(24)
    await house.server.close()
  })

  it('that omits leaves out only what is not planned or not valid', async () => {
    const house = await aHouse(plan({ mode: 'omit' }))
    await send(house, track({ total: 2, channel: 'fax', deep: { er: 1 } }), {
      type: 'identify',
      userId: 'u',
      context: { traits: { email: 'a@b.example', shoe: 44 } },
    })
    expect(await counts(house)).toEqual({ stored: 2, quarantined: 0, rejected: 0 })
    expect(await stored(house, 'properties, traits, context')).toEqual([
      { properties: { total: 2 }, traits: {}, context: expect.anything() as unknown },
      { properties: {}, traits: { email: 'a@b.example' }, context: { traits: { email: 'a@b.example' } } },
    ])
    await house.server.close()
  })

  it('that blocks keeps nothing and counts it as rejected, but only where it says so', async () => {
    const house = await aHouse(
      plan({
        events: plan().events.map((event) => ({ ...event, ...(event.type === 'track' ? { mode: 'block' } : {}) })),
      }),
    )
    await send(house, track({}), track({ total: 1 }), { type: 'identify', userId: 'u', traits: { email: 'no' } })
    expect(await counts(house)).toEqual({ stored: 2, quarantined: 0, rejected: 1 })
    const { hours } = await house.server.collect.ledger()
    expect(hours.find((row) => row.outcome === 'rejected')?.reason).toBe('blocked_by_plan')
    expect(
      house.server.collect.inspector.recent({ limit: 10 }).find((one) => one.outcome === 'rejected')?.because,
    ).toMatch(/not kept/)
    expect((await house.server.collect.quarantine({})).matched).toBe(0)
    await house.server.close()
  })

  it('that quarantines gives back what a corrected plan allows: seen within five seconds, put aside, replayed, stored once', async () => {
    const house = await aHouse(plan({ mode: 'quarantine' }))
    const { server, plans } = house
    await send(house, track({ total: 1, channel: 'fax' }, { messageId: 'on purpose' }), track({ total: 2 }))
    expect(await counts(house)).toEqual({ stored: 1, quarantined: 1, rejected: 0 })
    const { samples } = await server.collect.quarantine({ reason: 'violates_plan' })
    expect(samples[0]).toMatchObject({
      because: 'Plan version 1: channel is none of the planned values.',
      messageId: 'on purpose',
    })
    expect((await plans.violations(server.source.id, 'hour')).violations).toMatchObject([
      { property: 'channel', rule: 'not_in_values', samples: ['fax'], events: 1 },
    ])
    const rows = await server.collect.asideRows(10)
    expect((await server.collect.preview(rows))[0]?.outcome.kind).toBe('quarantined')

    const events = plan().events.map((event) => ({
      ...event,
      properties: event.properties.map((one) =>
        one.name === 'channel' ? { ...one, values: ['web', 'shop', 'fax'] } : one,
      ),
    }))
    await plans.save(somebody, server.source.id, plan({ mode: 'quarantine', events }), 1, 'Fax it is')
    expect((await server.collect.preview(rows))[0]?.outcome.kind).toBe('stored')
    await server.collect.replay('replay_1', rows)
    await server.collect.replay('replay_2', rows)
    await server.collect.drained()
    expect(await counts(house)).toEqual({ stored: 2, quarantined: 0, rejected: 0 })
    expect((await stored(house)).length).toBe(2)
    // What is replayed was written down when it came.
    expect((await plans.violations(server.source.id, 'hour')).events).toBe(1)
    await server.close()
  })

  it('judges a batch that comes again after a crash by the version that judged it first', async () => {
    const house = await aHouse(plan())
    const { postgres, clickhouse, plans } = house
    const transaction: PostgresPool['transaction'] = () => Promise.reject(new Refusal('busy', 'away'))
    // Stored, and cut off before it was counted.
    let server = await house.server.again({ stands: true })
    await server.collect.accept(server.source, [track({ total: 'x' }, { messageId: 'm' })], 'test')
    const cut = { ...postgres, transaction }
    server = await server.again({ postgres: cut, stands: false })
    while ((await stored(house)).length === 0) await systemClock.sleep(20)
    await plans.save(somebody, server.source.id, plan({ mode: 'quarantine' }), 1, 'stricter now')
    server = await server.again({ postgres, clickhouse })
    await server.collect.drained()
    expect(await counts({ ...house, server })).toEqual({ stored: 1, quarantined: 0, rejected: 0 })
    expect((await stored(house)).length).toBe(1)
    expect((await plans.violations(server.source.id, 'hour')).events).toBe(1)
    // The next batch meets the new one.
    await send({ ...house, server }, track({ total: 'x' }, { messageId: 'n' }))
    expect(await counts({ ...house, server })).toEqual({ stored: 1, quarantined: 1, rejected: 0 })
    await server.close()
  })

  it('is a new version with each save, in the audit log; who edited an older one is told, not overwritten', async () => {
    const { plans, server, postgres, clickhouse } = await aHouse(plan())
    const id = server.source.id
    await plans.save(somebody, id, plan({ mode: 'omit' }), 1, 'stricter')
    await expect(plans.save(somebody, id, plan(), 1, '')).rejects.toMatchObject({ code: 'conflict' })
    const both = await Promise.allSettled([
      plans.save(somebody, id, plan({ mode: 'block' }), 2, ''),
      plans.save(somebody, id, plan({ mode: 'observe' }), 2, ''),
    ])
    expect(both.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected'])
    const { versions, plan: now } = await plans.get(id)
    expect(versions.map((one) => [one.version, one.note])).toEqual([
      [3, ''],
      [2, 'stricter'],
      [1, ''],
    ])
    expect(now?.version).toBe(3)
    expect((await plans.version(id, 1)).content).toEqual(plan())
    const rows = await postgres.query<{ deed: string }>(
      `SELECT body::jsonb->>'deed' AS deed FROM audit.entry WHERE body::jsonb->>'deed' LIKE 'plan.%' ORDER BY seq`,
    )
    expect(rows.map((row) => row.deed)).toEqual(['plan.created', 'plan.changed', 'plan.changed'])
    await expect(plans.save(somebody, server.sources.internal().id, plan(), 0, '')).rejects.toMatchObject({
      code: 'not_now',
    })
    const owner = `account_${'0'.repeat(26)}`
    await expect(plans.save(somebody, id, plan({ ownerIt: owner }), 3, '')).rejects.toMatchObject({ code: 'bad_input' })
    // Another server takes it up by itself.
    const other = planner(postgres, clickhouse)
    await other.load()
    const judged = [{ event: { sourceId: id, type: 'track', name: 'no', traits: {}, properties: {} }, position: 0n }]
    const outcome = () => {
      const [one] = structuredClone(judged) as never as [{ outcome?: { kind: string } }]
      other.step.preview?.([one] as never)
      return one.outcome?.kind
    }
    const before = outcome()
    await plans.save(somebody, id, plan({ mode: before === 'rejected' ? 'quarantine' : 'block' }), 3, '')
    while (outcome() === before) await systemClock.sleep(50)
    other.stop()
    await server.close()
  })

  it('is begun from what arrived with one deed, and what people wrote stays', async () => {
    const house = await aHouse()
    const { plans, server } = house
    const page = { type: 'page', name: 'Start', anonymousId: 'a', properties: { url: 'https://x.example/', load: 2 } }
    await send(house, track({ total: 1, at: '2026-01-01', 'who.email': 'a@b.example' }), track({ total: 2.5 }), page)
    const { seen } = await plans.seen(server.source.id)
    expect(seen.map((one) => [one.type, one.name, one.events, one.planned])).toEqual([
      ['track', order, 2, false],
      ['page', 'Start', 1, false],
    ])
    expect(seen[0]?.properties.map(({ name, type, events, sensitivity }) => [name, type, events, sensitivity])).toEqual(
      [
        ['total', 'number', 2, 1],
        ['at', 'time', 1, 1],
        ['who.email', 'email', 1, 2],
      ],
    )
    expect(seen[0]?.properties.find((one) => one.name === 'who.email')?.samples).toEqual(['text of 11 characters'])
    const first = await plans.adopt(somebody, server.source.id, [{ type: 'page', name: 'Start' }])
    expect([first.version, first.content.events.length, first.note]).toEqual([1, 1, 'Adopted page Start'])
    const written = structuredClone(first.content)
    written.events[0]!.properties[0]!.meaning = 'Where it is'
    await plans.save(somebody, server.source.id, written, 1, '')
    const all = await plans.adopt(somebody, server.source.id, 'all')
    expect(all.content.events.map((event) => event.name)).toEqual(['Start', order])
    expect(all.content.events[0]?.properties.map((one) => [one.name, one.type, one.required, one.meaning])).toEqual(
      expect.arrayContaining(
        [
          ['url', 'url', true, ''],
          ['load', 'integer', true, ''],
        ].map((row) => (row[0] === written.events[0]!.properties[0]!.name ? [...row.slice(0, 3), 'Where it is'] : row)),
      ),
    )
    // What it was made from passes it.
    expect(await plans.judge(server.source.id, { ...all.content, mode: 'block' })).toMatchObject({
      events: 3,
      looked: 3,
      clean: 3,
      blocked: 0,
    })
    await server.close()
  })

  it('tells, before it is made stricter, what it would have done to the events of last week', async () => {
    const house = await aHouse()
    await send(house, track({ total: 1 }), track({ total: 'x', more: 1 }), track({}))
    const judge = (mode: string) => house.plans.judge(house.server.source.id, plan({ mode }))
    expect(await judge('quarantine')).toMatchObject({ events: 3, clean: 1, quarantined: 2 })
    expect(await judge('omit')).toMatchObject({ clean: 1, omitted: 1, noted: 1 })
    expect((await judge('observe')).worst).toEqual(
      expect.arrayContaining([{ event: order, property: 'total', rule: 'missing_property', events: 1 }]),
    )
    expect(await counts(house)).toEqual({ stored: 3, quarantined: 0, rejected: 0 })
    await house.server.close()
  })

  it('of a sender who makes up keys fills neither the memory nor the store', async () => {
    const house = await aHouse(plan())
    const events = Array.from({ length: 60 }, (_none, at) =>
      track(Object.fromEntries(Array.from({ length: 50 }, (_no, key) => [`k${at}_${key}`, 'x'.repeat(500)]))),
    )
    await send(house, ...events)
    const [row] = await house.clickhouse.query<{ n: string; all: string; longest: string }>(
      'SELECT count() AS n, sum(events) AS all, max(arrayMax(arrayMap(s -> length(s), samples))) AS longest FROM violation',
    )
    expect(Number(row?.n)).toBeLessThanOrEqual(1005)
    expect(Number(row?.all)).toBe(60 * 50)
    expect(Number(row?.longest)).toBeLessThan(90)
    await house.server.close()
  })
})
