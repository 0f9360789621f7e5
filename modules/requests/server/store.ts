import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Facts, KeyKind, Verdict } from '../../policy/contract.ts'
import type { Check, Covered, State } from '../contract.ts'

export interface RequestRecord {
  id: string
  kind: string
  object_id: string
  title: string
  sub: string
  state: State
  requester: string
  release_hash: string
  needed: KeyKind[]
  cooling_off_hours: number
  verdict: Verdict
  facts: Facts
  preflight: Check[]
  preflight_at: Date | null
  /** The release that the preflight looked at; another one was not looked at yet. */
  preflight_release: string | null
  because: string | null
  opened_at: Date
  released_at: Date
  launched_at: Date | null
  closed_at: Date | null
}
export interface KeyRecord {
  id: string
  request_id: string
  release_hash: string
  kind: KeyKind
  person_id: string
  method: string
  condition: string | null
  given_at: Date
  expires_at: Date
  voided_at: Date | null
  void_because: string | null
  withdrawn_at: Date | null
}
export interface ReleaseRecord {
  hash: string
  canonical: string
  covers: Covered[]
  editors: string[]
}

/** The statements of requests, and nothing but statements. */
export function requestStore(postgres: Postgres) {
  const first = async <Row>(text: string, values: unknown[]) => (await postgres.query<Row>(text, values))[0]
  return {
    get: (id: string) => first<RequestRecord>('SELECT * FROM requests.request WHERE id = $1', [id]),
    lock: (id: string) => first<RequestRecord>('SELECT * FROM requests.request WHERE id = $1 FOR UPDATE', [id]),
    openFor: (kind: string, objectId: string) =>
      first<RequestRecord>(
        `SELECT * FROM requests.request WHERE kind = $1 AND object_id = $2 AND state IN ('waiting', 'ready', 'live')`,
        [kind, objectId],
      ),
    /** Open requests whose present release covers this thing. */
    covering: (kind: string, id: string) =>
      postgres.query<RequestRecord>(
        `SELECT r.* FROM requests.request r JOIN requests.release v ON v.request_id = r.id AND v.hash = r.release_hash
         WHERE r.state IN ('waiting', 'ready', 'live') AND v.covers @> $1::jsonb ORDER BY r.id FOR UPDATE OF r`,
        [JSON.stringify([{ kind, id }])],
      ),
    newest: (limit: number, covers?: string) =>
      postgres.query<RequestRecord>(
        `SELECT r.* FROM requests.request r
         WHERE $2::jsonb IS NULL OR EXISTS (SELECT FROM requests.release v WHERE v.request_id = r.id AND v.hash = r.release_hash AND v.covers @> $2)
         ORDER BY r.state IN ('waiting', 'ready') DESC, r.opened_at DESC LIMIT $1`,
        [limit, covers === undefined ? null : JSON.stringify([{ id: covers }])],
      ),
    insert: (row: RequestRecord) =>
      postgres.query(
        `INSERT INTO requests.request (id, kind, object_id, title, sub, state, requester, release_hash, needed, cooling_off_hours, verdict, facts, opened_at, released_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
        [
          row.id,
          row.kind,
          row.object_id,
          row.title,
          row.sub,
          row.state,
          row.requester,
          row.release_hash,
          row.needed,
          row.cooling_off_hours,
          JSON.stringify(row.verdict),
          JSON.stringify(row.facts),
          row.opened_at,
          row.released_at,
        ],
      ),
    setRelease: (
      id: string,
      hash: string,
      needed: KeyKind[],
      coolingOffHours: number,
      verdict: Verdict,
      facts: Facts,
      title: string,
      sub: string,
      state: State,
      at: Date,
    ) =>
      postgres.query(
        'UPDATE requests.request SET release_hash = $2, needed = $3, cooling_off_hours = $4, verdict = $5, facts = $6, title = $7, sub = $8, state = $9, released_at = $10 WHERE id = $1',
        [id, hash, needed, coolingOffHours, JSON.stringify(verdict), JSON.stringify(facts), title, sub, state, at],
      ),
    setState: (id: string, state: State, because: string | null, closedAt: Date | null) =>
      postgres.query('UPDATE requests.request SET state = $2, because = $3, closed_at = $4 WHERE id = $1', [
        id,
        state,
        because,
        closedAt,
      ]),
    setLaunched: (id: string, at: Date) =>
      postgres.query(`UPDATE requests.request SET state = 'live', launched_at = $2, because = NULL WHERE id = $1`, [
        id,
        at,
      ]),
    /** Of a release that is no longer the present one, nothing is kept. */
    setPreflight: (id: string, release: string, checks: Check[], at: Date) =>
      postgres.query(
        'UPDATE requests.request SET preflight = $3, preflight_at = $4, preflight_release = $2 WHERE id = $1 AND release_hash = $2',
        [id, release, JSON.stringify(checks), at],
      ),
    /** The same release is judged more strictly than it was. */
    setVerdict: (id: string, verdict: Verdict, facts: Facts, state: State) =>
      postgres.query(
        'UPDATE requests.request SET needed = $2, cooling_off_hours = $3, verdict = $4, facts = $5, state = $6 WHERE id = $1',
        [id, verdict.keys, verdict.coolingOffHours, JSON.stringify(verdict), JSON.stringify(facts), state],
      ),
    addRelease: (requestId: string, release: ReleaseRecord, at: Date) =>
      postgres.query(
        'INSERT INTO requests.release (request_id, hash, canonical, covers, editors, made_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (request_id, hash) DO UPDATE SET covers = excluded.covers, editors = excluded.editors',
        [requestId, release.hash, release.canonical, JSON.stringify(release.covers), release.editors, at],
      ),
    release: (requestId: string, hash: string) =>
      first<ReleaseRecord>(
        'SELECT hash, canonical, covers, editors FROM requests.release WHERE request_id = $1 AND hash = $2',
        [requestId, hash],
      ),
    keys: (requestId: string) =>
      postgres.query<KeyRecord>('SELECT * FROM requests.key WHERE request_id = $1 ORDER BY given_at', [requestId]),
    addKey: (row: Omit<KeyRecord, 'voided_at' | 'void_because' | 'withdrawn_at'>) =>
      postgres.query(
        'INSERT INTO requests.key (id, request_id, release_hash, kind, person_id, method, condition, given_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
        [
          row.id,
          row.request_id,
          row.release_hash,
          row.kind,
          row.person_id,
          row.method,
          row.condition,
          row.given_at,
          row.expires_at,
        ],
      ),
    voidKeys: (requestId: string, because: string, at: Date) =>
      postgres.query<KeyRecord>(
        'UPDATE requests.key SET voided_at = $2, void_because = $3 WHERE request_id = $1 AND voided_at IS NULL AND withdrawn_at IS NULL RETURNING *',
        [requestId, at, because],
      ),
    /** Keys that count no longer: expired, or of somebody who could not give them today. Their slots are free again. */
    voidStale: (requestId: string, at: Date) =>
      postgres.query<KeyRecord>(
        `UPDATE requests.key k SET voided_at = $2, void_because = CASE WHEN k.expires_at <= $2 THEN 'it expired' ELSE 'whoever gave it can no longer give it' END
         WHERE k.request_id = $1 AND k.voided_at IS NULL AND k.withdrawn_at IS NULL AND (k.expires_at <= $2 OR NOT EXISTS (
           SELECT 1 FROM accounts.active_person p WHERE p.id = k.person_id
             AND ((k.kind IN ('marketing', 'it') AND p.side = k.kind AND 'approver' = ANY (p.roles)) OR (k.kind = 'protection' AND 'protection' = ANY (p.roles)))))
         RETURNING k.*`,
        [requestId, at],
      ),
    withdrawKey: (requestId: string, personId: string, at: Date) =>
      postgres.query<KeyRecord>(
        'UPDATE requests.key SET withdrawn_at = $3 WHERE request_id = $1 AND person_id = $2 AND voided_at IS NULL AND withdrawn_at IS NULL RETURNING *',
        [requestId, personId, at],
      ),
    addExecution: (id: string, requestId: string, hash: string, by: string, at: Date) =>
      postgres.query('INSERT INTO requests.execution VALUES ($1, $2, $3, $4, $5)', [id, requestId, hash, by, at]),
    execution: (requestId: string, hash: string) =>
      first<{ id: string }>('SELECT id FROM requests.execution WHERE request_id = $1 AND release_hash = $2', [
        requestId,
        hash,
      ]),
    liveRelease: (hash: string, at: Date) =>
      first<{ request_id: string; kind: string; object_id: string }>(
        'SELECT request_id, kind, object_id FROM requests.live_release($2) WHERE release_hash = $1',
        [hash, at],
      ),
    addComment: (id: string, requestId: string, personId: string, side: string, text: string, at: Date) =>
      postgres.query('INSERT INTO requests.comment VALUES ($1, $2, $3, $4, $5, $6)', [
        id,
        requestId,
        personId,
        side,
        text,
        at,
      ]),
    comments: (requestId: string) =>
      postgres.query<{ id: string; person_id: string; side: 'marketing' | 'it'; text: string; at: Date }>(
        'SELECT * FROM requests.comment WHERE request_id = $1 ORDER BY at, id',
        [requestId],
      ),
    note: (requestId: string, by: string, says: string, at: Date) =>
      postgres.query('INSERT INTO requests.history (request_id, at, by, says) VALUES ($1, $2, $3, $4)', [
        requestId,
        at,
        by,
        says,
      ]),
    history: (requestId: string) =>
      postgres.query<{ at: Date; by: string; says: string }>(
        'SELECT at, by, says FROM requests.history WHERE request_id = $1 ORDER BY id DESC LIMIT 200',
        [requestId],
      ),
    approvers: () =>
      postgres.query<{ id: string; name: string; side: 'marketing' | 'it'; roles: string[] }>(
        `SELECT p.id, n.name, p.side, p.roles FROM accounts.active_person p JOIN accounts.named_person n ON n.id = p.id WHERE p.roles && ARRAY['approver', 'protection'] ORDER BY n.name`,
      ),
    sideOf: async (id: string) =>
      (await first<{ side: 'marketing' | 'it' }>('SELECT side FROM accounts.active_person WHERE id = $1', [id]))?.side,
    staff: async () => (await first<{ n: number }>('SELECT count(*) AS n FROM accounts.active_person', []))?.n ?? 0,
    names: async (ids: readonly string[]) =>
      Object.fromEntries(
        (
          await postgres.query<{ id: string; name: string }>(
            'SELECT id, name FROM accounts.named_person WHERE id = ANY($1)',
            [[...ids]],
          )
        ).map((row) => [row.id, row.name]),
      ),
  }
}
