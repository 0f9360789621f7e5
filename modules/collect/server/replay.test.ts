import { describe, expect, it } from 'vitest'
import { aCollectServer } from '../../../test/make/collect-server.ts'
import type { PipelineStep } from './pipeline.ts'

const caller = { kind: 'person', accountId: 'account_1', name: 'Åsa' } as never
const track = (event: string, more: object = {}) => ({ type: 'track', event, userId: 'zoë', ...more })

describe('what was put aside (A12)', () => {
  it('of 98 good events, one of a wrong type and one poisonous, is stored once after the fault is mended, however often it is tried', async () => {
    let broken = true
    const step: PipelineStep = {
      name: 'a step with a fault',
      run({ events }) {
        const poison = broken && events.some(({ event }) => event.properties['poison'] === true)
        return poison ? Promise.reject(new Error('cannot take this')) : Promise.resolve()
      },
    }
    const server = await aCollectServer({ steps: [step] })
    const batch = [
      ...Array.from({ length: 98 }, () => track('mixed')),
      { ...track('mixed'), type: 7 },
      track('mixed', { properties: { poison: true }, context: { locale: 'da' } }),
    ]
    expect((await server.send('/v1/batch', { batch, sentAt: '2026-11-24T10:00:00Z' })).json()).toMatchObject({
      accepted: 99,
    })
    await server.collect.drained()
    const stored = () =>
      server.clickhouse.query<Record<string, unknown>>(`SELECT * FROM event WHERE name = 'mixed' ORDER BY position`)
    expect(await stored()).toHaveLength(98)
    const aside = async () =>
      Object.fromEntries((await server.collect.quarantine({})).reasons.map((one) => [one.reason, one.events]))
    expect(await aside()).toEqual({ step_failed: 1, unknown_type: 1 })

    broken = false
    const [before] = (await server.collect.quarantine({ reason: 'step_failed' })).samples
    const [kept] = await server.clickhouse.query<{ envelope: string; raw: string; position: string }>(
      `SELECT * FROM quarantined WHERE reason = 'step_failed'`,
    )
    expect(await server.collect.again(caller, 'step_failed')).toEqual({ taken: 1, left: 0 })
    // Cut off before it was taken out of the quarantine: it comes once more.
    await server.clickhouse.insert('quarantined', [{ ...kept }], { token: 'the same row' })
    expect(await server.collect.again(caller, 'step_failed')).toEqual({ taken: 1, left: 0 })
    await server.collect.drained()
    const rows = await stored()
    expect(rows).toHaveLength(99)
    expect(rows.at(-1)).toMatchObject({ properties: { poison: true }, context: { locale: 'da' } })
    expect(new Date(`${String(rows.at(-1)?.['received_at']).replace(' ', 'T')}Z`).toISOString()).toBe(
      before?.receivedAt,
    )

    expect(await server.collect.again(caller, 'unknown_type')).toEqual({ taken: 0, left: 1 })
    expect(await aside()).toEqual({ unknown_type: 1 })
    const { total, lost } = await server.collect.ledger()
    expect([total.received, total.stored, total.deduplicated, total.quarantined, lost]).toEqual([102, 99, 1, 2, 0])
    await server.close()
  })
})
