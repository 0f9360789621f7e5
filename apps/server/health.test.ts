import { describe, expect, it } from 'vitest'
import { aClickHouse, aPostgres } from '../../test/make/engines.ts'
import { stoppedClock } from '../../platform/clock/clock.ts'
import type { LedgerAlarm } from '../../modules/collect/contract.ts'
import { healthChecks } from './health.ts'

describe('health', () => {
  it('tells of a queue whose head does not move for ten minutes, and not of one that only never is empty', async () => {
    const clock = stoppedClock()
    const at = { stored: 0n, oldest: 1 as number | undefined, jobMs: 0, alarm: undefined as LedgerAlarm | undefined }
    const checks = healthChecks({
      engines: {
        postgres: await aPostgres(),
        clickhouse: await aClickHouse(),
        directory: '/',
        journal: {
          get stored() {
            return at.stored
          },
        },
      },
      clock,
      collect: { health: () => ({ ok: true, finding: '', inFlight: 5 }), ledgerAlarm: () => at.alarm },
      jobs: { oldestWaitingMs: () => Promise.resolve(at.jobMs) },
      journeys: { health: () => ({ ok: true, finding: '' }), oldestUntold: () => Promise.resolve(at.oldest) },
    })
    const wrong = async () => {
      const found = await Promise.all(
        checks.map(async ({ name, check }) =>
          check().then(
            () => undefined,
            () => name,
          ),
        ),
      )
      return found.filter((name) => name !== undefined)
    }
    expect(await wrong()).toEqual([])
    await clock.advance(9 * 60_000)
    at.stored = 3n
    at.oldest = 2
    expect(await wrong()).toEqual([])
    at.jobMs = 11 * 60_000
    await clock.advance(10 * 60_000)
    expect(await wrong()).toEqual(['journal', 'jobs', 'outbox'])
    at.oldest = undefined
    at.stored = 4n
    at.jobMs = 0
    at.alarm = { residue: 3, since: clock.now().toISOString(), sentence: 'The ledger does not add up.', sources: [] }
    expect(await wrong()).toEqual(['ledger'])
    expect(checks.find((one) => one.name === 'ledger')?.tellOnly).toBe(true)
    at.alarm = undefined
    expect(await wrong()).toEqual([])
  })
})
