import type { Id } from '../../../lib/ids/ids.ts'
import { storableJson } from '../../../lib/json/storable.ts'
import type { Mark } from '../../../platform/databases/database.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Connection, Counts, Plan, Run } from '../contract.ts'

/** How far a run is: the pass, and the place of the last row in it that is done. */
export interface Progress {
  pass: 'rows' | 'without' | 'keys'
  after: string[] | null
}

export interface StoredPull {
  id: Id<'pull'>
  number: number
  source_id: Id<'source'>
  name: string
  connection: Connection
  password: string
  plan: Plan | null
  schedule: string | null
  promise_hours: number | null
  paused: boolean
  next_at: Date | null
  mark: Mark | null
  fresh_at: Date | null
  last_chunk: number
  confirmed_chunk: number
  unsure: number[]
  runs_since_compare: number
  created_by: string
  created_at: Date
}

export interface StoredRun {
  id: Id<'run'>
  pull_id: Id<'pull'>
  state: Run['state']
  whole: boolean
  let_go: boolean
  asks_gone: boolean
  counts: Counts
  worst: Run['worst']
  progress: Progress | null
  mark: Mark | null
  seen_at: Date | null
  expected: number | null
  because: string | null
  started_by: string
  started_at: Date
  finished_at: Date | null
  reader: string | null
}

