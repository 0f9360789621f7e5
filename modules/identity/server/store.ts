import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Node } from './graph.ts'
import type { Standing } from './standing.ts'

export interface Observation {
  a: string
  b: string
  sourceId: string
  events: number
  firstMs: number
  lastMs: number
  lastPosition: bigint
}

/** Everything that one batch brings that was not known. */
export interface NewFacts {
  profiles: { id: string; at: Date }[]
  identifiers: (Node & { sourceId: string; at: Date })[]
  edges: { a: string; b: string; rule: string; sourceId: string; messageId: string; at: Date }[]
  moved: Node[]
  /** Identifiers that are proven better than before. */
  proven: Node[]
  /** Identifiers whose edges count no longer. */
  cut: { id: string; at: Date }[]
  /** By pair and source, added up over the batch. */
  observations: Map<string, Observation>
  shared: { id: string; at: Date }[]
  decisions: {
    id: string
    kind: 'demote' | 'share' | 'refuse'
    identifiers: string[]
    because: string
    sourceId: string
    messageId: string
    at: Date
  }[]
  merges: { from: string; into: string; at: Date }[]
}

export const nothingNew = (): NewFacts => ({
  profiles: [],
  identifiers: [],
  edges: [],
  moved: [],
  proven: [],
  cut: [],
  observations: new Map(),
  shared: [],
  decisions: [],
  merges: [],
})
export const isEmpty = (facts: NewFacts) =>
  Object.values(facts).every(
    (all: unknown[] | Map<string, unknown>) => (all instanceof Map ? all.size : all.length) === 0,
  )

const column = <Row, Value>(rows: readonly Row[], pick: (row: Row) => Value) => rows.map(pick)

