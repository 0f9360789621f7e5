import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Secrets } from '../../../platform/secrets/secrets.ts'
import type { Counts, MessageState } from '../contract.ts'

/** A row of the ledger that a connection holds. */
export interface Claimed {
  id: string
  send_key: string
  broadcast_id: string
  release_hash: string
  profile_id: string
  address: string
  address_key: string
  topic_id: string
  tool_id: string
  seal: string
  attempt: number
}

export interface Planned {
  id: string
  profileId: string
  address: string | undefined
  addressKey: string | undefined
}

/** What became of a claimed row. */
export interface Completion {
  id: string
  state: MessageState
  /** False when the try says nothing about the address (the route was down): it is not counted. */
  counted: boolean
  nextAt: Date
  code: number | null
  text: string | null
  reason: string | null
}

/** What the seal covers: who gets what under which release. A row moved to another address or release no longer fits its seal. */
export function sealOf(
  secrets: Pick<Secrets, 'sign'>,
  row: { sendKey: string; releaseHash: string; profileId: string; address: string },
): string {
  return secrets.sign('message', `${row.sendKey}|${row.releaseHash}|${row.profileId}|${row.address}`)
}

/** One launch of a broadcast; a second one may be under the same release, when nothing but a key changed. */
export interface Launch {
  broadcastId: string
  releaseHash: string
  launchedAt: Date
}
const ofEarlierLaunch = 'm.broadcast_id = $1 AND (m.release_hash <> $2 OR m.changed_at < $3)'

