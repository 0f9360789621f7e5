import { afterAll, describe, expect, it } from 'vitest'
import { somebody } from '../../../test/make/callers.ts'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'
import { aPostgres } from '../../../test/make/engines.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { createJobs, prepareJobs } from '../../../platform/jobs/worker.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { createIds, systemRandom } from '../../../platform/random/random.ts'
import { createAudit } from '../../audit/server/index.ts'
import type { Json, Replay } from '../contract.ts'
import type { PipelineStep } from './pipeline.ts'
import { countChosen } from './put-aside.ts'
import { createReplays, type Replays } from './replays.ts'

/** Puts aside what `strict.against` names, as long as it does. */
function aGate() {
  const strict = { against: new Set<string>(), broken: false }
  const decide: NonNullable<PipelineStep['preview']> = (events) => {
    for (const one of events)
      if (strict.against.has(one.event.name))
        one.outcome = { kind: 'quarantined', reason: 'violates_plan', because: `${one.event.name} is not welcome` }
  }
  const step: PipelineStep = {
    name: 'gate',
    run({ events }) {
      if (strict.broken && events.length > 0) throw new Error('broken')
      decide(events)
      return Promise.resolve()
    },
    preview: decide,
  }
  return { strict, step }
}

async function aHouse(step: PipelineStep) {
  const postgres = await aPostgres()
  await prepareJobs(postgres.address)
  const server = await aCollectServer({ steps: [step], postgres })
  const jobs = createJobs({ postgres, address: postgres.address, log: silentLog })
  const replays = createReplays({
    postgres,
    clickhouse: server.clickhouse,
    clock: systemClock,
    ids: createIds(systemClock, systemRandom),
    log: silentLog,
    jobs,
    audit: createAudit({ postgres, clock: systemClock }),
    collect: server.collect,
  })
  await jobs.start()
  afterAll(() => jobs.stop())
  return { server, replays }
}
async function becomes(replays: Replays, id: string, state: Replay['state']): Promise<Replay> {
  for (;;) {
    const found = (await replays.list()).find((one) => one.id === id)
    if (found?.state === state) return found
    if (found?.state === 'failed') throw new Error(found.because ?? 'failed')
    await systemClock.sleep(20)
  }
}
const track = (event: string, more: object = {}) => ({ type: 'track', event, userId: 'İsmail', ...more })
async function stored(server: CollectServer) {
  return server.clickhouse.query<{
    name: string
    message_id: string
    time: string
    received_at: string
    properties: Json
  }>('SELECT name, message_id, time, received_at, properties FROM event ORDER BY name, message_id')
}
/** Received once is counted once, whatever came after. */
async function ledger(server: CollectServer) {
  const { total, lost } = await server.collect.ledger()
  const { received, stored: kept, deduplicated, quarantined, rejected, inFlight } = total
  expect(received).toBe(kept + deduplicated + quarantined + rejected + inFlight)
  expect(lost).toBe(0)
  return { received, stored: kept, deduplicated, quarantined }
}

