import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'
import { stoppedClock, type StoppedClock } from '../../../platform/clock/clock.ts'
import { silentLog } from '../../../platform/log/log.ts'

const track = (id: string) => ({ event: 'Köp', userId: 'ö1', messageId: id })
/** Time goes on, and what it woke has its turn with the engines. */
async function pass(server: CollectServer, clock: StoppedClock, ms: number): Promise<void> {
  const looked = async () => (await server.collect.ledgerPage({ hours: 1 })).lookedAt
  const before = await looked()
  await clock.advance(ms)
  await expect.poll(looked).not.toBe(before)
}

async function aLedger() {
  const clock = stoppedClock('2028-02-29T09:59:59.000Z')
  const registry = new Registry()
  const lines: string[] = []
  const log = {
    ...silentLog,
    error: (what: string) => void lines.push(what),
    info: (what: string) => void lines.push(what),
  }
  const server = await aCollectServer({ clock, registry, log })
  const figure = async (name: string, labels: Record<string, string> = {}) => {
    const found = await registry.getSingleMetric(name)?.get()
    return found?.values.find((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value))?.value
  }
  return { clock, server, lines, figure }
}

describe('the ledger', () => {
  it('raises an alarm within 60 seconds of a count that is broken, and lowers it when the count is mended', async () => {
    const { clock, server, lines, figure } = await aLedger()
    for (let at = 0; at < 7; at++) await server.send('/v1/track', track(`m${String(at)}`))
    await server.send('/v1/track', track('m0'))
    await server.collect.drained()
    await pass(server, clock, 30_000)
    await pass(server, clock, 30_000)
    expect(server.collect.ledgerAlarm()).toBeUndefined()
    expect(await figure('interlock_collect_residue')).toBe(0)
    expect(await figure('interlock_collect_ledger_events', { source: server.source.id, outcome: 'stored' })).toBe(7)

    await server.postgres.query(
      `UPDATE collect.outcome_count SET events = events - 3 WHERE source_id = $1 AND outcome = 'stored'`,
      [server.source.id],
    )
    await pass(server, clock, 30_000)
    expect(server.collect.ledgerAlarm()).toBeUndefined()
    await pass(server, clock, 30_000)
    expect(server.collect.ledgerAlarm()).toMatchObject({
      residue: 3,
      sentence: 'The ledger does not add up: 3 events came out of the journal and are in no count.',
      sources: [server.source.id],
    })
    expect(await figure('interlock_collect_residue')).toBe(3)
    expect((await server.collect.ledgerPage({ hours: 48 })).alarm?.residue).toBe(3)
    expect(lines).toEqual(['The ledger does not add up: 3 events came out of the journal and are in no count.'])

    await server.postgres.query(
      `UPDATE collect.outcome_count SET events = events + 3 WHERE source_id = $1 AND outcome = 'stored'`,
      [server.source.id],
    )
    await pass(server, clock, 30_000)
    expect(server.collect.ledgerAlarm()).toBeUndefined()
    expect(await figure('interlock_collect_residue')).toBe(0)
    expect(lines.at(-1)).toBe('The ledger adds up again.')
  })

  it('finds events that the journal let go without a count, also when the counts agree with themselves', async () => {
    const { clock, server } = await aLedger()
    await server.send('/v1/track', track('a'))
    await server.send('/v1/track', track('b'))
    await server.collect.drained()
    await server.postgres.query(`UPDATE collect.outcome_count SET events = events - 1 WHERE outcome = 'stored'`)
    await server.postgres.query('UPDATE collect.counted SET position = position - 1')
    await pass(server, clock, 30_000)
    await pass(server, clock, 30_000)
    expect(server.collect.ledgerAlarm()?.sentence).toBe(
      'The ledger does not add up: the journal let 1 event go that were never counted.',
    )
  })

  it('is level while events wait, after a restart too, and says per source and hour what waits', async () => {
    const first = await aCollectServer({ stands: true })
    for (let at = 0; at < 5; at++) await first.send('/v1/track', track(`w${String(at)}`))
    const clock = stoppedClock()
    const server = await first.again({ stands: true, clock })
    await server.send('/v1/track', track('w5'))
    const page = await server.collect.ledgerPage({ hours: 24, source: server.source.id })
    // The five arrived in the hour of the machine's clock; this one in the hour of the test.
    expect(page.total).toMatchObject({ received: 1, inFlight: 1 })
    expect(page.hours.at(-1)).toMatchObject({ hour: '2028-02-29T09:00:00.000Z', received: 1, inFlight: 1 })
    await server.collect.start([])
    expect((await server.collect.ledger()).total).toMatchObject({ received: 6 })
    await server.collect.drained()
    await pass(server, clock, 30_000)
    await pass(server, clock, 30_000)
    expect((await server.collect.ledger()).total).toMatchObject({ received: 6, stored: 6, inFlight: 0 })
    expect(server.collect.ledgerAlarm()).toBeUndefined()
  })

  it('shows reasons with their sentences, and the same counts as CSV', async () => {
    const { server } = await aLedger()
    await server.send('/v1/batch', {
      batch: [
        { type: 'track', ...track('c') },
        { type: 'track', event: 'Niemand' },
      ],
    })
    await server.send('/v1/track', '{')
    await server.collect.drained()
    const page = await server.collect.ledgerPage({ hours: 2 })
    expect(page.total).toEqual({ received: 3, stored: 1, deduplicated: 0, quarantined: 1, rejected: 1, inFlight: 0 })
    expect(page.sources.map((one) => one.received)).toEqual([2, 1])
    expect(page.sources[0]).toMatchObject({ sourceId: server.source.id, stored: 1, quarantined: 1 })
    expect(page.sources[0]?.perHour[1]).toMatchObject({ received: 2 })
    expect(page.reasons.map(({ reason, because }) => [reason, because !== ''])).toEqual(
      expect.arrayContaining([
        ['no_identifier', true],
        ['malformed_json', true],
      ]),
    )
    expect((await server.collect.ledgerPage({ hours: 2, until: '2028-02-28T00:00:00Z' })).total.received).toBe(0)
    const lines = await Array.fromAsync(server.collect.ledgerLines({ hours: 2 }, () => server.source.name))
    expect(lines).toContain(`2028-02-29T09:00:00.000Z,${server.source.id},Läden & “web”,stored,,1\r\n`)
    expect(lines).toHaveLength(4)
  })
})