export function ledger(postgres: Postgres) {
  return {
    /**
     * Plans one chunk of an audience; planning it again changes nothing. What an earlier launch of the same broadcast left waiting, or without
     * a mail, is planned anew, so that an address that changed since counts; what has an end stays, and its person gets no second mail.
     */
    async plan(
      of: Launch & { topicId: string; toolId: string; at: Date },
      rows: readonly Planned[],
      seal: (sendKey: string, profileId: string, address: string) => string,
    ): Promise<void> {
      const reachable = rows.filter((row) => row.address !== undefined)
      const key = (row: Planned) => `${of.broadcastId}|${row.addressKey ?? ''}`
      const first = [...new Map(reachable.map((row) => [key(row), row])).entries()]
      await postgres.query(
        `DELETE FROM journeys.message m WHERE ${ofEarlierLaunch} AND m.state IN ('planned', 'cancelled', 'no_address', 'same_address')
           AND (m.profile_id = ANY($4) OR m.send_key = ANY($5))`,
        [
          of.broadcastId,
          of.releaseHash,
          of.launchedAt,
          rows.map((row) => row.profileId),
          first.map(([sendKey]) => sendKey),
        ],
      )
      await postgres.query(
        `INSERT INTO journeys.message (id, send_key, broadcast_id, release_hash, profile_id, address, address_key, topic_id, tool_id, seal, state, next_at, changed_at)
         SELECT id, send_key, $1, $2, profile_id, address, address_key, $3, $4, seal, 'planned', $5, $5
         FROM unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[]) AS g (id, send_key, profile_id, address, address_key, seal)
         ON CONFLICT DO NOTHING`,
        [
          of.broadcastId,
          of.releaseHash,
          of.topicId,
          of.toolId,
          of.at,
          first.map(([, row]) => row.id),
          first.map(([sendKey]) => sendKey),
          first.map(([, row]) => row.profileId),
          first.map(([, row]) => row.address),
          first.map(([, row]) => row.addressKey),
          first.map(([sendKey, row]) => seal(sendKey, row.profileId, row.address ?? '')),
        ],
      )
      // Everyone else of the audience is in the ledger too, with why there is no mail to them.
      await postgres.query(
        `INSERT INTO journeys.message (id, send_key, broadcast_id, release_hash, profile_id, topic_id, tool_id, seal, state, next_at, changed_at)
         SELECT g.id, $1 || '|' || g.profile_id, $1, $2, g.profile_id, $3, $4, '', CASE WHEN g.address IS NULL THEN 'no_address' ELSE 'same_address' END, $5, $5
         FROM unnest($6::text[], $7::text[], $8::text[]) AS g (id, profile_id, address)
         WHERE NOT EXISTS (SELECT 1 FROM journeys.message m WHERE m.broadcast_id = $1 AND m.profile_id = g.profile_id)
         ON CONFLICT DO NOTHING`,
        [
          of.broadcastId,
          of.releaseHash,
          of.topicId,
          of.toolId,
          of.at,
          rows.map((row) => `${row.id}x`),
          rows.map((row) => row.profileId),
          rows.map((row) => row.address ?? null),
        ],
      )
    },
    /** Messages of an earlier launch that a connection still holds. */
    async held(of: Launch): Promise<number> {
      const [row] = await postgres.query<{ n: number }>(
        `SELECT count(*) AS n FROM journeys.message m WHERE ${ofEarlierLaunch} AND m.state = 'claimed'`,
        [of.broadcastId, of.releaseHash, of.launchedAt],
      )
      return row?.n ?? 0
    },
    /** What an earlier launch planned and this one does not have. */
    cancelOthers: (of: Launch, at: Date) =>
      postgres.query(
        `UPDATE journeys.message m SET state = 'cancelled', changed_at = $4, reason = 'no longer in the audience' WHERE ${ofEarlierLaunch} AND m.state = 'planned'`,
        [of.broadcastId, of.releaseHash, of.launchedAt, at],
      ),
    /**
     * Takes rows whose turn it is: one statement that asks again, for each row, whether the release lives, the broadcast is not paused, the
     * route may be used, the address may be mailed and agreed to the topic. Rows that may not be sent get their end in the same statement.
     * Two workers never get the same row (SKIP LOCKED).
     */
    claim: (broadcastId: string, releaseHash: string, owner: string, now: Date, until: Date, limit: number) =>
      postgres.query<Claimed & { state: MessageState }>(
        `WITH due AS (
           SELECT m.id, m.address_key, m.topic_id FROM journeys.message m
           WHERE m.broadcast_id = $1 AND m.state = 'planned' AND m.next_at <= $4 AND m.release_hash = $2
             AND EXISTS (SELECT 1 FROM requests.live_release($4) l WHERE l.release_hash = m.release_hash AND l.kind = 'broadcast' AND l.object_id = m.broadcast_id)
             AND EXISTS (SELECT 1 FROM journeys.broadcast b WHERE b.id = m.broadcast_id AND b.state = 'live' AND b.release_hash = m.release_hash AND b.launched_at <= m.changed_at)
             AND EXISTS (SELECT 1 FROM tools.usable t WHERE t.id = m.tool_id AND (t.ends_on IS NULL OR t.ends_on >= $4::date))
           ORDER BY m.next_at, m.id LIMIT $6 FOR UPDATE OF m SKIP LOCKED
         ), judged AS (
           SELECT d.id, CASE
             WHEN EXISTS (SELECT 1 FROM consent.suppressed s WHERE s.address_key = d.address_key AND s.channel = 'email' AND s.scope IN ('*', 'marketing', d.topic_id)) THEN 'suppressed'
             WHEN NOT EXISTS (SELECT 1 FROM consent.mailable_topic c WHERE c.address_key = d.address_key AND c.topic_id = d.topic_id AND c.state = 'granted') THEN 'no_consent'
             ELSE 'claimed' END AS state
           FROM due d
         )
         UPDATE journeys.message m SET state = j.state, changed_at = $4,
           lease_owner = CASE WHEN j.state = 'claimed' THEN $3 END, lease_until = CASE WHEN j.state = 'claimed' THEN $5::timestamptz END
         FROM judged j WHERE m.id = j.id
         RETURNING m.id, m.send_key, m.broadcast_id, m.release_hash, m.profile_id, m.address, m.address_key, m.topic_id, m.tool_id, m.seal, m.attempt, m.state`,
        [broadcastId, releaseHash, owner, now, until, limit],
      ),
    /** Moves claimed rows to what became of them; a row that somebody else completed stays as it is. */
    complete: (rows: readonly Completion[], at: Date) =>
      postgres.query<{ id: string; broadcast_id: string; profile_id: string; address: string; state: MessageState }>(
        `UPDATE journeys.message m SET state = c.state, attempt = m.attempt + c.counted::int, next_at = c.next_at, smtp_code = c.code, smtp_text = c.text, reason = c.reason,
           lease_owner = NULL, lease_until = NULL, changed_at = $8
         FROM unnest($1::text[], $2::text[], $3::boolean[], $4::timestamptz[], $5::int[], $6::text[], $7::text[]) AS c (id, state, counted, next_at, code, text, reason)
         WHERE m.id = c.id AND m.state = 'claimed' RETURNING m.id, m.broadcast_id, m.profile_id, m.address, m.state`,
        [
          rows.map((row) => row.id),
          rows.map((row) => row.state),
          rows.map((row) => row.counted),
          rows.map((row) => row.nextAt),
          rows.map((row) => row.code),
          rows.map((row) => row.text),
          rows.map((row) => row.reason),
          at,
        ],
      ),
    /** Rows in the hands of a worker, and how often each was tried. */
    heldBy: (owner: string) =>
      postgres.query<{ id: string; attempt: number }>(
        `SELECT id, attempt FROM journeys.message WHERE state = 'claimed' AND lease_owner = $1`,
        [owner],
      ),
    /** Rows of workers that ended without leaving a journal here: whether they left cannot be known. */
    expired: (now: Date, except: string) =>
      postgres.query<{ id: string }>(
        `SELECT id FROM journeys.message WHERE state = 'claimed' AND lease_until < $1 AND lease_owner <> $2`,
        [now, except],
      ),
    async counts(broadcastId: string): Promise<Counts> {
      const rows = await postgres.query<{ state: MessageState; n: number }>(
        'SELECT state, count(*) AS n FROM journeys.message WHERE broadcast_id = $1 GROUP BY state',
        [broadcastId],
      )
      return Object.fromEntries(rows.map((row) => [row.state, row.n]))
    },
    get: async (id: string) =>
      (
        await postgres.query<{
          id: string
          broadcast_id: string
          profile_id: string
          address: string
          changed_at: Date
          state: MessageState
        }>('SELECT id, broadcast_id, profile_id, address, changed_at, state FROM journeys.message WHERE id = $1', [id])
      )[0],
    async tell(events: readonly object[]): Promise<void> {
      if (events.length > 0)
        await postgres.query('INSERT INTO journeys.outbox (body) SELECT * FROM unnest($1::jsonb[])', [
          events.map((event) => JSON.stringify(event)),
        ])
    },
  }
}