/** The statements of identity, and nothing but statements. */
export function identityStore(postgres: Postgres) {
  return {
    async *everyIdentifier(): AsyncGenerator<Node[]> {
      for (let after = ''; ;) {
        const rows = await postgres.query<{
          id: string
          type: string
          value: string
          profile_id: string
          shared: boolean
          standing: Standing
          created_at: Date
        }>(
          'SELECT id, type, value, profile_id, shared_at IS NOT NULL AS shared, standing, created_at FROM identity.identifier WHERE id > $1 ORDER BY id LIMIT 20000',
          [after],
        )
        if (rows.length === 0) return
        yield rows.map((row) => ({
          id: row.id,
          type: row.type,
          value: row.value,
          profile: row.profile_id,
          shared: row.shared,
          standing: row.standing,
          atMs: row.created_at.getTime(),
        }))
        after = rows.at(-1)?.id ?? ''
      }
    },
    /** One statement for each kind of fact, whatever the size of the batch. */
    async write(facts: NewFacts) {
      if (facts.profiles.length > 0)
        await postgres.query(
          'INSERT INTO identity.profile (id, created_at) SELECT * FROM unnest($1::text[], $2::timestamptz[]) ON CONFLICT DO NOTHING',
          [column(facts.profiles, (row) => row.id), column(facts.profiles, (row) => row.at)],
        )
      if (facts.identifiers.length > 0)
        await postgres.query(
          'INSERT INTO identity.identifier (id, type, value, profile_id, source_id, created_at, standing) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::smallint[])',
          [
            column(facts.identifiers, (row) => row.id),
            column(facts.identifiers, (row) => row.type),
            column(facts.identifiers, (row) => row.value),
            column(facts.identifiers, (row) => row.profile),
            column(facts.identifiers, (row) => row.sourceId),
            column(facts.identifiers, (row) => row.at),
            column(facts.identifiers, (row) => row.standing),
          ],
        )
      if (facts.moved.length > 0)
        await postgres.query(
          'UPDATE identity.identifier i SET profile_id = m.profile FROM unnest($1::text[], $2::text[]) AS m (id, profile) WHERE i.id = m.id',
          [column(facts.moved, (row) => row.id), column(facts.moved, (row) => row.profile)],
        )
      if (facts.shared.length > 0)
        await postgres.query(
          'UPDATE identity.identifier i SET shared_at = s.at FROM unnest($1::text[], $2::timestamptz[]) AS s (id, at) WHERE i.id = s.id AND i.shared_at IS NULL',
          [column(facts.shared, (row) => row.id), column(facts.shared, (row) => row.at)],
        )
      if (facts.edges.length > 0)
        await postgres.query(
          'INSERT INTO identity.edge (a, b, rule, source_id, message_id, at) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[]) ON CONFLICT DO NOTHING',
          [
            column(facts.edges, (row) => row.a),
            column(facts.edges, (row) => row.b),
            column(facts.edges, (row) => row.rule),
            column(facts.edges, (row) => row.sourceId),
            column(facts.edges, (row) => row.messageId),
            column(facts.edges, (row) => row.at),
          ],
        )
      if (facts.proven.length > 0)
        await postgres.query(
          'UPDATE identity.identifier i SET standing = greatest(i.standing, p.standing) FROM unnest($1::text[], $2::smallint[]) AS p (id, standing) WHERE i.id = p.id',
          [column(facts.proven, (row) => row.id), column(facts.proven, (row) => row.standing)],
        )
      if (facts.cut.length > 0)
        await postgres.query(
          'UPDATE identity.edge e SET cut_at = c.at FROM unnest($1::text[], $2::timestamptz[]) AS c (id, at) WHERE (e.a = c.id OR e.b = c.id) AND e.cut_at IS NULL',
          [column(facts.cut, (row) => row.id), column(facts.cut, (row) => row.at)],
        )
      if (facts.observations.size > 0) {
        const seen = [...facts.observations.values()]
        await postgres.query(
          `INSERT INTO identity.observation AS o (a, b, source_id, events, first_at, last_at, last_position)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::bigint[])
           ON CONFLICT (a, b, source_id) DO UPDATE SET events = o.events + excluded.events, first_at = least(o.first_at, excluded.first_at),
             last_at = greatest(o.last_at, excluded.last_at), last_position = excluded.last_position
           WHERE o.last_position <> excluded.last_position`,
          [
            column(seen, (row) => row.a),
            column(seen, (row) => row.b),
            column(seen, (row) => row.sourceId),
            column(seen, (row) => row.events),
            column(seen, (row) => new Date(row.firstMs)),
            column(seen, (row) => new Date(row.lastMs)),
            column(seen, (row) => String(row.lastPosition)),
          ],
        )
      }
      for (const row of facts.decisions)
        await postgres.query('INSERT INTO identity.decision VALUES ($1, $2, $3, $4, $5, $6, $7)', [
          row.id,
          row.kind,
          row.identifiers,
          row.because,
          row.sourceId,
          row.messageId,
          row.at,
        ])
      for (const row of facts.merges) {
        // Whoever had merged into the one that goes now is part of where it goes.
        await postgres.query('UPDATE identity.profile SET merged_into = $2 WHERE id = $1 OR merged_into = $1', [
          row.from,
          row.into,
        ])
        await postgres.query('INSERT INTO identity.merge (from_profile, into_profile, at) VALUES ($1, $2, $3)', [
          row.from,
          row.into,
          row.at,
        ])
      }
    },
    /** Merges that ClickHouse was not told of; the whole lineage of each, because an earlier one may point to what is gone now. */
    untold: () =>
      postgres.query<{ seq: number; from_profile: string; into_profile: string }>(
        `SELECT m.seq, p.id AS from_profile, p.merged_into AS into_profile FROM identity.merge m
         JOIN identity.profile p ON p.id = m.from_profile OR p.merged_into = m.into_profile
         WHERE NOT m.told AND p.merged_into IS NOT NULL ORDER BY m.seq LIMIT 20000`,
      ),
    told: (seqs: readonly number[]) =>
      postgres.query('UPDATE identity.merge SET told = true WHERE seq = ANY($1)', [[...seqs]]),
    canonical: async (profile: string) =>
      (
        await postgres.query<{ id: string }>(
          'SELECT coalesce(merged_into, id) AS id FROM identity.profile WHERE id = $1',
          [profile],
        )
      )[0]?.id,
    /** What several profiles are part of now. */
    async canonicals(profiles: readonly string[]): Promise<Map<string, string>> {
      const rows = await postgres.query<{ id: string; now: string }>(
        'SELECT id, coalesce(merged_into, id) AS now FROM identity.profile WHERE id = ANY($1)',
        [[...profiles]],
      )
      return new Map(rows.map((row) => [row.id, row.now]))
    },
    identifiersOf: (profile: string) =>
      postgres.query<{
        id: string
        type: string
        value: string
        shared_at: Date | null
        source_id: string
        created_at: Date
      }>('SELECT * FROM identity.identifier WHERE profile_id = $1 ORDER BY created_at, id', [profile]),
    edgesAmong: (ids: readonly string[]) =>
      postgres.query<{ a: string; b: string; rule: string; source_id: string; message_id: string; at: Date }>(
        'SELECT * FROM identity.edge WHERE cut_at IS NULL AND a = ANY($1) AND b = ANY($1) ORDER BY at',
        [[...ids]],
      ),
    observationsAmong: (ids: readonly string[]) =>
      postgres.query<{ a: string; b: string; events: string; last_at: Date }>(
        'SELECT a, b, sum(events) AS events, max(last_at) AS last_at FROM identity.observation WHERE a = ANY($1) AND b = ANY($1) GROUP BY a, b',
        [[...ids]],
      ),
    /** The user id that was last seen with each of these devices. */
    lastUsersOf: (devices: readonly string[]) =>
      postgres.query<{ device: string; user_id: string; last_at: Date }>(
        `SELECT DISTINCT ON (o.b) o.b AS device, i.value AS user_id, o.last_at FROM identity.observation o JOIN identity.identifier i ON i.id = o.a AND i.type = 'user_id'
          WHERE o.b = ANY($1) ORDER BY o.b, o.last_at DESC`,
        [[...devices]],
      ),
    /** What one event proved: links between these identifiers that it was the first to name. */
    edgesBy: (ids: readonly string[], sourceId: string, messageId: string) =>
      postgres.query<{ a: string; b: string; rule: string; cut: boolean }>(
        `SELECT a, b, rule, cut_at IS NOT NULL AS cut FROM identity.edge
          WHERE (a = ANY($1) OR b = ANY($1)) AND source_id = $2 AND message_id = $3 LIMIT 20`,
        [[...ids], sourceId, messageId],
      ),
    decisionsBy: (ids: readonly string[], sourceId: string, messageId: string) =>
      postgres.query<{ kind: string; identifiers: string[]; because: string }>(
        `SELECT kind, identifiers, because FROM identity.decision
          WHERE identifiers && $1::text[] AND source_id = $2 AND message_id = $3 ORDER BY id LIMIT 20`,
        [[...ids], sourceId, messageId],
      ),
    decisionsOn: (ids: readonly string[]) =>
      postgres.query<{ kind: string; because: string; at: Date }>(
        'SELECT kind, because, at FROM identity.decision WHERE identifiers && $1::text[] ORDER BY at DESC LIMIT 100',
        [[...ids]],
      ),
    mergedInto: (profile: string) =>
      postgres.query<{ from_profile: string; at: Date }>(
        'SELECT from_profile, at FROM identity.merge WHERE into_profile = $1 ORDER BY seq',
        [profile],
      ),
  }
}
