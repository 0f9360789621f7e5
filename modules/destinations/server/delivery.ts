import type { Registry } from 'prom-client'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids, Random } from '../../../platform/random/random.ts'
import type { Listener } from '../../collect/server/index.ts'
import type { Requests } from '../../requests/server/index.ts'
import { patience, type Patience } from './backoff.ts'
import { createClearances, type Cleared } from './clearances.ts'
import type { Deliverer, DestinationKind } from './kinds/kind.ts'
import { ledger } from './ledger.ts'
import { createMetrics } from './metrics.ts'
import { forgetKept, journalsOf, keep, waitingFrom, wants } from './outgoing.ts'
import { destinationStore } from './store.ts'
import { createWorker, type Worker } from './worker.ts'

const compileEveryMs = 5_000
const sweepEveryMs = 600_000
const journalsForMs = 30_000
/** How long events are kept for delivery. */
export const keptMs = 7 * 86_400_000

export interface DeliveryNeeds {
  postgres: Postgres
  clickhouse: ClickHouse
  clock: Clock
  random: Random
  ids: Ids
  log: Log
  requests: Pick<Requests, 'recheck' | 'halt'>
  registry: Registry
  patience?: Patience
  open(cleared: Cleared): { kind: DestinationKind; deliverer: Deliverer }
  pause(destinationId: string, because: string): Promise<void>
}

/** The clearance table, a worker for each destination, what is kept for them, and what is let go of. */
export function createDelivery(needs: DeliveryNeeds) {
  const { postgres, clickhouse, clock, log } = needs
  const workers = new Map<string, Worker>()
  const stops: (() => void)[] = []
  let began = false
  let journals: { ids: Set<string>; atMs: number } | undefined
  const metrics = createMetrics(
    needs.registry,
    () => new Map([...workers].map(([id, worker]) => [id, worker.outstanding()])),
  )
  const wakeAll = () => {
    for (const worker of workers.values()) worker.wake()
  }
  const clearances = createClearances({
    postgres,
    requests: needs.requests,
    log,
    changed() {
      hire()
      wakeAll()
    },
  })

  async function journalIds(): Promise<readonly string[]> {
    if (journals === undefined || clock.ms() - journals.atMs > journalsForMs)
      journals = { ids: new Set(await journalsOf(clickhouse)), atMs: clock.ms() }
    return [...journals.ids]
  }

  /** A worker for every destination that was launched once. */
  function hire(): void {
    if (!began) return
    for (const { id } of clearances.begun())
      if (!workers.has(id))
        workers.set(
          id,
          createWorker({
            ...needs,
            destinationId: id,
            clearances,
            metrics,
            patience: needs.patience ?? patience,
            journals: journalIds,
            pause: (because) => needs.pause(id, because),
          }),
        )
  }

  /** Counts for each destination what waited too long, then lets go of it; and of old dead letters. */
  async function sweep(): Promise<void> {
    const beforeMs = clock.ms() - keptMs
    const ids = await journalsOf(clickhouse)
    for (const row of await destinationStore(postgres).begun()) {
      const cursors = await ledger(postgres).cursors(row.id)
      for (const journalId of ids) {
        const waiting = await waitingFrom(clickhouse, {
          journalId,
          from: cursors.get(journalId) ?? 0,
          contract: row.contract,
          beginsMs: row.begins_at?.getTime() ?? 0,
          beforeMs,
        })
        if (waiting.events === 0) continue
        log.warn('Events waited for a destination longer than they are kept.', {
          destination: row.id,
          events: waiting.events,
        })
        await postgres.transaction((tx) => ledger(tx).expire(row.id, journalId, waiting.last + 1, waiting.events))
      }
    }
    await forgetKept(clickhouse, beforeMs)
    await ledger(postgres).forget(clock.now())
  }

  const listener: Listener = {
    name: 'ClickHouse',
    async hear({ token, journalId, events }) {
      const begun = clearances.begun()
      if (begun.length === 0) return
      const wanted = events.filter(({ event }) => begun.some((row) => wants(row.contract, event)))
      if (wanted.length === 0) return
      await keep(clickhouse, { token, journalId, events: wanted })
      journals?.ids.add(journalId)
      wakeAll()
    },
  }

  return {
    clearances,
    listener,
    wake: (id: string) => workers.get(id)?.wake(),
    journalIds,
    sweep,
    async start() {
      began = true
      await clearances.compile()
      hire()
      const failed = (error: unknown) => {
        log.warn('The destinations could not be looked after; it is tried again.', { error: String(error) })
      }
      stops.push(
        clock.every(compileEveryMs, () => clearances.compile(), failed),
        clock.every(sweepEveryMs, sweep, failed),
      )
    },
    async stop() {
      began = false
      for (const stop of stops.splice(0)) stop()
      await Promise.all([...workers.values()].map((worker) => worker.stop()))
      workers.clear()
    },
  }
}
