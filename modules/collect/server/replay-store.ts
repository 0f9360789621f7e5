import type { Id } from '../../../lib/ids/ids.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Choice } from './put-aside.ts'

type State = 'checking' | 'checked' | 'running' | 'done' | 'cancelled' | 'failed'

/** What a check found so far. */
export interface Found {
  pass: number
  duplicate: number
  untold: number
  fails: Record<string, { events: number; samples: { name: string; because: string }[] }>
}

/** A row of the quarantine, or a place in the journal. */
interface Place {
  journalId: string
  position: bigint
}

export interface StoredReplay {
  id: Id<'replay'>
  chosen: Choice
  state: State
  until: Place
  at: Place
  matched: number
  looked: number
  found: Found | null
  startedBy: string
  because: string | null
  createdAt: Date
  finishedAt: Date | null
}

interface Row {
  id: string
  chosen: Choice
  state: State
  journal_id: string
  before_position: string
  at_journal: string
  at_position: string
  matched: string
  looked: string
  found: Found | null
  started_by: string
  because: string | null
  created_at: Date
  finished_at: Date | null
}

const columns =
  'id, chosen, state, journal_id, before_position, at_journal, at_position, matched, looked, found, started_by, because, created_at, finished_at'

const replayOf = (row: Row): StoredReplay => ({
  id: row.id as Id<'replay'>,
  chosen: row.chosen,
  state: row.state,
  until: { journalId: row.journal_id, position: BigInt(row.before_position) },
  at: { journalId: row.at_journal, position: BigInt(row.at_position) },
  matched: Number(row.matched),
  looked: Number(row.looked),
  found: row.found,
  startedBy: row.started_by,
  because: row.because,
  createdAt: row.created_at,
  finishedAt: row.finished_at,
})

export function replayStore(postgres: Postgres) {
  return {
    async get(id: string): Promise<StoredReplay | undefined> {
      const [row] = await postgres.query<Row>(`SELECT ${columns} FROM collect.replay WHERE id = $1`, [id])
      return row === undefined ? undefined : replayOf(row)
    },
    async newest(limit: number): Promise<StoredReplay[]> {
      const rows = await postgres.query<Row>(
        `SELECT ${columns} FROM collect.replay ORDER BY created_at DESC, id DESC LIMIT $1`,
        [limit],
      )
      return rows.map(replayOf)
    },
    async insert(one: Pick<StoredReplay, 'id' | 'chosen' | 'until' | 'matched' | 'startedBy'> & { at: Date }) {
      await postgres.query(
        `INSERT INTO collect.replay (id, chosen, state, journal_id, before_position, matched, started_by, created_at)
         VALUES ($1, $2, 'checking', $3, $4, $5, $6, $7)`,
        [one.id, one.chosen, one.until.journalId, one.until.position, one.matched, one.startedBy, one.at],
      )
    },
    /** @returns false when it is not in this state any more */
    async progress(id: string, state: State, at: Place, looked: number, found: Found | null): Promise<boolean> {
      const rows = await postgres.query(
        `UPDATE collect.replay SET at_journal = $3, at_position = $4, looked = $5, found = coalesce($6, found)
          WHERE id = $1 AND state = $2 RETURNING id`,
        [id, state, at.journalId, at.position, looked, found],
      )
      return rows.length === 1
    },
    async move(id: string, from: readonly State[], to: State, at: Date): Promise<boolean> {
      const rows = await postgres.query(
        `UPDATE collect.replay SET state = $3, finished_at = $4 WHERE id = $1 AND state = ANY($2) RETURNING id`,
        [id, from, to, at],
      )
      return rows.length === 1
    },
    async fail(id: string, because: string, at: Date): Promise<void> {
      await postgres.query(
        `UPDATE collect.replay SET state = 'failed', because = $2, finished_at = $3 WHERE id = $1 AND state IN ('checking', 'running')`,
        [id, because, at],
      )
    },
    /** From the first row again, now for good. What was replayed before is in quarantine no more, and does not come again. */
    async restart(id: string): Promise<boolean> {
      const rows = await postgres.query(
        `UPDATE collect.replay SET state = 'running', at_journal = '', at_position = -1, looked = 0, finished_at = NULL
          WHERE id = $1 AND state = 'checked' RETURNING id`,
        [id],
      )
      return rows.length === 1
    },
  }
}
