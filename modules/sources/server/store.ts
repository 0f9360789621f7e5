import type { Id } from '../../../lib/ids/ids.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Source, SourceKind } from '../contract.ts'

interface SourceRow {
  id: string
  name: string
  kind: SourceKind
  write_key: string
  tool_id: string | null
  enabled: boolean
  events_per_second: number | null
  created_at: Date
}

const columns = 'id, name, kind, write_key, tool_id, enabled, events_per_second, created_at'

const sourceOf = (row: SourceRow): Source => ({
  id: row.id as Id<'source'>,
  name: row.name,
  kind: row.kind,
  writeKey: row.write_key,
  toolId: row.tool_id as Id<'tool'> | null,
  enabled: row.enabled,
  eventsPerSecond: row.events_per_second,
  createdAt: row.created_at.toISOString(),
})

export async function everySource(postgres: Postgres): Promise<Source[]> {
  const rows = await postgres.query<SourceRow>(`SELECT ${columns} FROM sources.source ORDER BY created_at, id`)
  return rows.map(sourceOf)
}

export async function sourceWithKey(postgres: Postgres, writeKey: string): Promise<Source | undefined> {
  const [row] = await postgres.query<SourceRow>(`SELECT ${columns} FROM sources.source WHERE write_key = $1`, [
    writeKey,
  ])
  return row === undefined ? undefined : sourceOf(row)
}

/** Changes with every change of any source: one cheap question tells whether the table in memory is still right. */
export async function sourcesVersion(postgres: Postgres): Promise<string> {
  const [row] = await postgres.query<{ version: string }>(
    `SELECT count(*) || ' ' || coalesce(max(changed_at)::text, '') AS version FROM sources.source`,
  )
  return row?.version ?? ''
}

/** @returns whether it was added: not when the name (or the one internal source) is there already */
export async function addSource(tx: Postgres, source: Source, at: Date): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO sources.source (id, name, kind, write_key, tool_id, enabled, created_at, changed_at, events_per_second)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8) ON CONFLICT DO NOTHING RETURNING id`,
    [source.id, source.name, source.kind, source.writeKey, source.toolId, source.enabled, at, source.eventsPerSecond],
  )
  return rows.length === 1
}

export async function changeSource(tx: Postgres, source: Source, at: Date): Promise<void> {
  await tx.query(
    `UPDATE sources.source SET name = $2, enabled = $3, changed_at = $4, events_per_second = $5 WHERE id = $1`,
    [source.id, source.name, source.enabled, at, source.eventsPerSecond],
  )
}

export async function nameTaken(tx: Postgres, name: string, except: Id<'source'>): Promise<boolean> {
  const rows = await tx.query(`SELECT 1 FROM sources.source WHERE lower(name) = lower($1) AND id <> $2`, [name, except])
  return rows.length > 0
}
