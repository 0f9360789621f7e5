import type { Id } from '../../../lib/ids/ids.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { PlanContent, type Plan } from '../contract.ts'

interface Row {
  source_id: string
  version: number
  content: unknown
  note: string
  saved_at: Date
  saved_by: string
}
const columns = 'source_id, version, content, note, saved_at, saved_by'

const planOf = (row: Row): Plan => ({
  sourceId: row.source_id as Id<'source'>,
  version: row.version,
  // Parsed, so that a version from before a field existed has it.
  content: PlanContent.parse(row.content),
  note: row.note,
  savedAt: row.saved_at.toISOString(),
  savedBy: row.saved_by,
})

export function planStore(postgres: Postgres) {
  return {
    /** Every plan in its present version. */
    async present(): Promise<Plan[]> {
      const rows = await postgres.query<Row>(
        `SELECT DISTINCT ON (source_id) ${columns} FROM tracking_plan.version ORDER BY source_id, version DESC`,
      )
      return rows.map(planOf)
    },
    /** Changes with every save, of any server: versions are only ever added. */
    async stamp(): Promise<string> {
      const [row] = await postgres.query<{ stamp: string }>('SELECT count(*) AS stamp FROM tracking_plan.version')
      return row?.stamp ?? ''
    },
    async get(sourceId: string, version?: number): Promise<Plan | undefined> {
      const [row] = await postgres.query<Row>(
        `SELECT ${columns} FROM tracking_plan.version WHERE source_id = $1 AND ($2::int IS NULL OR version = $2) ORDER BY version DESC LIMIT 1`,
        [sourceId, version ?? null],
      )
      return row === undefined ? undefined : planOf(row)
    },
    async versions(
      sourceId: string,
    ): Promise<{ version: number; note: string; savedAt: string; savedBy: string; events: number }[]> {
      const rows = await postgres.query<Omit<Row, 'content'> & { events: number }>(
        `SELECT version, note, saved_at, saved_by, jsonb_array_length(content->'events') AS events
           FROM tracking_plan.version WHERE source_id = $1 ORDER BY version DESC LIMIT 100`,
        [sourceId],
      )
      return rows.map((row) => ({
        version: row.version,
        note: row.note,
        savedAt: row.saved_at.toISOString(),
        savedBy: row.saved_by,
        events: row.events,
      }))
    },
    /** @returns false when that version is there already: somebody else saved it first */
    async add(plan: Plan): Promise<boolean> {
      const rows = await postgres.query(
        `INSERT INTO tracking_plan.version (source_id, version, content, note, saved_at, saved_by)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING version`,
        [plan.sourceId, plan.version, JSON.stringify(plan.content), plan.note, plan.savedAt, plan.savedBy],
      )
      return rows.length === 1
    },
    /**
     * By which versions a batch is judged: these, unless it was judged before. One row for each journal, because a journal has one batch in hand.
     * @param versions of each source in the batch; 0 for one without a plan
     */
    async judgedBy(
      of: { journalId: string; token: string },
      versions: Readonly<Record<string, number>>,
    ): Promise<Readonly<Record<string, number>>> {
      const [row] = await postgres.query<{ versions: Record<string, number> }>(
        `INSERT INTO tracking_plan.judged AS j (journal_id, token, versions) VALUES ($1, $2, $3)
         ON CONFLICT (journal_id) DO UPDATE SET token = excluded.token,
           versions = CASE WHEN j.token = excluded.token THEN excluded.versions || j.versions ELSE excluded.versions END
         RETURNING versions`,
        [of.journalId, of.token, versions],
      )
      return row?.versions ?? versions
    },
  }
}