describe('what was put aside', () => {
  it('is checked first, then replayed with its times and ids, and counted as what it became', async () => {
    const { strict, step } = aGate()
    strict.against.add('köp “ñ”').add('never')
    const { server, replays } = await aHouse(step)
    await server.collect.accept(
      server.source,
      [
        track('köp “ñ”', { messageId: 'one', timestamp: '2020-01-01T00:00:00Z', properties: { total: 7, '😀': 'x' } }),
        track('köp “ñ”'),
        track('never', { messageId: 'never' }),
        track('fine', { messageId: 'fine' }),
        { type: 'track', userId: 'no name' },
      ],
      'test',
    )
    await server.collect.drained()
    expect(await ledger(server)).toMatchObject({ received: 5, stored: 1, quarantined: 4 })
    const before = await server.collect.quarantine({ reason: 'violates_plan', name: 'köp “ñ”' })
    expect([before.matched, before.samples[0]?.because]).toEqual([2, 'köp “ñ” is not welcome'])

    strict.against.delete('köp “ñ”')
    const checked = await becomes(replays, (await replays.check(somebody, { source: server.source.id })).id, 'checked')
    expect(checked).toMatchObject({ matched: 4, looked: 4, found: { pass: 2, duplicate: 0, untold: 0 } })
    expect(checked.found?.fails.map(({ reason, events }) => [reason, events])).toEqual(
      expect.arrayContaining([
        ['violates_plan', 1],
        ['no_event_name', 1],
      ]),
    )
    expect((await stored(server)).length).toBe(1)

    await replays.run(somebody, checked.id)
    await becomes(replays, checked.id, 'done')
    await server.collect.drained()
    const rows = await stored(server)
    expect(rows.map((row) => row.name)).toEqual(['fine', 'köp “ñ”', 'köp “ñ”'])
    const one = rows.find((row) => row.message_id === 'one')
    expect(one).toMatchObject({ properties: { total: '7', '😀': 'x' } })
    expect(one?.time.slice(0, 10)).toBe('2020-01-01')
    expect(new Set(rows.map((row) => row.received_at)).size).toBe(1)
    expect(await ledger(server)).toEqual({ received: 5, stored: 3, deduplicated: 0, quarantined: 2 })
    expect((await server.collect.quarantine({})).matched).toBe(2)
    const { became } = await becomes(replays, checked.id, 'done')
    expect(became.map(({ outcome, events }) => [outcome, events])).toEqual(expect.arrayContaining([['stored', 2]]))
    const audited = await server.postgres.query<{ deed: string }>(
      `SELECT body::jsonb->>'deed' AS deed FROM audit.entry WHERE body::jsonb->>'deed' LIKE 'quarantine.%' ORDER BY seq`,
    )
    expect(audited.map((row) => row.deed)).toEqual(['quarantine.checked', 'quarantine.replayed'])
    await server.close()
  })

  it('is stored once and counted once when it is replayed twice at the same time, and again after a restart', async () => {
    const { strict, step } = aGate()
    strict.against.add('x')
    const { server, replays } = await aHouse(step)
    const events = Array.from({ length: 150 }, () => track('x'))
    await server.collect.accept(server.source, [...events, track('x', { messageId: 'sent again' })], 'test')
    await server.collect.drained()
    strict.against.clear()
    // The sender was quicker with one of them.
    await server.collect.accept(server.source, [track('x', { messageId: 'sent again' })], 'test')
    await server.collect.drained()
    const rows = await server.collect.asideRows(1000)
    expect(rows.length).toBe(151)
    const [a, b] = await Promise.all([replays.check(somebody, {}), replays.check(somebody, {})])
    await Promise.all([becomes(replays, a.id, 'checked'), becomes(replays, b.id, 'checked')])
    expect((await becomes(replays, a.id, 'checked')).found).toMatchObject({ pass: 150, duplicate: 1 })
    await Promise.all([replays.run(somebody, a.id), replays.run(somebody, b.id)])
    await Promise.all([becomes(replays, a.id, 'done'), becomes(replays, b.id, 'done')])
    // A job that was killed after it had sent, and before it had written that down, sends again.
    await server.collect.replay(a.id, rows)
    await server.collect.drained()
    expect((await stored(server)).length).toBe(151)
    expect(await ledger(server)).toEqual({ received: 152, stored: 151, deduplicated: 1, quarantined: 0 })
    const next = await server.again({ steps: [step], stands: true })
    await next.collect.replay(a.id, rows)
    expect((await next.collect.ledger()).total).toMatchObject({ received: 152, inFlight: 0 })
    const again = await next.again({ steps: [step], stands: false })
    await again.collect.drained()
    expect((await stored(again)).length).toBe(151)
    expect(await ledger(again)).toEqual({ received: 152, stored: 151, deduplicated: 1, quarantined: 0 })
    await again.close()
  })

  it('and violates still is put aside once more, one row in the place of the other, and does not come round in the same replay', async () => {
    const { strict, step } = aGate()
    strict.against.add('x')
    const { server, replays } = await aHouse(step)
    await server.collect.accept(server.source, [track('x'), track('x')], 'test')
    await server.collect.drained()
    const checked = await becomes(replays, (await replays.check(somebody, {})).id, 'checked')
    await replays.run(somebody, checked.id)
    expect(await becomes(replays, checked.id, 'done')).toMatchObject({ looked: 2 })
    await server.collect.drained()
    expect((await server.collect.quarantine({})).matched).toBe(2)
    expect(await ledger(server)).toMatchObject({ received: 2, quarantined: 2 })
    // An event without an id of its own keeps the one that it was given first.
    strict.against.clear()
    const rows = await server.collect.asideRows(10)
    expect(rows.map((row) => row.envelope.replay?.assignedId)).toEqual(rows.map((row) => row.messageId))
    expect(await countChosen(server.clickhouse, {}, { ...server.collect.here(), position: 0n })).toBe(0)
    await server.close()
  })

  it('because a step failed can be replayed when the step is whole, and the check says that only the replay tells', async () => {
    const { strict, step } = aGate()
    strict.broken = true
    const { server, replays } = await aHouse(step)
    await server.collect.accept(server.source, [track('x', { messageId: 'm' })], 'test')
    await server.collect.drained()
    expect((await server.collect.quarantine({})).reasons[0]?.reason).toBe('step_failed')
    strict.broken = false
    const checked = await becomes(replays, (await replays.check(somebody, { reason: 'step_failed' })).id, 'checked')
    expect(checked.found).toMatchObject({ pass: 0, untold: 1 })
    await replays.run(somebody, checked.id)
    await becomes(replays, checked.id, 'done')
    await server.collect.drained()
    expect((await stored(server)).map((row) => row.message_id)).toEqual(['m'])
    await expect(replays.check(somebody, {})).rejects.toMatchObject({ code: 'not_now' })
    await expect(replays.run(somebody, checked.id)).rejects.toMatchObject({ code: 'not_now' })
    await expect(replays.cancel(somebody, checked.id)).rejects.toMatchObject({ code: 'not_now' })
    await server.close()
  })
})
