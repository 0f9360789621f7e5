import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Integration, Tool } from '../contract.ts'

export interface ToolRow {
  id: string
  name: string
  vendor: string
  capability: Tool['capability']
  status: Tool['status']
  owner_marketing: string | null
  owner_it: string | null
  marketing_name: string | null
  it_name: string | null
  ends_on: string | null
  cost_minor: number | null
  currency: string
  personal_fields: string[]
  region: string
  registered: boolean
  evidence: string | null
}

const columns: Record<string, string> = {
  name: 'name',
  vendor: 'vendor',
  capability: 'capability',
  personalFields: 'personal_fields',
  region: 'region',
  ownerMarketing: 'owner_marketing',
  ownerIt: 'owner_it',
  endsOn: 'ends_on',
  costMinor: 'cost_minor',
  status: 'status',
}
// The names of owners come from the accounts' published view, which leaves out whoever is disabled.
const select = `SELECT t.*, m.name AS marketing_name, i.name AS it_name FROM tools.tool t
  LEFT JOIN accounts.named_person m ON m.id = t.owner_marketing LEFT JOIN accounts.named_person i ON i.id = t.owner_it`

/** The statements of tools, and nothing but statements. */
export function toolStore(postgres: Postgres) {
  return {
    get: async (id: string) => (await postgres.query<ToolRow>(`${select} WHERE t.id = $1`, [id]))[0],
    list: () => postgres.query<ToolRow>(`${select} ORDER BY t.registered DESC, lower(t.name)`),
    nameTaken: async (name: string, except: string) =>
      (
        await postgres.query(
          `SELECT 1 FROM tools.tool WHERE lower(name) = lower($1) AND id <> $2 AND status <> 'retired'`,
          [name, except],
        )
      ).length > 0,
    async insert(row: {
      id: string
      name: string
      vendor: string
      capability: string
      status: string
      ownerMarketing: string | null
      ownerIt: string | null
      endsOn: string | null
      costMinor: number | null
      personalFields: string[]
      region: string
      registered: boolean
      evidence: string | null
      at: Date
    }) {
      await postgres.query(
        `INSERT INTO tools.tool (id, name, vendor, capability, status, owner_marketing, owner_it, ends_on, cost_minor, personal_fields, region, registered, evidence, created_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)`,
        [
          row.id,
          row.name,
          row.vendor,
          row.capability,
          row.status,
          row.ownerMarketing,
          row.ownerIt,
          row.endsOn,
          row.costMinor,
          row.personalFields,
          row.region,
          row.registered,
          row.evidence,
          row.at,
        ],
      )
    },
    async change(id: string, change: object, at: Date) {
      const entries = Object.entries(change).filter(
        ([name, value]) => value !== undefined && columns[name] !== undefined,
      )
      const sets = entries.map(([name], index) => `${columns[name] ?? ''} = $${String(index + 3)}`)
      // Whoever is given an owner and a life is registered from then on.
      await postgres.query(
        `UPDATE tools.tool SET changed_at = $2, registered = true${sets.map((set) => `, ${set}`).join('')} WHERE id = $1`,
        [id, at, ...entries.map(([, value]) => value as unknown)],
      )
    },
    async connect(id: string, from: string, to: string, fields: string[], purpose: string, agreed: boolean) {
      await postgres.query(
        `INSERT INTO tools.integration VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (from_tool, to_tool, purpose) DO UPDATE SET fields = excluded.fields, agreed = excluded.agreed`,
        [id, from, to, fields, purpose, agreed],
      )
    },
    async integrationsOf(id: string) {
      const rows = await postgres.query<{
        id: string
        from_tool: string
        from_name: string
        to_tool: string
        to_name: string
        fields: string[]
        purpose: string
        agreed: boolean
      }>(
        `SELECT i.*, f.name AS from_name, t.name AS to_name FROM tools.integration i JOIN tools.tool f ON f.id = i.from_tool JOIN tools.tool t ON t.id = i.to_tool
         WHERE i.from_tool = $1 OR i.to_tool = $1 ORDER BY f.name, t.name`,
        [id],
      )
      return rows.map((row): Integration => ({
        id: row.id as Integration['id'],
        from: { id: row.from_tool as Tool['id'], name: row.from_name },
        to: { id: row.to_tool as Tool['id'], name: row.to_name },
        fields: row.fields,
        purpose: row.purpose,
        agreed: row.agreed,
      }))
    },
  }
}
