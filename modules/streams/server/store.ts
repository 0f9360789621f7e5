import type { Id } from '../../../lib/ids/ids.ts'
import { storableJson } from '../../../lib/json/storable.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Column } from '../../imports/contract.ts'
import type { Counts, Run } from '../contract.ts'

export interface StoredStream {
  id: Id<'stream'>
  number: number
  source_id: Id<'source'>
  name: string
  key: string[]
  columns: Column[]
  decided_by: string | null
  left_out: boolean
}

export interface StoredRun {
  id: Id<'stream_run'>
  source_id: Id<'source'>
  state: Run['state']
  lines: number
  counts: Counts
  worst: Run['worst']
  because: string | null
  started_by: string
  started_at: Date
  heard_at: Date
  finished_at: Date | null
}

export interface Feed {
  last_chunk: number
  unsure: number[]
}

export interface StoredRow {
  stream: number
  key: string
  hash: string | null
  generation: number
  who: string
  version: number | undefined
}

/** The statements of streams, and nothing but statements. */
export function streamStore(postgres: Postgres) {
  const one = async <Row>(text: string, values: readonly unknown[]) => (await postgres.query<Row>(text, values))[0]
  const known = `encode(uuid_send(r.key), 'hex') AS key, encode(uuid_send(r.hash), 'hex') AS hash, r.generation, r.who`
  return {
    streams: () => postgres.query<StoredStream>('SELECT * FROM streams.stream ORDER BY lower(name), id LIMIT 1000'),
    of: (sourceId: string) =>
      postgres.query<StoredStream>('SELECT * FROM streams.stream WHERE source_id = $1', [sourceId]),
    stream: (id: string) => one<StoredStream>('SELECT * FROM streams.stream WHERE id = $1', [id]),
    add: (row: Omit<StoredStream, 'number' | 'decided_by' | 'left_out'> & { created_at: Date }) =>
      one<StoredStream>(
        `INSERT INTO streams.stream (id, source_id, name, key, columns, created_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (source_id, name) DO UPDATE SET name = excluded.name RETURNING *`,
        [row.id, row.source_id, row.name, storableJson(row.key), storableJson(row.columns), row.created_at],
      ),
    /** What the source says of a stream; what a person decided stays. */
    async learn(id: string, key: readonly string[], columns: readonly Column[]) {
      await postgres.query(
        'UPDATE streams.stream SET columns = $3, key = CASE WHEN decided_by IS NULL THEN $2 ELSE key END WHERE id = $1',
        [id, storableJson(key), storableJson(columns)],
      )
    },
    async decide(row: Pick<StoredStream, 'id' | 'key' | 'columns' | 'decided_by' | 'left_out'>) {
      await postgres.query(
        'UPDATE streams.stream SET key = $2, columns = $3, decided_by = $4, left_out = $5 WHERE id = $1',
        [row.id, storableJson(row.key), storableJson(row.columns), row.decided_by, row.left_out],
      )
    },
    counted: () =>
      postgres.query<{ stream: number; n: number }>(
        'SELECT stream, count(*) AS n FROM streams.row WHERE hash IS NOT NULL GROUP BY stream',
      ),
    runs: () => postgres.query<StoredRun>('SELECT * FROM streams.run ORDER BY started_at DESC LIMIT 100'),
    run: (id: string) => one<StoredRun>('SELECT * FROM streams.run WHERE id = $1', [id]),
    /** What did not say that it ended is left. */
    async leave(sourceId: string, because: string, at: Date) {
      await postgres.query(
        `UPDATE streams.run SET state = 'left', because = $2, finished_at = $3 WHERE source_id = $1 AND state = 'running'`,
        [sourceId, because, at],
      )
    },
    start: (row: Pick<StoredRun, 'id' | 'source_id' | 'counts' | 'started_by' | 'started_at'>) =>
      one<StoredRun>(
        `INSERT INTO streams.run (id, source_id, state, counts, started_by, started_at, heard_at) VALUES ($1, $2, 'running', $3, $4, $5, $5) ON CONFLICT DO NOTHING RETURNING *`,
        [row.id, row.source_id, storableJson(row.counts), row.started_by, row.started_at],
      ),
    /** Runs beyond the newest hundred of a source go. */
    async forget(sourceId: string) {
      await postgres.query(
        `DELETE FROM streams.run WHERE source_id = $1 AND state <> 'running' AND id NOT IN (SELECT id FROM streams.run WHERE source_id = $1 ORDER BY started_at DESC LIMIT 100)`,
        [sourceId],
      )
    },
    /** What was written down and not confirmed may have gone in or not; a number that no row has any more is forgotten. */
    async settle(sourceId: string): Promise<Feed> {
      const feed = await one<Feed & { confirmed_chunk: number }>(
        `INSERT INTO streams.feed (source_id) VALUES ($1) ON CONFLICT (source_id) DO UPDATE SET
           unsure = CASE WHEN streams.feed.last_chunk > streams.feed.confirmed_chunk THEN streams.feed.unsure || streams.feed.last_chunk ELSE streams.feed.unsure END,
           confirmed_chunk = streams.feed.last_chunk RETURNING *`,
        [sourceId],
      )
      return { last_chunk: feed?.last_chunk ?? 0, unsure: feed?.unsure ?? [] }
    },
    async prune(sourceId: string) {
      await postgres.query(
        `UPDATE streams.feed SET unsure = ARRAY(SELECT DISTINCT r.chunk FROM streams.row r JOIN streams.stream s ON s.number = r.stream WHERE s.source_id = $1 AND r.chunk = ANY(streams.feed.unsure)) WHERE source_id = $1 AND unsure <> '{}'`,
        [sourceId],
      )
    },
    known: (stream: number, keys: readonly string[], unsure: readonly number[]) =>
      postgres.query<{ key: string; hash: string | null; generation: number; unsure: boolean; who: string }>(
        `SELECT ${known}, r.chunk = ANY($3::bigint[]) AS unsure FROM streams.row r WHERE r.stream = $1 AND r.key = ANY($2::uuid[])`,
        [stream, keys, unsure],
      ),
    /** Written down before it is handed on. @returns false when the run is no longer the one of its source: then nothing was written */
    async write(run: Pick<StoredRun, 'id' | 'source_id'>, chunk: number, rows: readonly StoredRow[]) {
      const done = await postgres.query(
        `WITH mine AS (UPDATE streams.feed f SET last_chunk = $3 FROM streams.run r WHERE f.source_id = $2 AND r.id = $1 AND r.state = 'running' RETURNING f.source_id),
              put AS (INSERT INTO streams.row (stream, key, hash, generation, chunk, who, version)
                SELECT g.stream, g.key, g.hash, g.generation, $3, g.who, g.version FROM mine,
                  unnest($4::int[], $5::uuid[], $6::uuid[], $7::int[], $8::text[], $9::bigint[]) AS g (stream, key, hash, generation, who, version) ORDER BY g.stream, g.key
                ON CONFLICT (stream, key) DO UPDATE SET hash = excluded.hash, generation = excluded.generation, chunk = excluded.chunk, who = excluded.who, version = coalesce(excluded.version, streams.row.version))
         SELECT source_id FROM mine`,
        [
          run.id,
          run.source_id,
          chunk,
          rows.map((row) => row.stream),
          rows.map((row) => row.key),
          rows.map((row) => row.hash),
          rows.map((row) => row.generation),
          rows.map((row) => row.who),
          rows.map((row) => row.version ?? null),
        ],
      )
      return done.length === 1
    },
    /** Unchanged records belong to the present version of their stream too. */
    async belong(stream: number, version: number, keys: readonly string[]) {
      await postgres.query(
        'UPDATE streams.row SET version = $2 WHERE stream = $1 AND key = ANY($3::uuid[]) AND version IS DISTINCT FROM $2',
        [stream, version, keys],
      )
    },
    /** It is on disk: the place moves behind it. @returns undefined when the run is no longer the one of its source */
    confirm: (
      run: Pick<StoredRun, 'id' | 'source_id'>,
      chunk: number,
      lines: number,
      counts: Counts,
      worst: Run['worst'],
      at: Date,
    ) =>
      one<StoredRun>(
        `WITH mine AS (UPDATE streams.run SET lines = $4, counts = $5, worst = $6, heard_at = $7 WHERE id = $1 AND state = 'running' RETURNING *),
              fed AS (UPDATE streams.feed SET confirmed_chunk = $3 FROM mine WHERE streams.feed.source_id = $2)
         SELECT * FROM mine`,
        [run.id, run.source_id, chunk, lines, storableJson(counts), storableJson(worst), at],
      ),
    end: (id: string, state: 'done' | 'failed', because: string | null, at: Date) =>
      one<StoredRun>(
        `UPDATE streams.run SET state = $2, because = $3, finished_at = $4, heard_at = $4 WHERE id = $1 AND state = 'running' RETURNING *`,
        [id, state, because, at],
      ),
    /** How many records are there, and how many of them have this version. */
    async versions(stream: number, version: number) {
      const row = await one<{ all: number; these: number }>(
        'SELECT count(*) AS all, count(*) FILTER (WHERE version = $2) AS these FROM streams.row WHERE stream = $1 AND hash IS NOT NULL',
        [stream, version],
      )
      return { all: row?.all ?? 0, these: row?.these ?? 0 }
    },
    /** Records of other versions that are not said to be gone, or of which that is unsure; in order of key, behind `after`. */
    others: (stream: number, version: number, unsure: readonly number[], after: string, limit: number) =>
      postgres.query<{ key: string; hash: string | null; generation: number; unsure: boolean; who: string }>(
        `SELECT ${known}, r.chunk = ANY($3::bigint[]) AS unsure FROM streams.row r
          WHERE r.stream = $1 AND r.key > $4::uuid AND r.version IS DISTINCT FROM $2 AND (r.hash IS NOT NULL OR r.chunk = ANY($3::bigint[]))
          ORDER BY r.key LIMIT $5`,
        [stream, version, unsure, after, limit],
      ),
  }
}
