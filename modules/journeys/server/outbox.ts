import type { Clock } from '../../../platform/clock/clock.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'

/**
 * Hands on what happened to messages. An event is taken out only after it is on disk elsewhere; handed on twice, its message id makes it one.
 * @param hand resolves when the events are durable
 */
export function createOutbox(needs: {
  postgres: Postgres
  clock: Clock
  log: Log
  hand: (events: readonly unknown[]) => Promise<void>
}) {
  async function once(): Promise<number> {
    const rows = await needs.postgres.query<{ id: number; body: unknown }>(
      'SELECT id, body FROM journeys.outbox ORDER BY id LIMIT 500',
    )
    if (rows.length === 0) return 0
    await needs.hand(rows.map((row) => row.body))
    await needs.postgres.query('DELETE FROM journeys.outbox WHERE id = ANY($1)', [rows.map((row) => row.id)])
    return rows.length
  }
  let stop = () => {}
  return {
    /** Everything that waits was handed on. */
    async drained(): Promise<void> {
      while ((await once()) > 0);
    },
    /** The one that waits longest; undefined when none does. */
    async oldest(): Promise<number | undefined> {
      const [row] = await needs.postgres.query<{ id: number }>('SELECT id FROM journeys.outbox ORDER BY id LIMIT 1')
      return row?.id
    },
    start() {
      stop = needs.clock.every(
        300,
        async () => {
          while ((await once()) > 0);
        },
        (error) => {
          needs.log.warn('message events wait', { because: error instanceof Error ? error.message : String(error) })
        },
      )
    },
    stop: () => {
      stop()
    },
  }
}
