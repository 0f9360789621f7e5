import type { Postgres } from '../../../platform/postgres/postgres.ts'

export interface TraitRow {
  identifierNo: number
  name: string
  value: unknown
  at: Date
  sourceId: string
  /** How well it is proven: 2 by a trusted source, 1 by a device with a user id, 0 by a device without. */
  standing: number
}
export interface ProfileRow {
  id: string
  traits: Record<string, unknown>
  name: string
  email: string | null
  phone: string | null
  time_zone: string | null
  locale: string | null
  first_seen_at: Date
  last_seen_at: Date
  version: number
}

/** Names and addresses: the better proven word stays, however old. Of everything else the newest. */
export const declared: readonly string[] = ['email', 'phone', 'name', 'firstName', 'lastName']

/** The statements of profiles, and nothing but statements. */
export function profileStore(postgres: Postgres) {
  return {
    /** The newest word on each trait stays (of names and addresses the better proven), whatever the order of arrival; within one instant the later in the batch. */
    putTraits: (rows: readonly TraitRow[]) =>
      postgres.query(
        `INSERT INTO profiles.trait (identifier_no, name, value, at, source_id, standing) SELECT * FROM unnest($1::bigint[], $2::text[], $3::jsonb[], $4::timestamptz[], $5::text[], $6::smallint[])
         ON CONFLICT (identifier_no, name) DO UPDATE SET value = excluded.value, at = excluded.at, source_id = excluded.source_id, standing = excluded.standing
         WHERE CASE WHEN trait.name = ANY($7) AND excluded.standing <> trait.standing THEN excluded.standing > trait.standing ELSE excluded.at >= trait.at END`,
        [
          rows.map((row) => row.identifierNo),
          rows.map((row) => row.name),
          rows.map((row) => JSON.stringify(row.value)),
          rows.map((row) => row.at),
          rows.map((row) => row.sourceId),
          rows.map((row) => row.standing),
          declared,
        ],
      ),
    /**
     * Each profile's traits: of all its identifiers the newest word, of names and addresses the best proven. All profiles at once: asked one by one within the
     * statement, 20,000 new people took 37 s instead of 1, because tables that have just grown have no statistics yet.
     */
    sumOf: (profiles: readonly string[]) =>
      postgres.query<{
        profile_id: string
        traits: Record<string, unknown> | null
        emails: string[] | null
        phones: string[] | null
        first_at: Date | null
        last_at: Date | null
      }>(
        `WITH known AS MATERIALIZED (SELECT * FROM identity.membership WHERE profile_id = ANY($1)),
         seen AS (SELECT m.profile_id, min(s.first_at) AS first_at, max(s.last_at) AS last_at FROM known m JOIN profiles.seen s ON s.identifier_no = m.identifier_no GROUP BY m.profile_id),
         newest AS (
           SELECT DISTINCT ON (m.profile_id, t.name) m.profile_id, t.name, t.value FROM known m JOIN profiles.trait t ON t.identifier_no = m.identifier_no WHERE NOT m.lodged
            ORDER BY m.profile_id, t.name, CASE WHEN t.name = ANY($2) THEN t.standing ELSE 0 END DESC, t.at DESC, t.identifier_no),
         sums AS (SELECT profile_id, jsonb_object_agg(name, value) AS traits FROM newest GROUP BY profile_id),
         contacts AS (
           SELECT profile_id, array_agg(value ORDER BY shared, standing DESC, created_at DESC, value) FILTER (WHERE type = 'email') AS emails,
             array_agg(value ORDER BY shared, standing DESC, created_at DESC, value) FILTER (WHERE type = 'phone') AS phones
             FROM known GROUP BY profile_id)
         SELECT p.id AS profile_id, sums.traits, contacts.emails, contacts.phones, seen.first_at, seen.last_at
           FROM unnest($1::text[]) AS p (id) LEFT JOIN seen ON seen.profile_id = p.id LEFT JOIN sums ON sums.profile_id = p.id LEFT JOIN contacts ON contacts.profile_id = p.id`,
        [[...profiles], declared],
      ),
    async put(rows: readonly ProfileRow[]): Promise<ProfileRow[]> {
      if (rows.length === 0) return []
      await postgres.query(
        `INSERT INTO profiles.searchable AS s (profile_id, words) SELECT * FROM unnest($1::text[], $2::text[])
         ON CONFLICT (profile_id) DO UPDATE SET words = excluded.words WHERE s.words <> excluded.words`,
        [rows.map((row) => row.id), rows.map((row) => [row.name, row.email ?? '', row.phone ?? ''].join(' '))],
      )
      return postgres.query<ProfileRow>(
        `INSERT INTO profiles.profile (id, traits, name, email, phone, time_zone, locale, first_seen_at, last_seen_at, version)
         SELECT * FROM unnest($1::text[], $2::jsonb[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[], $10::bigint[])
         ON CONFLICT (id) DO UPDATE SET traits = excluded.traits, name = excluded.name, email = excluded.email, phone = excluded.phone, time_zone = excluded.time_zone, locale = excluded.locale,
           first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at, version = greatest(profile.version, excluded.version)
         RETURNING *`,
        [
          rows.map((row) => row.id),
          rows.map((row) => JSON.stringify(row.traits)),
          rows.map((row) => row.name),
          rows.map((row) => row.email),
          rows.map((row) => row.phone),
          rows.map((row) => row.time_zone),
          rows.map((row) => row.locale),
          rows.map((row) => row.first_seen_at),
          rows.map((row) => row.last_seen_at),
          rows.map((row) => row.version),
        ],
      )
    },
    /** Profiles of which nothing is new but when they were seen. @returns those there are */
    touch: (rows: readonly { id: string; first: Date; last: Date; version: number }[]) =>
      postgres.query<ProfileRow>(
        `UPDATE profiles.profile p SET first_seen_at = least(p.first_seen_at, t.first_at), last_seen_at = greatest(p.last_seen_at, t.last_at), version = greatest(p.version, t.version)
           FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::bigint[]) AS t (id, first_at, last_at, version) WHERE p.id = t.id RETURNING p.*`,
        [
          rows.map((row) => row.id),
          rows.map((row) => row.first),
          rows.map((row) => row.last),
          rows.map((row) => row.version),
        ],
      ),
    /** When each identifier was first and last seen in what its person did. */
    putSeen: (rows: readonly { identifierNo: number; first: Date; last: Date }[]) =>
      postgres.query(
        `INSERT INTO profiles.seen AS s (identifier_no, first_at, last_at) SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[])
         ON CONFLICT (identifier_no) DO UPDATE SET first_at = least(s.first_at, excluded.first_at), last_at = greatest(s.last_at, excluded.last_at)`,
        [rows.map((row) => row.identifierNo), rows.map((row) => row.first), rows.map((row) => row.last)],
      ),
    /** Profiles that identity changed since they were last followed. */
    resolutions: () =>
      postgres.query<{ seq: number; from_profile: string; to_profile: string }>(
        'SELECT seq, from_profile, to_profile FROM identity.resolution WHERE seq > (SELECT resolution_seq FROM profiles.cursor) ORDER BY seq',
      ),
    followed: (seq: number) =>
      postgres.query('UPDATE profiles.cursor SET resolution_seq = greatest(resolution_seq, $1)', [seq]),
    /** The highest version of these, so that what is written next counts as newer. */
    versionOf: async (ids: readonly string[]) =>
      (
        await postgres.query<{ version: number | null }>(
          'SELECT max(version) AS version FROM profiles.profile WHERE id = ANY($1)',
          [[...ids]],
        )
      )[0]?.version ?? 0,
    async remove(ids: readonly string[]) {
      await postgres.query('DELETE FROM profiles.searchable WHERE profile_id = ANY($1)', [[...ids]])
      await postgres.query('DELETE FROM profiles.profile WHERE id = ANY($1)', [[...ids]])
    },
    putFields: (rows: readonly { name: string; type: string; sample: string }[], at: Date) =>
      postgres.query(
        `INSERT INTO profiles.field (name, type, samples, first_seen_at) SELECT name, type, ARRAY[sample], $4 FROM unnest($1::text[], $2::text[], $3::text[]) AS f (name, type, sample)
         ON CONFLICT (name) DO UPDATE SET samples = CASE WHEN cardinality(field.samples) < 5 AND NOT excluded.samples[1] = ANY (field.samples) THEN field.samples || excluded.samples ELSE field.samples END`,
        [rows.map((row) => row.name), rows.map((row) => row.type), rows.map((row) => row.sample), at],
      ),
    fields: () =>
      postgres.query<{ name: string; type: string; samples: string[] }>(
        'SELECT name, type, samples FROM profiles.field ORDER BY name',
      ),
    get: async (id: string) =>
      (await postgres.query<ProfileRow>('SELECT * FROM profiles.profile WHERE id = $1', [id]))[0],
    some: (ids: readonly string[]) =>
      postgres.query<ProfileRow>('SELECT * FROM profiles.profile WHERE id = ANY($1)', [[...ids]]),
    traitsOf: (profile: string) =>
      postgres.query<{ name: string; value: unknown; at: Date; source_id: string; others: number }>(
        `SELECT DISTINCT ON (t.name) t.name, t.value, t.at, t.source_id, (count(*) OVER (PARTITION BY t.name)) - 1 AS others
       FROM identity.membership m JOIN profiles.trait t ON t.identifier_no = m.identifier_no WHERE m.profile_id = $1 AND NOT m.lodged
       ORDER BY t.name, CASE WHEN t.name = ANY($2) THEN t.standing ELSE 0 END DESC, t.at DESC, t.identifier_no`,
        [profile, declared],
      ),
    count: async () => (await postgres.query<{ n: number }>('SELECT count(*) AS n FROM profiles.profile'))[0]?.n ?? 0,
    page: (search: string, after: { at: Date; id: string } | undefined, limit: number) =>
      postgres.query<ProfileRow>(
        search === ''
          ? `SELECT * FROM profiles.profile WHERE ($1::timestamptz IS NULL OR (last_seen_at, id) < ($1, $2)) ORDER BY last_seen_at DESC, id DESC LIMIT $3`
          : `SELECT p.* FROM profiles.profile p WHERE (p.id IN (SELECT profile_id FROM profiles.searchable WHERE words ILIKE $4)
               OR p.id IN (SELECT profile_id FROM identity.membership WHERE value = $5 OR value = lower($5)))
             AND ($1::timestamptz IS NULL OR (p.last_seen_at, p.id) < ($1, $2)) ORDER BY p.last_seen_at DESC, p.id DESC LIMIT $3`,
        search === ''
          ? [after?.at ?? null, after?.id ?? null, limit]
          : [after?.at ?? null, after?.id ?? null, limit, `%${search.replace(/[\\%_]/g, '\\$&')}%`, search],
      ),
    countFound: async (search: string) =>
      (
        await postgres.query<{ n: number }>(
          `SELECT count(*) AS n FROM profiles.profile p WHERE p.id IN (SELECT profile_id FROM profiles.searchable WHERE words ILIKE $1) OR p.id IN (SELECT profile_id FROM identity.membership WHERE value = $2 OR value = lower($2))`,
          [`%${search.replace(/[\\%_]/g, '\\$&')}%`, search],
        )
      )[0]?.n ?? 0,
  }
}
