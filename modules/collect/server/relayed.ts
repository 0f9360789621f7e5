import type { Journal } from '../../../platform/journal/journal.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { decodeRecord } from './record.ts'

/** What another node acknowledged, in the order of its journal. */
export interface RelayedBatch {
  journalId: string
  from: bigint
  /** Exclusive. */
  to: bigint
  records: readonly Uint8Array[]
}

/**
 * Takes batches of other nodes into this one's journal. How far each node's journal was taken is written down after its events are on disk here: when
 * that fails in between, the batch comes again and its events are deduplicated like any other that is sent twice.
 * @returns on disk and written down when it resolves
 */
export function createRelayed(needs: {
  postgres: Postgres
  journal: Pick<Journal, 'append'>
  appended(envelopes: readonly { sourceId: string; receivedMs: number }[]): void
}): (batch: RelayedBatch) => Promise<void> {
  const { postgres, journal } = needs
  /** One batch of a node at a time: a node that lost patience may send the same one beside itself. */
  const last = new Map<string, Promise<void>>()

  async function take({ journalId, to, records }: RelayedBatch): Promise<void> {
    const [known] = await postgres.query<{ position: number }>(
      'SELECT position FROM collect.relayed WHERE journal_id = $1',
      [journalId],
    )
    if (known !== undefined && BigInt(known.position) >= to) return
    await journal.append(records)
    needs.appended(records.map((record) => decodeRecord(record).envelope))
    await postgres.query(
      `INSERT INTO collect.relayed (journal_id, position, taken_at) VALUES ($1, $2, now())
       ON CONFLICT (journal_id) DO UPDATE SET position = greatest(relayed.position, excluded.position), taken_at = excluded.taken_at`,
      [journalId, to],
    )
  }

  return async (batch) => {
    const before = last.get(batch.journalId) ?? Promise.resolve()
    const work = before.then(() => take(batch))
    const settled = work.catch(() => {})
    last.set(batch.journalId, settled)
    await work.finally(() => {
      if (last.get(batch.journalId) === settled) last.delete(batch.journalId)
    })
  }
}
