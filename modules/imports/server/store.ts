import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Column, Counts, Format, Import, WorstRow } from '../contract.ts'

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
}
type Row = Omit<ImportTable, 'format' | 'columns' | 'counts' | 'worst'> & {
  format: Format
  columns: Column[]
  counts: Counts | null
  worst: WorstRow[]
}
interface Tables {
  import: ImportTable
}

export type StoredImport = ReturnType<typeof fromRow>

function fromRow(row: Row) {
  return {
    id: row.id as Import['id'],
    sourceId: row.source_id as Import['sourceId'],
    fileName: row.file_name,
    bytes: Number(row.bytes),
    state: row.state,
    format: row.format,
    columns: row.columns,
    counts: row.counts,
    worst: row.worst,
    bytesRead: Number(row.bytes_read),
    because: row.because,
    startedBy: row.started_by,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
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
        })
        .execute()
    },
    async get(id: string) {
      const rows = await postgres.query<Row>('SELECT * FROM imports.import WHERE id = $1', [id])
      const [row] = rows
      return row === undefined ? undefined : fromRow(row)
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
        .set({ state, bytes_read: 0, because: null, finished_at: null })
        .where('id', '=', id)
        .where('state', 'in', from)
        .executeTakeFirst()
      return Number(done.numUpdatedRows) === 1
    },
    /** Writes progress while the state is still `state`; tells whether it is (it is not after a cancel). */
    async progress(id: string, state: Import['state'], bytesRead: number, counts: Counts, worst: WorstRow[]) {
      const done = await db
        .updateTable('import')
        .set({ bytes_read: bytesRead, counts: JSON.stringify(counts), worst: JSON.stringify(worst) })
        .where('id', '=', id)
        .where('state', '=', state)
        .executeTakeFirst()
      return Number(done.numUpdatedRows) === 1
    },
    async finish(id: string, from: Import['state'], state: Import['state'], because: string | null, at: Date) {
      await db
        .updateTable('import')
        .set({ state, because, finished_at: at })
        .where('id', '=', id)
        .where('state', '=', from)
        .execute()
    },
    async cancel(id: string, at: Date) {
      const done = await db
        .updateTable('import')
        .set({ state: 'cancelled', finished_at: at })
        .where('id', '=', id)
        .where('state', 'in', ['checking', 'running'])
        .executeTakeFirst()
      return Number(done.numUpdatedRows) === 1
    },
  }
}
