import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Contract, Settings, State } from '../contract.ts'

/** What is in force of a secret, newest first; `until`: from then on it counts no more. */
export type SealedSecrets = Record<string, { sealed: string; until: string | null }[]>

export interface DestinationRow {
  id: string
  name: string
  kind: string
  tool_id: string
  settings: Settings
  secrets: SealedSecrets
  secrets_version: number
  contract: Contract
  version: number
  state: State
  because: string | null
  release_hash: string | null
  begins_at: Date | null
  failing_since: Date | null
  last_delivered_at: Date | null
  delivered: number
  expired: number
  made_by: string
  changed_by: string
  by_name: string | null
  created_at: Date
  changed_at: Date
}

const select = `SELECT d.*, n.name AS by_name FROM destinations.destination d LEFT JOIN accounts.named_person n ON n.id = d.changed_by`

/** The statements of destinations, and nothing but statements. */
export function destinationStore(postgres: Postgres) {
  return {
    list: () => postgres.query<DestinationRow>(`${select} ORDER BY lower(d.name)`),
    get: async (id: string) => (await postgres.query<DestinationRow>(`${select} WHERE d.id = $1`, [id]))[0],
    lock: async (id: string) =>
      (await postgres.query<DestinationRow>(`${select} WHERE d.id = $1 FOR UPDATE OF d`, [id]))[0],
    /** Those that events are kept for: launched once, whatever became of them since. */
    begun: () => postgres.query<DestinationRow>(`${select} WHERE d.begins_at IS NOT NULL ORDER BY d.id`),
    nameTaken: async (name: string, except: string) =>
      (
        await postgres.query('SELECT 1 FROM destinations.destination WHERE lower(name) = lower($1) AND id <> $2', [
          name,
          except,
        ])
      ).length > 0,
    insert: (
      row: Pick<DestinationRow, 'id' | 'name' | 'kind' | 'tool_id' | 'settings' | 'secrets' | 'contract'>,
      by: string,
      at: Date,
    ) =>
      postgres.query(
        `INSERT INTO destinations.destination (id, name, kind, tool_id, settings, secrets, contract, state, made_by, changed_by, created_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'draft', $8, $8, $9, $9)`,
        [
          row.id,
          row.name,
          row.kind,
          row.tool_id,
          JSON.stringify(row.settings),
          JSON.stringify(row.secrets),
          JSON.stringify(row.contract),
          by,
          at,
        ],
      ),
    change: (id: string, values: Pick<DestinationRow, 'name' | 'settings' | 'contract'>, by: string, at: Date) =>
      postgres.query(
        `UPDATE destinations.destination SET name = $2, settings = $3, contract = $4, changed_by = $5, changed_at = $6, version = version + 1 WHERE id = $1`,
        [id, values.name, JSON.stringify(values.settings), JSON.stringify(values.contract), by, at],
      ),
    setSecrets: (id: string, secrets: SealedSecrets) =>
      postgres.query(
        'UPDATE destinations.destination SET secrets = $2, secrets_version = secrets_version + 1 WHERE id = $1',
        [id, JSON.stringify(secrets)],
      ),
    goLive: (id: string, releaseHash: string, at: Date) =>
      postgres.query(
        `UPDATE destinations.destination SET state = 'live', because = NULL, release_hash = $2, begins_at = coalesce(begins_at, $3), failing_since = NULL WHERE id = $1`,
        [id, releaseHash, at],
      ),
    /** @returns false when it was in another state */
    async move(id: string, from: State[], to: State, because: string | null): Promise<boolean> {
      const rows = await postgres.query(
        'UPDATE destinations.destination SET state = $3, because = $4 WHERE id = $1 AND state = ANY($2) RETURNING id',
        [id, from, to, because],
      )
      return rows.length > 0
    },
    /** Whether a tool got events from here before. */
    toolUsedBefore: async (toolId: string, except: string) =>
      (
        await postgres.query(
          'SELECT 1 FROM destinations.destination WHERE tool_id = $1 AND id <> $2 AND begins_at IS NOT NULL LIMIT 1',
          [toolId, except],
        )
      ).length > 0,
  }
}
