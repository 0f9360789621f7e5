import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Replayed } from './normalise.ts'

/** What became of a row of the quarantine that was replayed. */
export interface Settled {
  journalId: string
  position: string
  outcome: string
  reason: string
}

/**
 * Claims rows of the quarantine for places in the journal. Whoever is first keeps it for good, so the same row replayed twice, by two people or by a job
 * that was killed half-way, counts and is stored once. Asked again after a crash it gives the same answer.
 * @returns for each place whether the row is its own
 */
export async function claimReplays(
  postgres: Postgres,
  journalId: string,
  places: readonly { position: bigint; replay: Replayed }[],
): Promise<boolean[]> {
  const rows = await postgres.query<{ mine: boolean }>(
    `WITH place AS (
       SELECT * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[]) WITH ORDINALITY AS one (journal_id, position, by_position, replay_id, nr)
     ), claimed AS (
       INSERT INTO collect.replayed (journal_id, position, by_journal, by_position, replay_id)
       SELECT journal_id, position, $1, by_position, replay_id FROM place ORDER BY nr
       ON CONFLICT DO NOTHING RETURNING journal_id, position, by_journal, by_position
     )
     SELECT coalesce((coalesce(new.by_journal, old.by_journal), coalesce(new.by_position, old.by_position)) = ($1, place.by_position), false) AS mine
       FROM place
       LEFT JOIN claimed AS new USING (journal_id, position)
       LEFT JOIN collect.replayed AS old USING (journal_id, position)
      ORDER BY nr`,
    [
      journalId,
      places.map(({ replay }) => replay.journalId),
      places.map(({ replay }) => replay.position),
      places.map(({ position }) => position),
      places.map(({ replay }) => replay.replayId),
    ],
  )
  return rows.map((row) => row.mine)
}

/** Writes down what became of them; in the transaction that counts. */
export async function settleReplays(tx: Postgres, settled: readonly Settled[]): Promise<void> {
  if (settled.length === 0) return
  await tx.query(
    `UPDATE collect.replayed AS r SET outcome = one.outcome, reason = one.reason
       FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) AS one (journal_id, position, outcome, reason)
      WHERE r.journal_id = one.journal_id AND r.position = one.position`,
    [
      settled.map((one) => one.journalId),
      settled.map((one) => one.position),
      settled.map((one) => one.outcome),
      settled.map((one) => one.reason),
    ],
  )
}

/** What became of the rows of one replay, so far. */
export async function becameOf(
  postgres: Postgres,
  replayIds: readonly string[],
): Promise<{ replay_id: string; outcome: string; reason: string; events: string }[]> {
  return postgres.query(
    `SELECT replay_id, coalesce(outcome, 'in-flight') AS outcome, coalesce(reason, '') AS reason, count(*) AS events
       FROM collect.replayed WHERE replay_id = ANY($1) GROUP BY 1, 2, 3 ORDER BY events DESC, outcome, reason`,
    [replayIds],
  )
}

/** The quarantine keeps its rows for 90 days; what is older need not be remembered. */
export async function forgetReplayed(postgres: Postgres, before: Date): Promise<void> {
  await postgres.query('DELETE FROM collect.replayed WHERE at < $1', [before])
}
