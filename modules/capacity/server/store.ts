import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Assumptions } from '../contract.ts'
import type { Found } from './measuring.ts'

export interface StoredMeasurement {
  measured_at: Date
  by_name: string | null
  cores: number
  model: string
  per_second: number
  p99_ms: number
  batch_per_second: number
  flushes_per_second: number
  flush_ms: number
}

export interface StoredAssumption {
  opened: number
  clicked: number
  pages_per_click: number
  by_name: string | null
  changed_at: Date
}

/** The statements of capacity, and nothing but statements. */
export function capacityStore(postgres: Postgres) {
  return {
    async latest(): Promise<StoredMeasurement | undefined> {
      const [row] = await postgres.query<StoredMeasurement>(
        `SELECT m.*, n.name AS by_name FROM capacity.measurement m LEFT JOIN accounts.named_person n ON n.id = m.measured_by
          ORDER BY m.measured_at DESC, m.id DESC LIMIT 1`,
      )
      return row
    },
    insert: (id: string, found: Found, by: string, at: Date) =>
      postgres.query(
        `INSERT INTO capacity.measurement (id, measured_at, measured_by, cores, model, per_second, p99_ms, batch_per_second, flushes_per_second, flush_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        [
          id,
          at,
          by,
          found.cores,
          found.model,
          found.perSecond,
          found.p99Ms,
          found.batchPerSecond,
          found.flushesPerSecond,
          found.flushMs,
        ],
      ),
    async assumption(): Promise<StoredAssumption | undefined> {
      const [row] = await postgres.query<StoredAssumption>(
        'SELECT a.*, n.name AS by_name FROM capacity.assumption a LEFT JOIN accounts.named_person n ON n.id = a.changed_by',
      )
      return row
    },
    assume: (said: Assumptions, by: string, at: Date) =>
      postgres.query(
        `INSERT INTO capacity.assumption (opened, clicked, pages_per_click, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (only_one) DO UPDATE SET opened = excluded.opened, clicked = excluded.clicked, pages_per_click = excluded.pages_per_click,
           changed_by = excluded.changed_by, changed_at = excluded.changed_at`,
        [said.opened, said.clicked, said.pagesPerClick, by, at],
      ),
  }
}
