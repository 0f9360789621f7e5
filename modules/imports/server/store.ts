import type { Generated } from 'kysely'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { Format, type Column, type Counts, type Import, type WorstRow } from '../contract.ts'
import type { LastRow } from './comparison.ts'
import type { Mapping } from './mapping.ts'

interface ImportTable {
  id: string
  source_id: string
  file_name: string
  bytes: number
  state: Import['state']
  format: string
  columns: string
  counts: string | null
  worst: string
  bytes_read: number
  because: string | null
  started_by: string
  created_at: Date
  finished_at: Date | null
  run: Generated<number>
  reader: string | null
  held_until: Date | null
  file_removed_at: Date | null
  shape: Generated<string>
  mapped_at: Date | null
  mapped_by: string | null
}
interface MappingTable {
  source_id: string
  shape: string
  format: string
  columns: string
  saved_at: Date
  saved_by: string
}
type Row = Omit<ImportTable, 'format' | 'columns' | 'counts' | 'worst' | 'run' | 'shape'> & {
  run: number
  shape: string
  format: Format
  columns: Column[]
  counts: (Omit<Counts, 'quarantined' | 'consents' | 'orders'> & Partial<Counts>) | null
  worst: WorstRow[]
}
interface Tables {
  import: ImportTable
  mapping: MappingTable
}

export type StoredImport = ReturnType<typeof fromRow>

function fromRow(row: Row) {
  return {
    id: row.id as Import['id'],
    sourceId: row.source_id as Import['sourceId'],
    fileName: row.file_name,
    bytes: Number(row.bytes),
    state: row.state,
    // Written before there were other kinds of files, it says less.
    format: Format.parse(row.format),
    columns: row.columns,
    // Written before these were counted, it says less.
    counts:
      row.counts === null
        ? null
        : {
            ...row.counts,
            quarantined: row.counts.quarantined ?? 0,
            consents: row.counts.consents ?? [],
            orders: row.counts.orders ?? 0,
          },
    worst: row.worst,
    bytesRead: Number(row.bytes_read),
    because: row.because,
    startedBy: row.started_by,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    run: row.run,
    fileRemovedAt: row.file_removed_at,
    shape: row.shape,
    mapped: row.mapped_at === null ? null : { by: row.mapped_by ?? '', at: row.mapped_at.toISOString() },
  }
}

