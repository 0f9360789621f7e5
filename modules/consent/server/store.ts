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
  /** A yes that holds only as long as nothing says no: of a public source, or without a date. It never takes back a refusal, and any refusal takes it back. */
  weak: boolean
  proof: string | null
  origin: string
}

/** The statements of consent, and nothing but statements. */
export function consentStore(postgres: Postgres) {
  return {
    /** What one event or deed put on record. */
    recordedBy: (origin: string) =>
      postgres.query<{ topic: string; state: ConsentState; basis: string; at: Date }>(
        'SELECT topic_id AS topic, state, basis, at FROM consent.record WHERE origin = $1',
        [origin],
      ),
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
    /** The topic as it is, held until the transaction ends: two people who change it wait for each other. */
    async lockTopic(id: string) {
      const [row] = await postgres.query<Topic>(
        'SELECT id, name, description, wording, listed FROM consent.topic WHERE id = $1 FOR UPDATE',
        [id],
      )
      return row
    },
    /** Topics that a trusted source spoke of and nobody described yet; at most `limit` of them in all. */
    async discoverTopics(found: readonly { id: string; name: string }[], wording: string, limit: number, at: Date) {
      const sorted = [...found].sort((a, b) => (a.id < b.id ? -1 : 1))
      await postgres.query(
        `INSERT INTO consent.topic (id, name, description, wording, listed, created_at)
         SELECT id, name, '', $2, false, $3 FROM unnest($1::text[], $5::text[]) AS t (id, name) ORDER BY id
         LIMIT greatest(0, $4 - (SELECT count(*) FROM consent.topic))
         ON CONFLICT (id) DO NOTHING`,
        [sorted.map((one) => one.id), wording, at, limit, sorted.map((one) => one.name)],
      )
      await postgres.query('DELETE FROM consent.unknown_topic WHERE topic_id IN (SELECT id FROM consent.topic)')
    },
    forgetUnknown: (id: string) => postgres.query('DELETE FROM consent.unknown_topic WHERE topic_id = $1', [id]),
    /** Counts events for topics that are none; names beyond `limit` for a source are counted together, under ''. */
    async countUnknown(
      found: readonly { sourceId: string; topic: string; name: string; events: number }[],
      limit: number,
      at: Date,
    ) {
      const sorted = [...found].sort((a, b) => (a.sourceId + a.topic < b.sourceId + b.topic ? -1 : 1))
      await postgres.query(
        `WITH given AS (
           SELECT g.*, row_number() OVER (PARTITION BY g.source_id, u.topic_id IS NULL ORDER BY g.topic_id) AS nth, u.topic_id IS NOT NULL AS known,
             (SELECT count(*) FROM consent.unknown_topic h WHERE h.source_id = g.source_id AND h.topic_id <> '') AS had
           FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS g (source_id, topic_id, name, events)
           LEFT JOIN consent.unknown_topic u USING (source_id, topic_id)
         ), fitted AS (
           SELECT source_id, CASE WHEN known OR had + nth <= $5 THEN topic_id ELSE '' END AS topic_id, CASE WHEN known OR had + nth <= $5 THEN name ELSE '' END AS name, events FROM given
         )
         INSERT INTO consent.unknown_topic (source_id, topic_id, name, events, first_at, last_at)
         SELECT source_id, topic_id, min(name), sum(events), $6, $6 FROM fitted GROUP BY source_id, topic_id ORDER BY source_id, topic_id
         ON CONFLICT (source_id, topic_id) DO UPDATE SET events = consent.unknown_topic.events + excluded.events, last_at = excluded.last_at`,
        [
          sorted.map((one) => one.sourceId),
          sorted.map((one) => one.topic),
          sorted.map((one) => one.name),
          sorted.map((one) => one.events),
          limit,
          at,
        ],
      )
    },
    unknownTopics: () =>
      postgres.query<{ sourceId: string; topic: string; name: string; events: number; lastAt: Date }>(
        `SELECT source_id AS "sourceId", topic_id AS topic, name, events, last_at AS "lastAt" FROM consent.unknown_topic ORDER BY events DESC, source_id, topic_id LIMIT 200`,
      ),
    /** Addresses that a mail of a topic may go to now, as the claim of a send asks it. */
    async mailable(topic: string): Promise<Set<string>> {
      const rows = await postgres.query<{ address_key: string }>(
        `SELECT c.address_key FROM consent.mailable_topic c WHERE c.topic_id = $1 AND c.state = 'granted'
           AND NOT EXISTS (SELECT 1 FROM consent.suppressed s WHERE s.address_key = c.address_key AND s.channel = 'email' AND s.scope IN ('*', 'marketing', $1))`,
        [topic],
      )
      return new Set(rows.map((row) => row.address_key))
    },
    keepWordings: (wordings: readonly { hash: string; text: string }[], at: Date) =>
      postgres.query(
        `INSERT INTO consent.wording (hash, text, first_used_at) SELECT hash, text, $3 FROM unnest($1::text[], $2::text[]) AS w (hash, text) ORDER BY hash ON CONFLICT (hash) DO NOTHING`,
        [wordings.map((one) => one.hash), wordings.map((one) => one.text), at],
      ),
    /**
     * Appends the records that were not heard before and moves what holds now, in one statement. The newest decision holds; a weak grant
     * holds only where nothing says no: no refusal of any date, no suppression that a person or staff made. Rows in order of address, so that two
     * batches never wait for each other.
     * @returns how many were new
     */
    async append(records: readonly NewRecord[], now: Date): Promise<number> {
      const [row] = await postgres.query<{ added: number }>(
        `WITH given AS (
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::boolean[], $10::text[], $11::text[])
             AS g (address_key, channel, topic_id, state, basis, wording_hash, source, at, weak, proof, origin)
         ), added AS (
           INSERT INTO consent.record (address_key, channel, topic_id, state, basis, wording_hash, source, at, recorded_at, proof, origin)
           SELECT address_key, channel, topic_id, state, basis, wording_hash, source, at, $12, proof, origin FROM given ORDER BY address_key, origin
           ON CONFLICT (origin) DO NOTHING
           RETURNING id, address_key, channel, topic_id, state, at, origin
         ), newest AS (
           SELECT DISTINCT ON (address_key, channel, topic_id) a.*, g.weak
           FROM added a JOIN given g USING (origin, address_key, channel, topic_id)
           ORDER BY address_key, channel, topic_id, g.weak, a.at DESC, a.state = 'granted', a.id DESC
         ), moved AS (
           INSERT INTO consent.latest (address_key, channel, topic_id, state, at, record_id, weak)
           SELECT address_key, channel, topic_id, state, at, id, weak FROM newest n
           WHERE NOT (n.weak AND EXISTS (SELECT 1 FROM consent.suppression s WHERE s.address_key = n.address_key AND s.channel = n.channel
             AND s.scope IN ('*', 'marketing', n.topic_id) AND s.reason <> 'bounced'))
           ORDER BY address_key, channel, topic_id
           ON CONFLICT (address_key, channel, topic_id) DO UPDATE SET state = excluded.state, at = excluded.at, record_id = excluded.record_id, weak = excluded.weak
           WHERE CASE WHEN consent.latest.weak THEN NOT excluded.weak OR excluded.at >= consent.latest.at
                      ELSE NOT excluded.weak AND excluded.at >= consent.latest.at END
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
          records.map((one) => one.weak),
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
        proof: string | null
        wording: string | null
      }>(
        `SELECT r.topic_id, r.channel, r.state, r.basis, r.source, r.at, r.recorded_at, r.proof, w.text AS wording
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
