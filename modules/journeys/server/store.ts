import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { BroadcastState } from '../contract.ts'

export interface BroadcastRow {
  id: string
  name: string
  template_id: string
  segment_id: string
  sender_id: string
  topic_id: string
  send_at: Date | null
  version: number
  at_most: number | null
  state: BroadcastState
  because: string | null
  release_hash: string | null
  audience: number | null
  made_by: string
  changed_by: string
  created_at: Date
  changed_at: Date
  launched_at: Date | null
  planned_at: Date | null
  finished_at: Date | null
  by_name: string | null
}
const select =
  'SELECT b.*, n.name AS by_name FROM journeys.broadcast b LEFT JOIN accounts.named_person n ON n.id = b.changed_by'

export interface BroadcastValues {
  name: string
  templateId: string
  segmentId: string
  senderId: string
  topicId: string
  sendAt: Date | null
}

export function broadcastStore(postgres: Postgres) {
  const one = async (sql: string, values: unknown[]) => (await postgres.query<BroadcastRow>(sql, values))[0]
  return {
    list: () => postgres.query<BroadcastRow>(`${select} ORDER BY b.created_at DESC, b.id DESC LIMIT 500`),
    get: (id: string) => one(`${select} WHERE b.id = $1`, [id]),
    lock: (id: string) => one(`${select} WHERE b.id = $1 FOR UPDATE OF b`, [id]),
    live: () =>
      postgres.query<{ id: string; release_hash: string }>(
        `SELECT id, release_hash FROM journeys.broadcast WHERE state = 'live' AND release_hash IS NOT NULL ORDER BY launched_at, id`,
      ),
    insert: (id: string, values: BroadcastValues, by: string, at: Date) =>
      postgres.query(
        `INSERT INTO journeys.broadcast (id, name, template_id, segment_id, sender_id, topic_id, send_at, state, made_by, changed_by, created_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'draft', $8, $8, $9, $9)`,
        [id, values.name, values.templateId, values.segmentId, values.senderId, values.topicId, values.sendAt, by, at],
      ),
    change: (id: string, values: BroadcastValues, by: string, at: Date) =>
      postgres.query(
        `UPDATE journeys.broadcast SET name = $2, template_id = $3, segment_id = $4, sender_id = $5, topic_id = $6, send_at = $7, changed_by = $8, changed_at = $9, version = version + 1 WHERE id = $1`,
        [id, values.name, values.templateId, values.segmentId, values.senderId, values.topicId, values.sendAt, by, at],
      ),
    setBand: (id: string, atMost: number) =>
      postgres.query('UPDATE journeys.broadcast SET at_most = $2 WHERE id = $1 AND at_most IS DISTINCT FROM $2', [
        id,
        atMost,
      ]),
    golive: (id: string, releaseHash: string, at: Date) =>
      postgres.query(
        `UPDATE journeys.broadcast SET state = 'live', because = NULL, release_hash = $2, launched_at = $3, planned_at = NULL, audience = NULL WHERE id = $1`,
        [id, releaseHash, at],
      ),
    /** @returns false when it was in another state */
    async move(id: string, from: BroadcastState[], to: BroadcastState, because: string | null): Promise<boolean> {
      const rows = await postgres.query(
        'UPDATE journeys.broadcast SET state = $3, because = $4 WHERE id = $1 AND state = ANY($2) RETURNING id',
        [id, from, to, because],
      )
      return rows.length > 0
    },
    /** Everyone is in the ledger now: the audience is what it holds, ends of an earlier launch included. */
    planned: (id: string, releaseHash: string, at: Date) =>
      postgres.query(
        'UPDATE journeys.broadcast SET planned_at = $3, audience = (SELECT count(*) FROM journeys.message m WHERE m.broadcast_id = $1) WHERE id = $1 AND release_hash = $2',
        [id, releaseHash, at],
      ),
    /** Done when everything planned has an end. @returns whether it just became so */
    async finish(id: string, at: Date): Promise<boolean> {
      const rows = await postgres.query(
        `UPDATE journeys.broadcast b SET state = 'done', finished_at = $2 WHERE id = $1 AND state = 'live' AND planned_at IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM journeys.message m WHERE m.broadcast_id = $1 AND m.state IN ('planned', 'claimed')) RETURNING id`,
        [id, at],
      )
      return rows.length > 0
    },
    /** What was sent before with this template or sender. */
    async usedBefore(column: 'template_id' | 'sender_id', value: string, except: string): Promise<boolean> {
      const sql = {
        template_id:
          'SELECT 1 FROM journeys.broadcast WHERE template_id = $1 AND id <> $2 AND launched_at IS NOT NULL LIMIT 1',
        sender_id:
          'SELECT 1 FROM journeys.broadcast WHERE sender_id = $1 AND id <> $2 AND launched_at IS NOT NULL LIMIT 1',
      }[column]
      return (await postgres.query(sql, [value, except])).length > 0
    },
  }
}
