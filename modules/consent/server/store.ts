import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { ConsentState, SuppressionReason, Topic } from '../contract.ts'

/** One decision of one address, as it goes into the log. */
export interface NewRecord {
  addressKey: string
  channel: string
  topic: string
  state: ConsentState
  basis: string
  wordingHash: string | null
  source: string
  at: Date
  /** False when nobody said when it was decided: such a grant never takes back a refusal. */
  dated: boolean
  proof: string | null
  origin: string
}

/** The statements of consent, and nothing but statements. */
export function consentStore(postgres: Postgres) {
  return {
    topics: () =>
      postgres.query<Topic>('SELECT id, name, description, wording, listed FROM consent.topic ORDER BY created_at, id'),
    countedTopics: () =>
      postgres.query<Topic & { granted: number; withdrawn: number }>(
        `SELECT t.id, t.name, t.description, t.wording, t.listed,
                count(l.*) FILTER (WHERE l.state = 'granted') AS granted, count(l.*) FILTER (WHERE l.state <> 'granted') AS withdrawn
         FROM consent.topic t LEFT JOIN consent.latest l ON l.topic_id = t.id AND l.channel = 'email'
         GROUP BY t.id ORDER BY t.created_at, t.id`,
      ),
    setTopic: (topic: Topic, at: Date) =>
      postgres.query(
        `INSERT INTO consent.topic (id, name, description, wording, listed, created_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, wording = excluded.wording, listed = excluded.listed`,
        [topic.id, topic.name, topic.description, topic.wording, topic.listed, at],
      ),
    /** Topics that an event spoke of and nobody described yet; at most `limit` of them in all. */
    async discoverTopics(found: readonly { id: string; name: string }[], wording: string, limit: number, at: Date) {
      const sorted = [...found].sort((a, b) => (a.id < b.id ? -1 : 1))
      await postgres.query(
        `INSERT INTO consent.topic (id, name, description, wording, listed, created_at)
         SELECT id, name, '', $2, false, $3 FROM unnest($1::text[], $5::text[]) AS t (id, name)
         WHERE (SELECT count(*) FROM consent.topic) + array_length($1::text[], 1) <= $4
         ON CONFLICT (id) DO NOTHING`,
        [sorted.map((one) => one.id), wording, at, limit, sorted.map((one) => one.name)],
      )
    },
    keepWordings: (wordings: readonly { hash: string; text: string }[], at: Date) =>
      postgres.query(
        `INSERT INTO consent.wording (hash, text, first_used_at) SELECT hash, text, $3 FROM unnest($1::text[], $2::text[]) AS w (hash, text) ORDER BY hash ON CONFLICT (hash) DO NOTHING`,
        [wordings.map((one) => one.hash), wordings.map((one) => one.text), at],
      ),
    /**
     * Appends the records that were not heard before and moves what holds now, in one statement. The newest decision holds; a grant
     * without a date of its own does not take back a refusal. Rows in order of address, so that two batches never wait for each other.
     * @returns how many were new
     */
    async append(records: readonly NewRecord[], now: Date): Promise<number> {
      const [row] = await postgres.query<{ added: number }>(
        `WITH given AS (
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::boolean[], $10::text[], $11::text[])
             AS g (address_key, channel, topic_id, state, basis, wording_hash, source, at, dated, proof, origin)
         ), added AS (
           INSERT INTO consent.record (address_key, channel, topic_id, state, basis, wording_hash, source, at, recorded_at, proof, origin)
           SELECT address_key, channel, topic_id, state, basis, wording_hash, source, at, $12, proof, origin FROM given ORDER BY address_key, origin
           ON CONFLICT (origin) DO NOTHING
           RETURNING id, address_key, channel, topic_id, state, at, origin
         ), newest AS (
           SELECT DISTINCT ON (address_key, channel, topic_id) a.*, g.dated
           FROM added a JOIN given g USING (origin, address_key, channel, topic_id)
           ORDER BY address_key, channel, topic_id, a.at DESC, a.state = 'granted', a.id DESC
         ), moved AS (
           INSERT INTO consent.latest (address_key, channel, topic_id, state, at, record_id)
           SELECT address_key, channel, topic_id, state, at, id FROM newest ORDER BY address_key, channel, topic_id
           ON CONFLICT (address_key, channel, topic_id) DO UPDATE SET state = excluded.state, at = excluded.at, record_id = excluded.record_id
           WHERE excluded.at >= consent.latest.at
             AND (excluded.state <> 'granted' OR consent.latest.state = 'granted'
                  OR (SELECT n.dated FROM newest n WHERE n.id = excluded.record_id))
         ) SELECT count(*) AS added FROM added`,
        [
          records.map((one) => one.addressKey),
          records.map((one) => one.channel),
          records.map((one) => one.topic),
          records.map((one) => one.state),
          records.map((one) => one.basis),
          records.map((one) => one.wordingHash),
          records.map((one) => one.source),
          records.map((one) => one.at),
          records.map((one) => one.dated),
          records.map((one) => one.proof),
          records.map((one) => one.origin),
          now,
        ],
      )
      return row?.added ?? 0
    },
    latest: (addressKey: string) =>
      postgres.query<{ topic_id: string; state: ConsentState; at: Date }>(
        `SELECT topic_id, state, at FROM consent.latest WHERE address_key = $1 AND channel = 'email'`,
        [addressKey],
      ),
    records: (addressKey: string, limit: number) =>
      postgres.query<{
        topic_id: string
        channel: string
        state: ConsentState
        basis: string
        source: string
        at: Date
        recorded_at: Date
        wording: string | null
      }>(
        `SELECT r.topic_id, r.channel, r.state, r.basis, r.source, r.at, r.recorded_at, w.text AS wording
         FROM consent.record r LEFT JOIN consent.wording w ON w.hash = r.wording_hash WHERE r.address_key = $1 ORDER BY r.id DESC LIMIT $2`,
        [addressKey, limit],
      ),
    suppressions: (addressKey: string) =>
      postgres.query<{ scope: string; reason: SuppressionReason; source: string; at: Date }>(
        'SELECT scope, reason, source, at FROM consent.suppression WHERE address_key = $1 ORDER BY at',
        [addressKey],
      ),
    /** @returns false when it stood already; a person's own choice is never overwritten by a lesser reason */
    async suppress(addressKey: string, scope: string, reason: SuppressionReason, source: string, at: Date) {
      const rows = await postgres.query(
        `INSERT INTO consent.suppression (address_key, channel, scope, reason, source, at) VALUES ($1, 'email', $2, $3, $4, $5)
         ON CONFLICT (address_key, channel, scope) DO UPDATE SET reason = excluded.reason, source = excluded.source, at = excluded.at
           WHERE excluded.reason IN ('unsubscribed', 'complained') AND consent.suppression.reason IN ('bounced', 'by hand')
         RETURNING scope`,
        [addressKey, scope, reason, source, at],
      )
      return rows.length > 0
    },
    async lift(addressKey: string, scopes: readonly string[], reasons: readonly SuppressionReason[]) {
      const rows = await postgres.query(
        'DELETE FROM consent.suppression WHERE address_key = $1 AND scope = ANY($2) AND reason = ANY($3) RETURNING scope',
        [addressKey, scopes, reasons],
      )
      return rows.length
    },
    /** For double opt-ins of a batch: what the person had refused before, and now asked for again and confirmed. */
    liftConfirmed: (addressKeys: readonly string[], topics: readonly string[], ats: readonly Date[]) =>
      postgres.query(
        `DELETE FROM consent.suppression s USING unnest($1::text[], $2::text[], $3::timestamptz[]) AS c (address_key, topic_id, at)
         WHERE s.address_key = c.address_key AND s.channel = 'email' AND s.scope IN (c.topic_id, 'marketing') AND s.reason = 'unsubscribed' AND s.at < c.at`,
        [addressKeys, topics, ats],
      ),
    async erase(addressKey: string) {
      const rows = await postgres.query('DELETE FROM consent.record WHERE address_key = $1 RETURNING id', [addressKey])
      await postgres.query('DELETE FROM consent.latest WHERE address_key = $1', [addressKey])
      return rows.length
    },
  }
}