/** The statements of pulls, and nothing but statements. */
export function pullStore(postgres: Postgres) {
  const one = async <Row>(text: string, values: readonly unknown[]) => (await postgres.query<Row>(text, values))[0]
  return {
    /** @returns false when the name is taken */
    async insert(
      row: Pick<StoredPull, 'id' | 'source_id' | 'name' | 'connection' | 'password' | 'created_by' | 'created_at'>,
    ) {
      const done = await postgres.query(
        `INSERT INTO pulls.pull (id, source_id, name, connection, password, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id`,
        [row.id, row.source_id, row.name, JSON.stringify(row.connection), row.password, row.created_by, row.created_at],
      )
      return done.length === 1
    },
    get: (id: string) => one<StoredPull>('SELECT * FROM pulls.pull WHERE id = $1', [id]),
    list: () => postgres.query<StoredPull>('SELECT * FROM pulls.pull ORDER BY lower(name) LIMIT 1000'),
    lastRuns: () =>
      postgres.query<StoredRun>('SELECT DISTINCT ON (pull_id) * FROM pulls.run ORDER BY pull_id, started_at DESC'),
    runs: (pullId: string) =>
      postgres.query<StoredRun>('SELECT * FROM pulls.run WHERE pull_id = $1 ORDER BY started_at DESC LIMIT 100', [
        pullId,
      ]),
    run: (id: string) => one<StoredRun>('SELECT * FROM pulls.run WHERE id = $1', [id]),
    async connect(id: string, connection: Connection, password: string) {
      await postgres.query('UPDATE pulls.pull SET connection = $2, password = $3 WHERE id = $1', [
        id,
        JSON.stringify(connection),
        password,
      ])
    },
    /** Another plan reads from the beginning. */
    async plan(id: string, plan: Plan) {
      await postgres.query('UPDATE pulls.pull SET plan = $2, mark = NULL WHERE id = $1', [id, storableJson(plan)])
    },
    async nameTaken(name: string, except: string) {
      const rows = await postgres.query('SELECT 1 FROM pulls.pull WHERE lower(name) = lower($1) AND id <> $2', [
        name,
        except,
      ])
      return rows.length > 0
    },
    async settings(row: Pick<StoredPull, 'id' | 'name' | 'schedule' | 'promise_hours' | 'paused' | 'next_at'>) {
      await postgres.query(
        'UPDATE pulls.pull SET name = $2, schedule = $3, promise_hours = $4, paused = $5, next_at = $6 WHERE id = $1',
        [row.id, row.name, row.schedule, row.promise_hours, row.paused, row.next_at],
      )
    },
    async remove(id: string) {
      await postgres.query('DELETE FROM pulls.row WHERE pull = (SELECT number FROM pulls.pull WHERE id = $1)', [id])
      await postgres.query('DELETE FROM pulls.present WHERE run_id IN (SELECT id FROM pulls.run WHERE pull_id = $1)', [
        id,
      ])
      await postgres.query('DELETE FROM pulls.pull WHERE id = $1', [id])
    },
    due: (now: Date) =>
      postgres.query<Pick<StoredPull, 'id'>>(
        'SELECT id FROM pulls.pull WHERE next_at <= $1 AND NOT paused AND plan IS NOT NULL LIMIT 100',
        [now],
      ),
    async nextAt(id: string, at: Date | null) {
      await postgres.query('UPDATE pulls.pull SET next_at = $2 WHERE id = $1', [id, at])
    },
    /** @returns undefined when one runs already */
    start: (row: Pick<StoredRun, 'id' | 'pull_id' | 'whole' | 'let_go' | 'counts' | 'started_by' | 'started_at'>) =>
      one<StoredRun>(
        `INSERT INTO pulls.run (id, pull_id, state, whole, counts, started_by, started_at, let_go) VALUES ($1, $2, 'running', $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING *`,
        [row.id, row.pull_id, row.whole, JSON.stringify(row.counts), row.started_by, row.started_at, row.let_go],
      ),
    /** Takes a run in hand, unless somebody has it who gave a sign of life. */
    claim: (id: string, reader: string, now: Date, until: Date) =>
      one<StoredRun>(
        `UPDATE pulls.run SET reader = $2, held_until = $4 WHERE id = $1 AND state = 'running' AND (held_until IS NULL OR held_until < $3) RETURNING *`,
        [id, reader, now, until],
      ),
    stranded: (now: Date) =>
      postgres.query<Pick<StoredRun, 'id'>>(
        `SELECT id FROM pulls.run WHERE state = 'running' AND (held_until IS NULL OR held_until < $1) LIMIT 100`,
        [now],
      ),
    async letGo(id: string, reader: string) {
      await postgres.query('UPDATE pulls.run SET reader = NULL, held_until = NULL WHERE id = $1 AND reader = $2', [
        id,
        reader,
      ])
    },
    /** What was written down and not confirmed when its process ended may have gone in or not. */
    settle: (id: string) =>
      one<StoredPull>(
        `UPDATE pulls.pull SET unsure = CASE WHEN last_chunk > confirmed_chunk THEN unsure || last_chunk ELSE unsure END, confirmed_chunk = last_chunk WHERE id = $1 RETURNING *`,
        [id],
      ),
    /** The first snapshot of a run decides from where the run after it reads; it counts when this one ends well. */
    async seen(id: string, reader: string, mark: Mark, at: Date, expected: number | null) {
      await postgres.query(
        `UPDATE pulls.run SET mark = coalesce(mark, $3), seen_at = coalesce(seen_at, $4), expected = $5 WHERE id = $1 AND reader = $2`,
        [id, reader, JSON.stringify(mark), at, expected],
      )
    },
    async knowsAny(number: number) {
      return (await postgres.query('SELECT 1 FROM pulls.row WHERE pull = $1 LIMIT 1', [number])).length > 0
    },
    known: (number: number, keys: readonly string[], unsure: readonly number[]) =>
      postgres.query<{ key: string; hash: string | null; generation: number; unsure: boolean; who: string }>(
        `SELECT encode(uuid_send(key), 'hex') AS key, encode(uuid_send(hash), 'hex') AS hash, generation, chunk = ANY($3::bigint[]) AS unsure, who
           FROM pulls.row WHERE pull = $1 AND key = ANY($2::uuid[])`,
        [number, keys, unsure],
      ),
    /** Written down before it is handed on. @returns false when somebody else has the run, or nobody: then nothing was written */
    async write(
      run: { id: string; reader: string },
      pull: { id: string; number: number },
      chunk: number,
      rows: readonly { key: string; hash: string | null; generation: number; who: string }[],
    ) {
      const done = await postgres.query(
        `WITH mine AS (UPDATE pulls.pull p SET last_chunk = $4 FROM pulls.run r WHERE p.id = $3 AND r.id = $1 AND r.reader = $2 AND r.state = 'running' RETURNING p.id),
              put AS (INSERT INTO pulls.row (pull, key, hash, generation, chunk, who)
                SELECT $5, g.key, g.hash, g.generation, $4, g.who FROM mine, unnest($6::uuid[], $7::uuid[], $8::int[], $9::text[]) AS g (key, hash, generation, who) ORDER BY g.key
                ON CONFLICT (pull, key) DO UPDATE SET hash = excluded.hash, generation = excluded.generation, chunk = excluded.chunk, who = excluded.who)
         SELECT id FROM mine`,
        [
          run.id,
          run.reader,
          pull.id,
          chunk,
          pull.number,
          rows.map((row) => row.key),
          rows.map((row) => row.hash),
          rows.map((row) => row.generation),
          rows.map((row) => row.who),
        ],
      )
      return done.length === 1
    },
    /** It is on disk: the place moves behind it. @returns false when somebody else has the run, or nobody */
    async confirm(
      run: { id: string; reader: string },
      pullId: string,
      chunk: number,
      until: Date,
      progress: Progress,
      counts: Counts,
      worst: Run['worst'],
    ) {
      const done = await postgres.query(
        `WITH mine AS (UPDATE pulls.run SET progress = $5, counts = $6, worst = $7, held_until = $8 WHERE id = $1 AND reader = $2 AND state = 'running' RETURNING id)
         UPDATE pulls.pull SET confirmed_chunk = $4 FROM mine WHERE pulls.pull.id = $3 RETURNING mine.id`,
        [run.id, run.reader, pullId, chunk, JSON.stringify(progress), storableJson(counts), storableJson(worst), until],
      )
      return done.length === 1
    },
    async clearPresent(runId: string) {
      await postgres.query('DELETE FROM pulls.present WHERE run_id = $1', [runId])
    },
    async addPresent(runId: string, keys: readonly string[]) {
      await postgres.query('INSERT INTO pulls.present (run_id, key) SELECT $1, unnest($2::uuid[])', [runId, keys])
    },
    async countPresent(runId: string) {
      const row = await one<{ n: number }>('SELECT count(*) AS n FROM pulls.present WHERE run_id = $1', [runId])
      return row?.n ?? 0
    },
    /** Rows that were there and are not; also those of which it is unsure whether that was said. In order of key, behind `after`. */
    missing: (number: number, runId: string, unsure: readonly number[], after: string, limit: number) =>
      postgres.query<{ key: string; hash: string | null; generation: number; unsure: boolean; who: string }>(
        `SELECT encode(uuid_send(r.key), 'hex') AS key, encode(uuid_send(r.hash), 'hex') AS hash, r.generation, r.chunk = ANY($3::bigint[]) AS unsure, r.who
           FROM pulls.row r
          WHERE r.pull = $1 AND r.key > $4::uuid AND (r.hash IS NOT NULL OR r.chunk = ANY($3::bigint[]))
            AND NOT EXISTS (SELECT 1 FROM pulls.present p WHERE p.run_id = $2 AND p.key = r.key)
          ORDER BY r.key LIMIT $5`,
        [number, runId, unsure, after, limit],
      ),
    /** How many rows that were there are not among the keys of this run. */
    async howManyMissing(number: number, runId: string) {
      const row = await one<{ n: number }>(
        `SELECT count(*) AS n FROM pulls.row r WHERE r.pull = $1 AND r.hash IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pulls.present p WHERE p.run_id = $2 AND p.key = r.key)`,
        [number, runId],
      )
      return row?.n ?? 0
    },
    async howMany(number: number) {
      const row = await one<{ n: number }>('SELECT count(*) AS n FROM pulls.row WHERE pull = $1 AND hash IS NOT NULL', [
        number,
      ])
      return row?.n ?? 0
    },
    /** Done: the mark of the run becomes that of the pull, in one statement. */
    async finish(run: { id: string; reader: string }, pullId: string, at: Date, compared: boolean, sure: boolean) {
      const done = await postgres.query(
        `WITH mine AS (UPDATE pulls.run SET state = 'done', finished_at = $4, reader = NULL, held_until = NULL, progress = NULL WHERE id = $1 AND reader = $2 AND state = 'running' RETURNING mark, seen_at)
         UPDATE pulls.pull p SET mark = mine.mark, fresh_at = mine.seen_at,
                runs_since_compare = CASE WHEN $5 THEN 0 ELSE runs_since_compare + 1 END,
                unsure = CASE WHEN $6 THEN '{}' ELSE unsure END
           FROM mine WHERE p.id = $3 RETURNING p.id`,
        [run.id, run.reader, pullId, at, compared, sure],
      )
      return done.length === 1
    },
    async fail(id: string, reader: string, because: string, at: Date, asksGone: boolean) {
      await postgres.query(
        `UPDATE pulls.run SET state = 'failed', because = $3, finished_at = $4, asks_gone = $5, reader = NULL, held_until = NULL WHERE id = $1 AND reader = $2 AND state = 'running'`,
        [id, reader, because, at, asksGone],
      )
    },
    /** Places at which runs of this pull ended before their end, each given once. */
    async leftBehind(pullId: string): Promise<string[][]> {
      const rows = await postgres.query<{ after: string[] }>(
        `WITH ended AS (SELECT id, progress->'after' AS after FROM pulls.run
                         WHERE pull_id = $1 AND state IN ('cancelled', 'failed') AND jsonb_typeof(progress->'after') = 'array' FOR UPDATE)
         UPDATE pulls.run r SET progress = NULL FROM ended WHERE r.id = ended.id RETURNING ended.after`,
        [pullId],
      )
      return rows.map(({ after }) => after)
    },
    async cancel(pullId: string, at: Date) {
      const rows = await postgres.query(
        `UPDATE pulls.run SET state = 'cancelled', finished_at = $2, reader = NULL, held_until = NULL WHERE pull_id = $1 AND state = 'running' RETURNING id`,
        [pullId, at],
      )
      return rows.length > 0
    },
    /** Old runs go; the newest hundred of each pull stay. */
    async forgetRuns(pullId: string) {
      await postgres.query(
        `DELETE FROM pulls.run WHERE pull_id = $1 AND state <> 'running' AND id NOT IN (SELECT id FROM pulls.run WHERE pull_id = $1 ORDER BY started_at DESC LIMIT 100)`,
        [pullId],
      )
    },
  }
}
