import type { Registry } from 'prom-client'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Journal } from '../../../platform/journal/journal.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Secrets } from '../../../platform/secrets/secrets.ts'
import { createDoor } from './door.ts'
import type { Takes } from './endpoints.ts'
import { createMetrics } from './metrics.ts'
import { relay, relayPath } from './relay.ts'

/** A node that takes events in and hands them on: the door of collect, with a journal of its own and no store. */
export interface CollectNode extends Takes {
  start(): void
  /** What is not handed on stays in the journal. */
  stop(): Promise<void>
  /** Everything is handed on. */
  drained(): Promise<void>
  health(): { ok: boolean; finding: string; inFlight: number }
}

export function createCollectNode(needs: {
  postgres: Postgres
  journal: Journal
  clock: Clock
  log: Log
  registry: Registry
  secrets: Secrets
  /** @param path to be asked of the node that stores. @returns the status of its answer */
  post(path: string, request: { headers: Record<string, string>; body: Buffer }): Promise<number>
}): CollectNode {
  const { postgres, journal, clock, log, secrets } = needs
  const stopping = new AbortController()
  const waiting = () => Number(journal.head - journal.stored)
  const metrics = createMetrics(needs.registry, {
    inFlight: waiting,
    pendingBytes: () => journal.state().pendingBytes,
    flushes: () => journal.state().flushes,
  })
  const door = createDoor({ postgres, journal, clock, log, metrics })
  let running: Promise<void> | undefined
  let stopFlushing = () => {}
  return {
    take: door.take,
    park: door.park,
    reject: door.reject,
    start() {
      stopFlushing = door.start()
      running = relay(
        {
          journal,
          clock,
          log,
          secrets,
          async send(request) {
            const status = await needs.post(relayPath, request)
            if (status !== 200) throw new Error(`The node that stores answered ${String(status)}.`)
          },
        },
        stopping.signal,
      )
    },
    async stop() {
      stopping.abort()
      stopFlushing()
      await running
      await door.flushRejected().catch((error: unknown) => {
        log.warn('What was turned away in the last two seconds is not counted.', { error: String(error) })
      })
    },
    async drained() {
      while (waiting() > 0) await clock.sleep(50)
    },
    health() {
      const { trouble } = journal.state()
      return {
        ok: trouble === undefined,
        finding:
          trouble ??
          (waiting() === 0 ? 'Everything received is handed on.' : `${String(waiting())} events wait to be handed on.`),
        inFlight: waiting(),
      }
    },
  }
}
