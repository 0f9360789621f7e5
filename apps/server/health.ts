import type { Collect } from '../../modules/collect/server/index.ts'
import type { Journeys } from '../../modules/journeys/server/index.ts'
import type { Clock } from '../../platform/clock/clock.ts'
import { freeSpace } from '../../platform/data-dir/space.ts'
import type { HealthCheck } from '../../platform/http/server.ts'
import type { Jobs } from '../../platform/jobs/jobs.ts'
import type { Engines } from './engines.ts'

/** What waits at the head of a queue for so long does not go on by itself. */
const stuckMs = 10 * 60_000
const leastFreeBytes = 512 * 1_048_576

/**
 * One entry for each engine and each queue. A queue that stands still is told but does not make the server unready: it still takes events in and
 * shows its pages, and taking it out of a load balancer would lose both.
 */
export function healthChecks(needs: {
  engines: Pick<Engines, 'postgres' | 'clickhouse' | 'directory'> & { journal: Pick<Engines['journal'], 'stored'> }
  clock: Clock
  collect: Pick<Collect, 'health' | 'ledgerAlarm'>
  jobs: Pick<Jobs, 'oldestWaitingMs'>
  journeys: Pick<Journeys, 'health' | 'oldestUntold'>
}): HealthCheck[] {
  const { engines, clock, collect, jobs, journeys } = needs
  const standing = new Map<string, { head: string; sinceMs: number }>()

  /** For how long the same thing was seen at the head of the queue, in ms; 0 when nothing is. */
  function standsMs(queue: string, head: string | undefined): number {
    if (head === undefined) {
      standing.delete(queue)
      return 0
    }
    const seen = standing.get(queue)
    if (seen?.head === head) return clock.ms() - seen.sinceMs
    standing.set(queue, { head, sinceMs: clock.ms() })
    return 0
  }
  const refuse = (because: string): Promise<never> => Promise.reject(new Error(because))
  const minutes = (ms: number) => `${String(Math.round(ms / 60_000))} minutes`

  return [
    { name: 'postgres', check: () => engines.postgres.ping() },
    { name: 'clickhouse', check: () => engines.clickhouse.ping() },
    {
      name: 'collect',
      check() {
        const { ok, finding } = collect.health()
        return ok ? Promise.resolve() : refuse(finding)
      },
    },
    {
      name: 'disk',
      async check() {
        const { free, total } = await freeSpace(engines.directory)
        if (free < leastFreeBytes)
          await refuse(
            `${String(Math.round(free / 1_048_576))} MiB free of ${String(Math.round(total / 1_073_741_824))} GiB`,
          )
      },
    },
    {
      name: 'journal',
      tellOnly: true,
      async check() {
        const { inFlight } = collect.health()
        const ms = standsMs('journal', inFlight === 0 ? undefined : String(engines.journal.stored))
        if (ms >= stuckMs) await refuse(`${String(inFlight)} events wait, and none was stored for ${minutes(ms)}`)
      },
    },
    {
      name: 'ledger',
      tellOnly: true,
      check() {
        const alarm = collect.ledgerAlarm()
        return alarm === undefined ? Promise.resolve() : refuse(alarm.sentence)
      },
    },
    {
      name: 'jobs',
      tellOnly: true,
      async check() {
        const ms = await jobs.oldestWaitingMs()
        if (ms >= stuckMs) await refuse(`a job that is due has waited for ${minutes(ms)}`)
      },
    },
    {
      name: 'mail',
      tellOnly: true,
      check() {
        const { ok, finding } = journeys.health()
        return ok ? Promise.resolve() : refuse(finding)
      },
    },
    {
      name: 'outbox',
      tellOnly: true,
      async check() {
        const oldest = await journeys.oldestUntold()
        const ms = standsMs('outbox', oldest === undefined ? undefined : String(oldest))
        if (ms >= stuckMs) await refuse(`what happened to messages has waited for ${minutes(ms)} to be handed on`)
      },
    },
  ]
}
