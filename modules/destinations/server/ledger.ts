import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { DeadLetter } from '../contract.ts'

/** Everything that a worker has to write down since it did last; all of it in one transaction. */
export interface Progress {
  cursors: { journalId: string; position: number }[]
  hours: { hour: Date; delivered: number; failed: number; dead: number }[]
  failures: { reason: string; times: number }[]
  dropped: { field: string; events: number }[]
  dead: NewDeadLetter[]
  /** Dead letters that were tried again: gone when they were taken, else with a new reason. */
  settled: { id: string; reason: string | null }[]
  trying: { journalId: string; position: number; since: Date }[]
  tried: { journalId: string; position: number }[]
  failingSince: Date | null
  lastDeliveredAt: Date | null
}

export interface NewDeadLetter {
  id: string
  journalId: string
  position: number
  eventKey: string
  type: string
  name: string
  receivedAt: Date
  body: string
  reason: string
}

/** Different reasons that are told apart for one destination; and fields. More are counted together. */
const mostReasons = 100
const mostFields = 500
export const otherFields = '(more fields)'
const keptDays = 30
const hoursShown = 48
const page = 50

const sum = <Row>(rows: readonly Row[], of: (row: Row) => number) => rows.reduce((all, row) => all + of(row), 0)

/** Cursors, counts and dead letters of one destination. */
export function ledger(postgres: Postgres) {
  async function write(id: string, now: Progress, at: Date): Promise<void> {
    for (const { journalId, position } of now.cursors)
      await postgres.query(
        `INSERT INTO destinations.cursor VALUES ($1, $2, $3)
         ON CONFLICT (destination_id, journal_id) DO UPDATE SET position = greatest(cursor.position, excluded.position)`,
        [id, journalId, position],
      )
    for (const one of now.hours)
      await postgres.query(
        `INSERT INTO destinations.hour VALUES ($1, $2, $3, $4, $5) ON CONFLICT (destination_id, hour)
         DO UPDATE SET delivered = hour.delivered + $3, failed = hour.failed + $4, dead = hour.dead + $5`,
        [id, one.hour, one.delivered, one.failed, one.dead],
      )
    for (const { reason, times } of now.failures)
      await postgres.query(
        `INSERT INTO destinations.failure
         SELECT $1, CASE WHEN EXISTS (SELECT 1 FROM destinations.failure WHERE destination_id = $1 AND reason = $2)
                           OR (SELECT count(*) FROM destinations.failure WHERE destination_id = $1) < $5 THEN $2 ELSE 'Other reasons.' END, $3, $4
         ON CONFLICT (destination_id, reason) DO UPDATE SET times = failure.times + excluded.times, last_at = excluded.last_at`,
        [id, reason, times, at, mostReasons],
      )
    if (now.dropped.length > 0) {
      const known = new Set(
        (
          await postgres.query<{ field: string }>('SELECT field FROM destinations.dropped WHERE destination_id = $1', [
            id,
          ])
        ).map((row) => row.field),
      )
      const counts = new Map<string, number>()
      for (const { field, events } of now.dropped) {
        const name = known.has(field) || known.size < mostFields ? field : otherFields
        known.add(name)
        counts.set(name, (counts.get(name) ?? 0) + events)
      }
      await postgres.query(
        `INSERT INTO destinations.dropped SELECT $1, f, n, $4 FROM unnest($2::text[], $3::bigint[]) AS t (f, n)
         ON CONFLICT (destination_id, field) DO UPDATE SET events = dropped.events + excluded.events, last_at = excluded.last_at`,
        [id, [...counts.keys()], [...counts.values()], at],
      )
    }
    for (const one of now.dead)
      await postgres.query(
        `INSERT INTO destinations.dead_letter VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'dead')
         ON CONFLICT (destination_id, journal_id, position) DO UPDATE SET reason = excluded.reason, at = excluded.at, state = 'dead'`,
        [
          one.id,
          id,
          one.journalId,
          one.position,
          one.eventKey,
          one.type,
          one.name,
          one.receivedAt,
          one.body,
          one.reason,
          at,
        ],
      )
    for (const { id: letter, reason } of now.settled)
      await postgres.query(
        reason === null
          ? 'DELETE FROM destinations.dead_letter WHERE id = $1'
          : `UPDATE destinations.dead_letter SET state = 'dead', reason = $2, at = $3 WHERE id = $1`,
        reason === null ? [letter] : [letter, reason, at],
      )
    for (const one of now.trying)
      await postgres.query('INSERT INTO destinations.trying VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [
        id,
        one.journalId,
        one.position,
        one.since,
      ])
    for (const one of now.tried)
      await postgres.query(
        'DELETE FROM destinations.trying WHERE destination_id = $1 AND journal_id = $2 AND position = $3',
        [id, one.journalId, one.position],
      )
    await postgres.query(
      `UPDATE destinations.destination SET delivered = delivered + $2, failing_since = $3, last_delivered_at = coalesce($4, last_delivered_at) WHERE id = $1`,
      [id, sum(now.hours, (one) => one.delivered), now.failingSince, now.lastDeliveredAt],
    )
  }

  return {
    write,
    cursors: async (id: string): Promise<Map<string, number>> =>
      new Map(
        (
          await postgres.query<{ journal_id: string; position: number }>(
            'SELECT journal_id, position FROM destinations.cursor WHERE destination_id = $1',
            [id],
          )
        ).map((row) => [row.journal_id, row.position]),
      ),
    trying: async (id: string): Promise<Map<string, number>> =>
      new Map(
        (
          await postgres.query<{ journal_id: string; position: number; since: Date }>(
            'SELECT journal_id, position, since FROM destinations.trying WHERE destination_id = $1',
            [id],
          )
        ).map((row) => [`${row.journal_id} ${String(row.position)}`, row.since.getTime()]),
      ),
    /** Waited too long: counted, and no longer waited for. */
    async expire(id: string, journalId: string, next: number, events: number): Promise<void> {
      await postgres.query(
        `INSERT INTO destinations.cursor VALUES ($1, $2, $3)
         ON CONFLICT (destination_id, journal_id) DO UPDATE SET position = greatest(cursor.position, excluded.position)`,
        [id, journalId, next],
      )
      await postgres.query('UPDATE destinations.destination SET expired = expired + $2 WHERE id = $1', [id, events])
    },
    dropped: (id: string) =>
      postgres.query<{ field: string; events: number; last_at: Date }>(
        'SELECT field, events, last_at FROM destinations.dropped WHERE destination_id = $1 ORDER BY events DESC, field',
        [id],
      ),
    droppedInAll: async (): Promise<Map<string, number>> =>
      new Map(
        (
          await postgres.query<{ id: string; n: number }>(
            'SELECT destination_id AS id, sum(events)::bigint AS n FROM destinations.dropped GROUP BY destination_id',
          )
        ).map((row) => [row.id, row.n]),
      ),
    hours: (id: string, now: Date) =>
      postgres.query<{ hour: Date; delivered: number; failed: number; dead: number }>(
        'SELECT hour, delivered, failed, dead FROM destinations.hour WHERE destination_id = $1 AND hour > $2 ORDER BY hour',
        [id, new Date(now.getTime() - hoursShown * 3_600_000)],
      ),
    failures: (id: string) =>
      postgres.query<{ reason: string; times: number; last_at: Date }>(
        'SELECT reason, times, last_at FROM destinations.failure WHERE destination_id = $1 ORDER BY last_at DESC LIMIT 20',
        [id],
      ),
    deadLettersInAll: async (): Promise<Map<string, number>> =>
      new Map(
        (
          await postgres.query<{ id: string; n: number }>(
            'SELECT destination_id AS id, count(*) AS n FROM destinations.dead_letter GROUP BY destination_id',
          )
        ).map((row) => [row.id, row.n]),
      ),
    deadLetters: async (id: string): Promise<number> =>
      (
        await postgres.query<{ n: number }>(
          'SELECT count(*) AS n FROM destinations.dead_letter WHERE destination_id = $1',
          [id],
        )
      )[0]?.n ?? 0,
    async letters(id: string, before: string | undefined): Promise<{ letters: DeadLetter[]; next: string | null }> {
      const rows = await postgres.query<{
        id: string
        event_key: string
        type: string
        name: string
        received_at: Date
        reason: string
        at: Date
        state: 'dead' | 'again'
      }>(
        `SELECT id, event_key, type, name, received_at, reason, at, state FROM destinations.dead_letter
         WHERE destination_id = $1 AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
        [id, before ?? null, page + 1],
      )
      const shown = rows.slice(0, page)
      return {
        letters: shown.map((row) => ({
          id: row.id,
          eventKey: row.event_key,
          type: row.type,
          name: row.name,
          receivedAt: row.received_at.toISOString(),
          reason: row.reason,
          at: row.at.toISOString(),
          state: row.state,
        })),
        next: rows.length > page ? (shown.at(-1)?.id ?? null) : null,
      }
    },
    async again(id: string, letters: readonly string[] | null): Promise<number> {
      const rows = await postgres.query(
        `UPDATE destinations.dead_letter SET state = 'again' WHERE destination_id = $1 AND state = 'dead' AND ($2::text[] IS NULL OR id = ANY ($2)) RETURNING id`,
        [id, letters === null ? null : [...letters]],
      )
      return rows.length
    },
    toTryAgain: (id: string, limit: number) =>
      postgres.query<{ id: string; journal_id: string; position: number; received_at: Date; body: string }>(
        `SELECT id, journal_id, position, received_at, body FROM destinations.dead_letter
         WHERE destination_id = $1 AND state = 'again' ORDER BY journal_id, position LIMIT $2`,
        [id, limit],
      ),
    forget: (now: Date) =>
      postgres.query('DELETE FROM destinations.dead_letter WHERE at < $1', [
        new Date(now.getTime() - keptDays * 86_400_000),
      ]),
  }
}

/** How far one event is at one destination: a dead letter with its reason, passed (delivered), or neither yet. */
export async function eventAt(
  postgres: Postgres,
  destinationId: string,
  journalId: string,
  position: string,
): Promise<{ passed: boolean; letter: string | undefined }> {
  const [row] = await postgres.query<{ passed: boolean; letter: string | null }>(
    `SELECT coalesce((SELECT position > $3::bigint FROM destinations.cursor WHERE destination_id = $1 AND journal_id = $2), false) AS passed,
            (SELECT reason FROM destinations.dead_letter WHERE destination_id = $1 AND journal_id = $2 AND position = $3::bigint) AS letter`,
    [destinationId, journalId, position],
  )
  return { passed: row?.passed ?? false, letter: row?.letter ?? undefined }
}
