import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Journal } from '../../../platform/journal/journal.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Takes } from './endpoints.ts'
import { networkOf, prepare, type Prepared } from './intake.ts'
import { countRejected, tallyOf } from './ledger.ts'
import type { CollectMetrics } from './metrics.ts'
import { parkBody } from './parked.ts'

/** Where events come in: they are written to the journal, and what is turned away is counted. The same at every node. */
export interface Door extends Takes {
  /** On disk when it resolves. @throws Refusal('busy') */
  append(sourceId: string, receivedMs: number, prepared: Prepared): Promise<void>
  /** Writes down what was turned away since the last time. */
  flushRejected(): Promise<void>
  /** Does that every two seconds. @returns ends it */
  start(): () => void
}

export function createDoor(needs: {
  postgres: Postgres
  journal: Pick<Journal, 'append'>
  clock: Clock
  log: Log
  metrics: CollectMetrics
  /** They are on disk. @param first position of the first */
  appended?(first: bigint, sourceId: string, receivedMs: number, prepared: Prepared): void
}): Door {
  const { postgres, journal, clock, log, metrics } = needs
  const rejected = tallyOf()
  const door: Door = {
    async append(sourceId, receivedMs, prepared) {
      const began = clock.ms()
      const first = await journal.append(prepared.records)
      metrics.appendSeconds.observe((clock.ms() - began) / 1000)
      metrics.accepted.inc(prepared.records.length)
      needs.appended?.(first, sourceId, receivedMs, prepared)
    },
    async take(source, read, arrived) {
      const prepared = await prepare(read, source, arrived)
      if (prepared.records.length > 0) await door.append(source.id, arrived.receivedMs, prepared)
      return prepared
    },
    async park(arrived, key, agent) {
      metrics.rejected.inc({ reason: 'unknown_write_key' })
      const { body: bytes, via: path, receivedMs } = arrived
      const network = networkOf(arrived.ip) ?? ''
      try {
        return await parkBody(postgres, { writeKey: key, path, agent, network, bytes, receivedMs })
      } catch (error) {
        throw new Refusal('busy', 'The write key is unknown and the body cannot be kept now.', {
          retryAfterSeconds: 5,
          cause: String(error),
        })
      }
    },
    reject(source, reason) {
      if (reason !== 'unknown_write_key') metrics.rejected.inc({ reason })
      rejected.add({ sourceId: source?.id ?? '', receivedMs: clock.ms(), outcome: 'rejected', reason, events: 1 })
    },
    async flushRejected() {
      const counts = rejected.take()
      try {
        await countRejected(postgres, counts)
      } catch (error) {
        for (const one of counts) rejected.add(one)
        throw error
      }
    },
    start: () =>
      clock.every(2000, door.flushRejected, (error) => {
        log.warn('A count could not be written; it is kept and tried again.', { error: String(error) })
      }),
  }
  return door
}
