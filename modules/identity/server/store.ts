import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Pair, Said } from './settle.ts'
import type { Standing } from './standing.ts'

/** How many resolutions ClickHouse is told of at once. */
export const mostTold = 20_000

/** An identifier as the store has it. */
export interface IdentifierRow {
  no: number
  type: string
  value: string
  profile_id: string
  born_as: string | null
  home: number | null
  shared_at: Date | null
  standing: Standing
  source_id: string
  created_at: Date
}

export interface Observation {
  a: number
  b: number
  sourceId: string
  standing: Standing
  rule: string
  messageId: string
  events: number
  firstMs: number
  lastMs: number
  lastPosition: bigint
}

export interface Decision {
  id: string
  kind: 'share' | 'split' | 'join'
  identifiers: number[]
  others: number[]
  because: string
  sourceId: string
  messageId: string
  decidedBy: string | null
  at: Date
}

/** What became part of what: a whole profile, or one identifier alone. */
export interface Resolution {
  identifierNo: number | null
  from: string
  to: string
  /** Nothing moved: only what a copy of it says may be out of date. */
  only?: 'touched'
}

const column = <Row, Value>(rows: readonly Row[], pick: (row: Row) => Value) => rows.map(pick)
const pairs = (rows: readonly { a: number; b: number }[]) => [
  column(rows, (row) => row.a),
  column(rows, (row) => row.b),
]

