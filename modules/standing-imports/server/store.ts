import type { Id } from '../../../lib/ids/ids.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Counts } from '../../imports/contract.ts'
import type { Asks, Place, Taking } from '../contract.ts'

export interface StoredStanding {
  id: Id<'standing'>
  source_id: Id<'source'>
  name: string
  place: Place
  secret: string | null
  schedule: string | null
  promise_hours: number | null
  paused: boolean
  next_at: Date | null
  fresh_at: Date | null
  etag: string | null
  last_modified: string | null
  looked_at: Date | null
  look_failed: boolean
  look_says: string | null
  created_by: string
  created_at: Date
}

export interface StoredTaking {
  id: Id<'taking'>
  standing_id: Id<'standing'>
  hash: string
  file_name: string
  bytes: number
  mark: string | null
  modified_at: Date
  import_id: Id<'import'> | null
  state: Taking['state']
  asks: Asks | null
  because: string | null
  counts: Counts | null
  taken_by: string
  taken_at: Date
}

/** The statements of standing imports, and nothing but statements. */
export function standingStore(postgres: Postgres) {
  const one = async <Row>(text: string, values: readonly unknown[]) => (await postgres.query<Row>(text, values))[0]
  return {
    /** @returns false when the name is taken */
    async insert(
      row: Pick<StoredStanding, 'id' | 'source_id' | 'name' | 'place' | 'secret' | 'created_by' | 'created_at'>,
    ) {
      const done = await postgres.query(
        'INSERT INTO standing_imports.standing (id, source_id, name, place, secret, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id',
        [row.id, row.source_id, row.name, JSON.stringify(row.place), row.secret, row.created_by, row.created_at],
      )
      return done.length === 1
    },
    get: (id: string) => one<StoredStanding>('SELECT * FROM standing_imports.standing WHERE id = $1', [id]),
    list: () =>
      postgres.query<StoredStanding>('SELECT * FROM standing_imports.standing ORDER BY lower(name) LIMIT 1000'),
    /** Another place has said nothing yet. */
    async place(id: string, place: Place, secret: string | null) {
      await postgres.query(
        'UPDATE standing_imports.standing SET place = $2, secret = $3, etag = NULL, last_modified = NULL WHERE id = $1',
        [id, JSON.stringify(place), secret],
      )
      await postgres.query('DELETE FROM standing_imports.seen WHERE standing_id = $1', [id])
    },
    async nameTaken(name: string, except: string) {
      const rows = await postgres.query(
        'SELECT 1 FROM standing_imports.standing WHERE lower(name) = lower($1) AND id <> $2',
        [name, except],
      )
      return rows.length > 0
    },
    async settings(row: Pick<StoredStanding, 'id' | 'name' | 'schedule' | 'promise_hours' | 'paused' | 'next_at'>) {
      await postgres.query(
        'UPDATE standing_imports.standing SET name = $2, schedule = $3, promise_hours = $4, paused = $5, next_at = $6 WHERE id = $1',
        [row.id, row.name, row.schedule, row.promise_hours, row.paused, row.next_at],
      )
    },
    async remove(id: string) {
      await postgres.query('DELETE FROM standing_imports.standing WHERE id = $1', [id])
    },
    due: (now: Date) =>
      postgres.query<Pick<StoredStanding, 'id' | 'schedule'>>(
        'SELECT id, schedule FROM standing_imports.standing WHERE next_at <= $1 AND NOT paused LIMIT 100',
        [now],
      ),
    async nextAt(id: string, at: Date | null) {
      await postgres.query('UPDATE standing_imports.standing SET next_at = $2 WHERE id = $1', [id, at])
    },
    again: (now: Date) =>
      postgres.query<Pick<StoredStanding, 'id'> & { again_by: string }>(
        'SELECT id, again_by FROM standing_imports.standing WHERE again_at <= $1 LIMIT 100',
        [now],
      ),
    async looked(id: string, at: Date, says: string, failed: boolean, again: { at: Date; by: string } | null) {
      await postgres.query(
        'UPDATE standing_imports.standing SET looked_at = $2, look_says = $3, look_failed = $4, again_at = $5, again_by = $6 WHERE id = $1',
        [id, at, says, failed, again?.at ?? null, again?.by ?? null],
      )
    },
    /** What the server said of the file that is here now. */
    async answered(id: string, etag: string | null, lastModified: string | null) {
      await postgres.query('UPDATE standing_imports.standing SET etag = $2, last_modified = $3 WHERE id = $1', [
        id,
        etag,
        lastModified,
      ])
    },
    async fresh(id: string, at: Date) {
      await postgres.query(
        'UPDATE standing_imports.standing SET fresh_at = greatest(fresh_at, $2::timestamptz) WHERE id = $1',
        [id, at],
      )
    },
    async knows(id: string, hash: string) {
      const rows = await postgres.query('SELECT 1 FROM standing_imports.taking WHERE standing_id = $1 AND hash = $2', [
        id,
        hash,
      ])
      return rows.length > 0
    },
    async take(row: StoredTaking) {
      await postgres.query(
        `INSERT INTO standing_imports.taking (id, standing_id, hash, file_name, bytes, mark, modified_at, import_id, state, asks, because, taken_by, taken_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
        [
          row.id,
          row.standing_id,
          row.hash,
          row.file_name,
          row.bytes,
          row.mark,
          row.modified_at,
          row.import_id,
          row.state,
          row.asks === null ? null : JSON.stringify(row.asks),
          row.because,
          row.taken_by,
          row.taken_at,
        ],
      )
    },
    open: (id: string) =>
      one<StoredTaking>(`SELECT * FROM standing_imports.taking WHERE standing_id = $1 AND state = 'open'`, [id]),
    allOpen: () =>
      postgres.query<Pick<StoredTaking, 'standing_id' | 'import_id'>>(
        `SELECT standing_id, import_id FROM standing_imports.taking WHERE state = 'open'`,
      ),
    /** The import that was read last, to tell what changed since. */
    before: (id: string) =>
      one<Pick<StoredTaking, 'import_id'>>(
        `SELECT import_id FROM standing_imports.taking WHERE standing_id = $1 AND state = 'read' ORDER BY taken_at DESC LIMIT 1`,
        [id],
      ),
    async settle(id: string, state: 'read' | 'left', because: string | null, counts: Counts | null, at: Date) {
      const done = await postgres.query(
        `UPDATE standing_imports.taking SET state = $2, because = $3, counts = $4, settled_at = $5 WHERE id = $1 AND state = 'open' RETURNING id`,
        [id, state, because, counts === null ? null : JSON.stringify(counts), at],
      )
      return done.length === 1
    },
    takings: (id: string) =>
      postgres.query<StoredTaking>(
        'SELECT * FROM standing_imports.taking WHERE standing_id = $1 ORDER BY taken_at DESC LIMIT 100',
        [id],
      ),
    lastTakings: () =>
      postgres.query<StoredTaking>(
        'SELECT DISTINCT ON (standing_id) * FROM standing_imports.taking ORDER BY standing_id, taken_at DESC',
      ),
    /**
     * Writes down what lies in the folder now. A file that is as it was keeps the time since which it is so; one that is gone is forgotten.
     * @returns each with that time, and whether it was taken already
     */
    async see(id: string, names: readonly string[], marks: readonly string[], now: Date) {
      await postgres.query('DELETE FROM standing_imports.seen WHERE standing_id = $1 AND NOT name = ANY($2)', [
        id,
        names,
      ])
      return postgres.query<{ name: string; since: Date; taken: boolean }>(
        `INSERT INTO standing_imports.seen AS s (standing_id, name, mark, since) SELECT $1, name, mark, $4 FROM unnest($2::text[], $3::text[]) AS g (name, mark) ORDER BY name
         ON CONFLICT (standing_id, name) DO UPDATE SET mark = excluded.mark,
           since = CASE WHEN s.mark = excluded.mark THEN s.since ELSE excluded.since END, taken = s.taken AND s.mark = excluded.mark
         RETURNING name, since, taken`,
        [id, names, marks, now],
      )
    },
    async taken(id: string, name: string, mark: string) {
      await postgres.query(
        'UPDATE standing_imports.seen SET taken = true WHERE standing_id = $1 AND name = $2 AND mark = $3',
        [id, name, mark],
      )
    },
  }
}