/** The statements of imports, and nothing but statements. */
export function importStore(postgres: Postgres) {
  const db = postgres.schema<Tables>('imports')
  return {
    async insert(row: {
      id: string
      sourceId: string
      fileName: string
      bytes: number
      format: Format
      columns: Column[]
      startedBy: string
      createdAt: Date
      shape: string
      mapping: Pick<Mapping, 'savedAt' | 'savedBy'> | undefined
    }) {
      await db
        .insertInto('import')
        .values({
          id: row.id,
          source_id: row.sourceId,
          file_name: row.fileName,
          bytes: row.bytes,
          state: 'uploaded',
          format: JSON.stringify(row.format),
          columns: JSON.stringify(row.columns),
          counts: null,
          worst: '[]',
          bytes_read: 0,
          because: null,
          started_by: row.startedBy,
          created_at: row.createdAt,
          finished_at: null,
          shape: row.shape,
          mapped_at: row.mapping?.savedAt ?? null,
          mapped_by: row.mapping?.savedBy ?? null,
        })
        .execute()
    },
    async get(id: string) {
      const rows = await postgres.query<Row>('SELECT * FROM imports.import WHERE id = $1', [id])
      const [row] = rows
      return row === undefined ? undefined : fromRow(row)
    },
    async mapping(sourceId: string, shape: string): Promise<Mapping | undefined> {
      const [row] = await postgres.query<{
        format: Format
        columns: Mapping['columns']
        saved_at: Date
        saved_by: string
      }>('SELECT format, columns, saved_at, saved_by FROM imports.mapping WHERE source_id = $1 AND shape = $2', [
        sourceId,
        shape,
      ])
      return row === undefined
        ? undefined
        : {
            format: Format.parse(row.format),
            columns: row.columns,
            savedAt: row.saved_at,
            savedBy: row.saved_by,
          }
    },
    /** The newest one of its shape counts. */
    async saveMapping(sourceId: string, shape: string, { format, columns, savedAt, savedBy }: Mapping) {
      const kept = {
        format: JSON.stringify(format),
        columns: JSON.stringify(columns),
        saved_at: savedAt,
        saved_by: savedBy,
      }
      await db
        .insertInto('mapping')
        .values({ source_id: sourceId, shape, ...kept })
        .onConflict((conflict) => conflict.columns(['source_id', 'shape']).doUpdateSet(kept))
        .execute()
    },
    async newest(limit: number) {
      const rows = await postgres.query<Row>('SELECT * FROM imports.import ORDER BY created_at DESC LIMIT $1', [limit])
      return rows.map(fromRow)
    },
    async plan(id: string, format: Format, columns: Column[]) {
      await db
        .updateTable('import')
        .set({
          format: JSON.stringify(format),
          columns: JSON.stringify(columns),
          state: 'uploaded',
          counts: null,
          worst: '[]',
          because: null,
        })
        .where('id', '=', id)
        .execute()
    },
    /** Moves to `state` only from one of `from`, so that two people cannot start the same thing; tells whether it did. */
    async move(id: string, from: Import['state'][], state: Import['state']) {
      const done = await db
        .updateTable('import')
        .set((update) => ({
          state,
          bytes_read: 0,
          because: null,
          finished_at: null,
          reader: null,
          held_until: null,
          run: update('run', '+', state === 'running' ? 1 : 0),
        }))
        .where('id', '=', id)
        .where('state', 'in', from)
        .where('file_removed_at', 'is', null)
        .executeTakeFirst()
      return Number(done.numUpdatedRows) === 1
    },
    /** Takes a check or a run in hand, unless somebody has it who gave a sign of life. @returns undefined when there is nothing to read */
    async claim(id: string, reader: string, now: Date, until: Date) {
      const [row] = await postgres.query<Row>(
        `UPDATE imports.import SET reader = $2, held_until = $4 WHERE id = $1 AND state IN ('checking', 'running') AND (held_until IS NULL OR held_until < $3) RETURNING *`,
        [id, reader, now, until],
      )
      return row === undefined ? undefined : fromRow(row)
    },
    /** What is to be read and nobody has in hand: begun a moment ago, or left by a process that is gone. */
    async stranded(now: Date) {
      return postgres.query<{ id: Import['id'] }>(
        `SELECT id FROM imports.import WHERE state IN ('checking', 'running') AND (held_until IS NULL OR held_until < $1) LIMIT 100`,
        [now],
      )
    },
    async letGo(id: string, reader: string) {
      await db
        .updateTable('import')
        .set({ reader: null, held_until: null })
        .where('id', '=', id)
        .where('reader', '=', reader)
        .execute()
    },
    /** Writes progress while `reader` has it; tells whether it has (it has not after a cancel). */
    async progress(id: string, reader: string, until: Date, bytesRead: number, counts: Counts, worst: WorstRow[]) {
      const done = await db
        .updateTable('import')
        .set({
          bytes_read: bytesRead,
          counts: JSON.stringify(counts),
          worst: JSON.stringify(worst),
          held_until: until,
        })
        .where('id', '=', id)
        .where('reader', '=', reader)
        .executeTakeFirst()
      return Number(done.numUpdatedRows) === 1
    },
    async finish(id: string, reader: string, state: Import['state'], because: string | null, at: Date) {
      await db
        .updateTable('import')
        .set({ state, because, finished_at: at, reader: null, held_until: null })
        .where('id', '=', id)
        .where('reader', '=', reader)
        .execute()
    },
    /** A run that is stopped is over; a check that is stopped leaves the file as it was handed in. @returns the new state */
    async cancel(id: string, at: Date) {
      const [row] = await postgres.query<{ state: Import['state'] }>(
        `UPDATE imports.import SET reader = NULL, held_until = NULL,
           state = CASE state WHEN 'running' THEN 'cancelled' ELSE 'uploaded' END, finished_at = CASE state WHEN 'running' THEN $2 END::timestamptz
         WHERE id = $1 AND state IN ('checking', 'running') RETURNING state`,
        [id, at],
      )
      return row?.state
    },
    /** Files that are no longer needed: of runs that were stopped, and what ended (or was handed in and left) before `before`. */
    async overdue(before: Date) {
      return postgres.query<{ id: Import['id'] }>(
        `SELECT id FROM imports.import WHERE file_removed_at IS NULL AND state NOT IN ('checking', 'running') AND (state = 'cancelled' OR coalesce(finished_at, created_at) < $1) LIMIT 100`,
        [before],
      )
    },
    /** The file goes, and with it what the page shows of its cells. @returns false when it is being read or gone */
    async fileRemoved(id: string, at: Date) {
      const rows = await postgres.query(
        `UPDATE imports.import SET file_removed_at = $2, worst = '[]',
           columns = (SELECT coalesce(jsonb_agg(jsonb_set(c, '{samples}', '[]') ORDER BY n), '[]') FROM jsonb_array_elements(columns) WITH ORDINALITY AS e (c, n))
         WHERE id = $1 AND file_removed_at IS NULL AND state NOT IN ('checking', 'running') RETURNING id`,
        [id, at],
      )
      return rows.length > 0
    },
    /** Whether anything was ever read into this source: of a first import, no row needs to be asked for. */
    async hasLastRows(sourceId: string) {
      const rows = await postgres.query('SELECT 1 FROM imports.last_row WHERE source_id = $1 LIMIT 1', [sourceId])
      return rows.length > 0
    },
    async lastRows(sourceId: string, keys: readonly string[]) {
      return postgres.query<LastRow>(
        'SELECT key, nth, hash, generation, run, aside FROM imports.last_row WHERE source_id = $1 AND key = ANY($2)',
        [sourceId, [...new Set(keys)]],
      )
    },
    /**
     * In order of key, so that two imports into one source never wait for each other in a circle. Keys and hashes have no commas, so they travel as one
     * text each: the driver's own way to write an array took a tenth of an import.
     */
    async putLastRows(sourceId: string, rows: readonly LastRow[]) {
      const joined = (cell: (row: LastRow) => string | number | boolean) => rows.map(cell).join(',')
      await postgres.query(
        `INSERT INTO imports.last_row (source_id, key, nth, hash, generation, run, aside)
         SELECT $1, key, nth, hash, generation, run, aside FROM unnest(string_to_array($2, ','), string_to_array($3, ',')::int[], string_to_array($4, ','), string_to_array($5, ',')::int[], string_to_array($6, ','), string_to_array($7, ',')::boolean[]) AS g (key, nth, hash, generation, run, aside) ORDER BY key, nth
         ON CONFLICT (source_id, key, nth) DO UPDATE SET hash = excluded.hash, generation = excluded.generation, run = excluded.run, aside = excluded.aside`,
        [
          sourceId,
          joined((row) => row.key),
          joined((row) => row.nth),
          joined((row) => row.hash),
          joined((row) => row.generation),
          joined((row) => row.run),
          joined((row) => row.aside),
        ],
      )
    },
    /** They hold no more, but keep their generation: said again, it is another event. */
    async forgetBeyond(sourceId: string, beyond: readonly { key: string; nth: number }[]) {
      await postgres.query(
        `UPDATE imports.last_row r SET hash = '' FROM unnest($2::text[], $3::int[]) AS g (key, nth) WHERE r.source_id = $1 AND r.key = g.key AND r.nth > g.nth`,
        [sourceId, beyond.map((one) => one.key), beyond.map((one) => one.nth)],
      )
    },
  }
}