/** The statements of identity, and nothing but statements: one for each kind of fact, whatever the size of the batch. */
export function identityStore(postgres: Postgres) {
  return {
    async *everyIdentifier(): AsyncGenerator<(IdentifierRow & { owner: number | null })[]> {
      for (let after = 0; ;) {
        const rows = await postgres.query<IdentifierRow & { owner: number | null }>(
          `SELECT i.*, (SELECT o.no FROM identity.identifier o WHERE o.born_as = i.profile_id LIMIT 1) AS owner
             FROM identity.identifier i WHERE i.no > $1 ORDER BY i.no LIMIT 20000`,
          [after],
        )
        if (rows.length === 0) return
        yield rows
        after = rows.at(-1)?.no ?? after
      }
    },
    /** Identifiers about which something was refused or decided. */
    contended: async () =>
      (
        await postgres.query<{ no: number }>(
          `SELECT a AS no FROM identity.refusal UNION SELECT b FROM identity.refusal
           UNION SELECT unnest(identifiers || others) FROM identity.decision WHERE kind IN ('split', 'join')`,
        )
      ).map((row) => row.no),
    async putIdentifiers(
      rows: readonly {
        no: number
        type: string
        value: string
        profile: string
        bornAs: string | null
        home: number | null
        sharedAt: Date | null
        standing: number
        sourceId: string
        at: Date
      }[],
    ) {
      if (rows.length === 0) return
      await postgres.query(
        `INSERT INTO identity.identifier (no, type, value, profile_id, born_as, home, shared_at, standing, source_id, created_at)
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[], $8::smallint[], $9::text[], $10::timestamptz[])`,
        [
          column(rows, (row) => row.no),
          column(rows, (row) => row.type),
          column(rows, (row) => row.value),
          column(rows, (row) => row.profile),
          column(rows, (row) => row.bornAs),
          column(rows, (row) => row.home),
          column(rows, (row) => row.sharedAt),
          column(rows, (row) => row.standing),
          column(rows, (row) => row.sourceId),
          column(rows, (row) => row.at),
        ],
      )
    },
    /** Where known identifiers are now, what they brought, and how well they are proven. */
    async changeIdentifiers(
      rows: readonly {
        no: number
        profile: string
        bornAs: string | null
        standing: number
        sharedAt: Date | null
        firstAt: Date
      }[],
    ) {
      if (rows.length === 0) return
      await postgres.query(
        `UPDATE identity.identifier i SET profile_id = c.profile, born_as = c.born, standing = c.standing, created_at = c.at,
           shared_at = CASE WHEN c.shared IS NULL THEN NULL ELSE coalesce(i.shared_at, c.shared) END
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::timestamptz[], $6::timestamptz[]) AS c (no, profile, born, standing, shared, at) WHERE i.no = c.no`,
        [
          column(rows, (row) => row.no),
          column(rows, (row) => row.profile),
          column(rows, (row) => row.bornAs),
          column(rows, (row) => row.standing),
          column(rows, (row) => row.sharedAt),
          column(rows, (row) => row.firstAt),
        ],
      )
    },
    async putHomes(rows: readonly { no: number; home: number | null }[]) {
      if (rows.length === 0) return
      await postgres.query(
        'UPDATE identity.identifier i SET home = h.home FROM unnest($1::bigint[], $2::bigint[]) AS h (no, home) WHERE i.no = h.no',
        [column(rows, (row) => row.no), column(rows, (row) => row.home)],
      )
    },
    async putProfiles(ids: readonly string[], at: Date) {
      if (ids.length === 0) return
      await postgres.query(
        'INSERT INTO identity.profile (id, created_at) SELECT id, $2 FROM unnest($1::text[]) AS p (id) ON CONFLICT DO NOTHING',
        [[...ids], at],
      )
    },
    async putObservations(seen: readonly Observation[]) {
      if (seen.length === 0) return
      await postgres.query(
        `INSERT INTO identity.observation AS o (a, b, source_id, standing, rule, message_id, events, first_at, last_at, last_position)
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::smallint[], $5::text[], $6::text[], $7::bigint[], $8::timestamptz[], $9::timestamptz[], $10::bigint[])
         ON CONFLICT (a, b, source_id, standing) DO UPDATE SET events = o.events + excluded.events, last_at = greatest(o.last_at, excluded.last_at), last_position = excluded.last_position,
           first_at = least(o.first_at, excluded.first_at),
           rule = CASE WHEN excluded.first_at < o.first_at THEN excluded.rule ELSE o.rule END,
           message_id = CASE WHEN excluded.first_at < o.first_at THEN excluded.message_id ELSE o.message_id END
         WHERE o.last_position <> excluded.last_position`,
        [
          ...pairs(seen),
          column(seen, (row) => row.sourceId),
          column(seen, (row) => row.standing),
          column(seen, (row) => row.rule),
          column(seen, (row) => row.messageId),
          column(seen, (row) => row.events),
          column(seen, (row) => new Date(row.firstMs)),
          column(seen, (row) => new Date(row.lastMs)),
          column(seen, (row) => String(row.lastPosition)),
        ],
      )
    },
    async putRefusals(rows: readonly { a: number; b: number; because: string }[], at: Date) {
      if (rows.length === 0) return
      await postgres.query(
        `INSERT INTO identity.refusal AS r (a, b, because, since) SELECT a, b, because, $4 FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS n (a, b, because)
         ON CONFLICT (a, b) DO UPDATE SET because = excluded.because, since = CASE WHEN r.because = excluded.because THEN r.since ELSE excluded.since END`,
        [...pairs(rows), column(rows, (row) => row.because), at],
      )
    },
    /** A pair that something better proved is not refused for want of proof. */
    async dropRefusalsOfProven(rows: readonly { a: number; b: number }[], because: string) {
      if (rows.length === 0) return
      await postgres.query(
        `DELETE FROM identity.refusal r USING unnest($1::bigint[], $2::bigint[]) AS n (a, b)
          WHERE r.a = n.a AND r.b = n.b AND r.because = $3 AND EXISTS (SELECT 1 FROM identity.observation o WHERE o.a = n.a AND o.b = n.b AND o.standing > 0)`,
        [...pairs(rows), because],
      )
    },
    async dropRefusals(rows: readonly { a: number; b: number }[]) {
      if (rows.length === 0) return
      await postgres.query(
        'DELETE FROM identity.refusal r USING unnest($1::bigint[], $2::bigint[]) AS n (a, b) WHERE r.a = n.a AND r.b = n.b',
        pairs(rows),
      )
    },
    async putDecisions(rows: readonly Decision[]) {
      for (const row of rows)
        await postgres.query(
          'INSERT INTO identity.decision (id, kind, identifiers, others, because, source_id, message_id, decided_by, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
          [
            row.id,
            row.kind,
            row.identifiers,
            row.others,
            row.because,
            row.sourceId,
            row.messageId,
            row.decidedBy,
            row.at,
          ],
        )
    },
    /** What became part of what; the profile that a whole one went to is where everything of it is found from now on. */
    async putResolutions(rows: readonly Resolution[], at: Date) {
      if (rows.length === 0) return
      const whole = rows.filter((row) => row.identifierNo === null && row.only === undefined)
      await postgres.query(
        'INSERT INTO identity.resolution (identifier_no, from_profile, to_profile, at, told) SELECT no, was, now, $4, touched FROM unnest($1::bigint[], $2::text[], $3::text[], $5::boolean[]) AS r (no, was, now, touched)',
        [
          column(rows, (row) => row.identifierNo),
          column(rows, (row) => row.from),
          column(rows, (row) => row.to),
          at,
          column(rows, (row) => row.only === 'touched'),
        ],
      )
      await postgres.query(
        'UPDATE identity.profile p SET merged_into = nullif(r.now, r.was) FROM unnest($1::text[], $2::text[]) AS r (was, now) WHERE p.id = r.was',
        [column(whole, (row) => row.from), column(whole, (row) => row.to)],
      )
      // Profiles that had merged before into one that goes now, and that no identifier brought.
      await postgres.query(
        `UPDATE identity.profile p SET merged_into = r.now FROM unnest($1::text[], $2::text[]) AS r (was, now)
          WHERE p.merged_into = r.was AND r.now <> r.was AND NOT EXISTS (SELECT 1 FROM identity.identifier i WHERE i.born_as = p.id)`,
        [column(whole, (row) => row.from), column(whole, (row) => row.to)],
      )
    },
    /** What ClickHouse was not told of, in order. */
    untold: () =>
      postgres.query<{ seq: number; identifier_no: number | null; from_profile: string; to_profile: string }>(
        `SELECT seq, identifier_no, from_profile, to_profile FROM identity.resolution WHERE NOT told ORDER BY seq LIMIT ${String(mostTold)}`,
      ),
    told: (seqs: readonly number[]) =>
      postgres.query('UPDATE identity.resolution SET told = true WHERE seq = ANY($1)', [[...seqs]]),
    /** Everything that one of these identifiers was seen with, by pair and standing. */
    pairsOf: async (nos: readonly number[]): Promise<Pair[]> =>
      (
        await postgres.query<{ a: number; b: number; standing: Standing; first_at: Date }>(
          `SELECT a, b, standing, min(first_at) AS first_at FROM (
             SELECT a, b, standing, first_at FROM identity.observation WHERE a = ANY($1) UNION ALL SELECT a, b, standing, first_at FROM identity.observation WHERE b = ANY($1)
           ) AS o GROUP BY a, b, standing`,
          [[...nos]],
        )
      ).map((row) => ({ a: row.a, b: row.b, standing: row.standing, firstMs: row.first_at.getTime() })),
    identifiers: (nos: readonly number[]) =>
      postgres.query<IdentifierRow>('SELECT * FROM identity.identifier WHERE no = ANY($1)', [[...nos]]),
    refusalsAmong: (nos: readonly number[]) =>
      postgres.query<{ a: number; b: number; because: string; since: Date }>(
        'SELECT * FROM identity.refusal WHERE a = ANY($1) AND b = ANY($1)',
        [[...nos]],
      ),
    /** What people decided about these, in order. */
    saidOf: async (nos: readonly number[]): Promise<Said[]> =>
      (
        await postgres.query<{ kind: 'split' | 'join'; identifiers: string[]; others: string[] }>(
          `SELECT kind, identifiers, others FROM identity.decision WHERE (identifiers || others) && $1::bigint[] AND kind IN ('split', 'join') ORDER BY at, id`,
          [[...nos]],
        )
      ).map((row) => ({ kind: row.kind, left: row.identifiers.map(Number), right: row.others.map(Number) })),
    canonical: async (profile: string) =>
      (
        await postgres.query<{ id: string }>(
          'SELECT coalesce(merged_into, id) AS id FROM identity.profile WHERE id = $1',
          [profile],
        )
      )[0]?.id,
    /** What several profiles are part of now, and their strongest identifier. */
    async canonicals(profiles: readonly string[]): Promise<Map<string, { now: string; nos: number[] }>> {
      const rows = await postgres.query<{ id: string; now: string; nos: string[] | null }>(
        `SELECT p.id, coalesce(p.merged_into, p.id) AS now, (SELECT array_agg(i.no) FROM identity.identifier i WHERE i.profile_id = coalesce(p.merged_into, p.id)) AS nos
           FROM identity.profile p WHERE p.id = ANY($1)`,
        [[...profiles]],
      )
      return new Map(rows.map((row) => [row.id, { now: row.now, nos: (row.nos ?? []).map(Number) }]))
    },
    identifiersOf: (profile: string) =>
      postgres.query<IdentifierRow>('SELECT * FROM identity.identifier WHERE profile_id = $1 ORDER BY created_at, no', [
        profile,
      ]),
    observationsOf: (nos: readonly number[]) =>
      postgres.query<{
        a: number
        b: number
        rule: string
        source_id: string
        message_id: string
        first_at: Date
        last_at: Date
        events: string
      }>(
        `SELECT DISTINCT ON (a, b) a, b, rule, source_id, message_id, first_at, max(last_at) OVER (PARTITION BY a, b) AS last_at, sum(events) OVER (PARTITION BY a, b) AS events
           FROM identity.observation WHERE a = ANY($1) OR b = ANY($1) ORDER BY a, b, standing DESC, first_at`,
        [[...nos]],
      ),
    refusalsOf: (nos: readonly number[]) =>
      postgres.query<{ a: number; b: number; because: string; since: Date }>(
        'SELECT * FROM identity.refusal WHERE a = ANY($1) OR b = ANY($1) ORDER BY since DESC LIMIT 100',
        [[...nos]],
      ),
    /** What one event proved: links between these identifiers that it was the first to name. */
    linksBy: (nos: readonly number[], sourceId: string, messageId: string) =>
      postgres.query<{ a: number; b: number; rule: string; because: string | null }>(
        `SELECT DISTINCT o.a, o.b, o.rule, r.because FROM identity.observation o LEFT JOIN identity.refusal r ON r.a = o.a AND r.b = o.b
          WHERE (o.a = ANY($1) OR o.b = ANY($1)) AND o.source_id = $2 AND o.message_id = $3 LIMIT 20`,
        [[...nos], sourceId, messageId],
      ),
    decisionsOf: (nos: readonly number[]) =>
      postgres.query<{
        id: string
        kind: string
        identifiers: string[]
        others: string[]
        because: string
        decided_by: string | null
        at: Date
      }>(
        'SELECT * FROM identity.decision WHERE (identifiers || others) && $1::bigint[] ORDER BY at DESC, id DESC LIMIT 100',
        [[...nos]],
      ),
    /** Aliases by which one user id was said to be another: the other is one of these identifiers, or the name by which one of them was called before. */
    userAliases: (nos: readonly number[], rule: string) =>
      postgres.query<{ a: number; b: number; since: Date }>(
        `SELECT DISTINCT ON (u.no, w.no) u.no AS a, w.no AS b, o.first_at AS since
           FROM identity.identifier w
           JOIN identity.identifier n ON n.type = 'anonymous_id' AND n.value = w.value
           JOIN identity.observation o ON (o.a = n.no OR o.b = n.no) AND o.rule = $2
           JOIN identity.identifier u ON u.no = CASE WHEN o.a = n.no THEN o.b ELSE o.a END AND u.type = 'user_id' AND u.profile_id <> w.profile_id
          WHERE w.type = 'user_id' AND (w.no = ANY($1) OR w.value IN (SELECT value FROM identity.identifier WHERE no = ANY($1) AND type = 'anonymous_id'))
          ORDER BY u.no, w.no, o.first_at LIMIT 20`,
        [[...nos], rule],
      ),
    mergedInto: (profile: string) =>
      postgres.query<{ from_profile: string; at: Date }>(
        `SELECT DISTINCT ON (p.id) p.id AS from_profile, r.at FROM identity.profile p JOIN identity.resolution r ON r.from_profile = p.id AND r.identifier_no IS NULL
          WHERE p.merged_into = $1 ORDER BY p.id, r.seq DESC`,
        [profile],
      ),
    /** Shared devices whose turns are to be worked out anew. */
    async turnsAreDue(devices: readonly number[]) {
      if (devices.length === 0) return
      await postgres.query('INSERT INTO identity.turns_due SELECT unnest($1::bigint[]) ON CONFLICT DO NOTHING', [
        [...devices],
      ])
    },
    dueTurns: async () =>
      postgres.query<IdentifierRow>(
        'SELECT i.* FROM identity.turns_due d JOIN identity.identifier i ON i.no = d.device ORDER BY d.device LIMIT 100',
      ),
    turnsOf: (nos: readonly number[]) =>
      postgres.query<{ device: number; since: Date; holder: number }>(
        'SELECT * FROM identity.turn WHERE device = ANY($1) OR holder = ANY($1) ORDER BY device, since',
        [[...nos]],
      ),
    async replaceTurns(devices: readonly number[], turns: readonly { device: number; since: Date; holder: number }[]) {
      await postgres.query('DELETE FROM identity.turn WHERE device = ANY($1)', [[...devices]])
      await postgres.query(
        'INSERT INTO identity.turn (device, since, holder) SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::bigint[])',
        [column(turns, (row) => row.device), column(turns, (row) => row.since), column(turns, (row) => row.holder)],
      )
    },
    turnsDone: (devices: readonly number[]) =>
      postgres.query('DELETE FROM identity.turns_due WHERE device = ANY($1)', [[...devices]]),
  }
}
export type IdentityStore = ReturnType<typeof identityStore>
