import type { Id } from '../../../lib/ids/ids.ts'
import type { Mapping } from '../../../lib/mapping/mapping.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Delivery, Scheme } from '../contract.ts'

export interface StoredHook {
  id: Id<'hook'>
  source_id: Id<'source'>
  name: string
  scheme: Scheme
  secrets: { sealed: string; since: string }[]
  mapping: Mapping
  version: number
  promise_hours: number | null
  created_by: string
  created_at: Date
}

export interface StoredDelivery {
  id: string
  key: string
  topic: string
  state: Delivery['state']
  because: string | null
  headers: Record<string, string>
  body: Buffer | null
  calls: number
  received_at: Date
}

export interface Outcome {
  outcome: 'taken' | 'unchanged' | 'aside' | 'rejected'
  reason: string
  deliveries: number
  calls: number
  atMs: number
}

const hookColumns = 'id, source_id, name, scheme, secrets, mapping, version, promise_hours, created_by, created_at'
const deliveryColumns = 'id::text AS id, key, topic, state, because, headers, body, calls, received_at'
/** What is put aside is kept within these, for each hook; what nobody could verify, anybody may have sent. */
const shelf = { all: { rows: 5000, bytes: 67_108_864 }, unverified: { rows: 500, bytes: 16_777_216 } }
/** So many bodies that went in are kept, for looking at and for trying a mapping on. */
const bodiesKept = 50
const takenDays = 7
export const asideDays = 30

/** The statements of webhooks, and nothing but statements. */
export function hookStore(db: Postgres) {
  return {
    list: () => db.query<StoredHook>(`SELECT ${hookColumns} FROM webhooks.hook ORDER BY created_at, id`),
    async get(id: string, forUpdate = false): Promise<StoredHook | undefined> {
      const [row] = await db.query<StoredHook>(
        `SELECT ${hookColumns} FROM webhooks.hook WHERE id = $1${forUpdate ? ' FOR UPDATE' : ''}`,
        [id],
      )
      return row
    },
    /** Changes with every change of any hook. */
    async changed(): Promise<string> {
      const [row] = await db.query<{ version: string }>(
        `SELECT count(*) || ' ' || coalesce(max(changed_at)::text, '') AS version FROM webhooks.hook`,
      )
      return row?.version ?? ''
    },
    /** @returns whether it was added: not when the name is there already */
    async insert(hook: Omit<StoredHook, 'version' | 'promise_hours'>): Promise<boolean> {
      const rows = await db.query(
        `INSERT INTO webhooks.hook (id, source_id, name, scheme, secrets, mapping, created_by, created_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT DO NOTHING RETURNING id`,
        [
          hook.id,
          hook.source_id,
          hook.name,
          JSON.stringify(hook.scheme),
          JSON.stringify(hook.secrets),
          JSON.stringify(hook.mapping),
          hook.created_by,
          hook.created_at,
        ],
      )
      return rows.length === 1
    },
    async put(hook: StoredHook, at: Date): Promise<void> {
      await db.query(
        `UPDATE webhooks.hook SET name = $2, scheme = $3, secrets = $4, mapping = $5, version = $6, promise_hours = $7, changed_at = $8 WHERE id = $1`,
        [
          hook.id,
          hook.name,
          JSON.stringify(hook.scheme),
          JSON.stringify(hook.secrets),
          JSON.stringify(hook.mapping),
          hook.version,
          hook.promise_hours,
          at,
        ],
      )
    },
    async nameTaken(name: string, except: string): Promise<boolean> {
      const rows = await db.query('SELECT 1 FROM webhooks.hook WHERE lower(name) = lower($1) AND id <> $2', [
        name,
        except,
      ])
      return rows.length > 0
    },
    async addVersion(hook: StoredHook, by: string, at: Date): Promise<void> {
      await db.query(
        'INSERT INTO webhooks.version (hook_id, version, mapping, made_by, made_at) VALUES ($1, $2, $3, $4, $5)',
        [hook.id, hook.version, JSON.stringify(hook.mapping), by, at],
      )
    },
    versions: (id: string) =>
      db.query<{ version: number; mapping: Mapping; made_by: string; made_at: Date }>(
        'SELECT version, mapping, made_by, made_at FROM webhooks.version WHERE hook_id = $1 ORDER BY version DESC LIMIT 100',
        [id],
      ),
    async remove(id: string): Promise<void> {
      await db.query('DELETE FROM webhooks.hook WHERE id = $1', [id])
    },

    async wasTaken(hookId: string, key: string): Promise<boolean> {
      const rows = await db.query(
        `SELECT 1 FROM webhooks.delivery WHERE hook_id = $1 AND key = $2 AND state = 'taken'`,
        [hookId, key],
      )
      return rows.length > 0
    },
    /** @returns whether it is there now: not when it was taken before, nor when too much is put aside */
    async keep(hookId: string, one: Omit<StoredDelivery, 'id' | 'body'> & { body: Buffer }): Promise<boolean> {
      const values = [
        hookId,
        one.key,
        one.topic,
        one.state,
        one.because,
        JSON.stringify(one.headers),
        one.body,
        one.calls,
        one.received_at,
      ]
      const insert =
        'INSERT INTO webhooks.delivery (hook_id, key, topic, state, because, headers, body, calls, received_at)'
      const rows =
        one.state === 'taken'
          ? await db.query(
              `${insert} VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING id`,
              values,
            )
          : await db.query(
              `${insert} SELECT $1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9
                WHERE (SELECT count(*) < $10 AND coalesce(sum(length(body)), 0) + length($7::bytea) <= $11
                          AND ($4 <> 'unverified' OR (count(*) FILTER (WHERE state = 'unverified') < $12
                          AND coalesce(sum(length(body)) FILTER (WHERE state = 'unverified'), 0) + length($7::bytea) <= $13))
                         FROM webhooks.delivery WHERE hook_id = $1 AND state <> 'taken')
               RETURNING id`,
              [...values, shelf.all.rows, shelf.all.bytes, shelf.unverified.rows, shelf.unverified.bytes],
            )
      return rows.length === 1
    },
    async count(hookId: string, all: readonly Outcome[]): Promise<void> {
      for (const one of all)
        await db.query(
          `INSERT INTO webhooks.count (hook_id, hour, outcome, reason, deliveries, calls)
           VALUES ($1, date_trunc('hour', $2::timestamptz, 'UTC'), $3, $4, $5, $6)
           ON CONFLICT (hook_id, hour, outcome, reason) DO UPDATE
             SET deliveries = count.deliveries + excluded.deliveries, calls = count.calls + excluded.calls`,
          [hookId, new Date(one.atMs), one.outcome, one.reason, one.deliveries, one.calls],
        )
    },
    counts: (ids: readonly string[]) =>
      db.query<{ hook_id: string; outcome: Outcome['outcome']; reason: string; deliveries: string; calls: string }>(
        `SELECT hook_id, outcome, reason, sum(deliveries) AS deliveries, sum(calls) AS calls FROM webhooks.count
          WHERE hook_id = ANY($1) GROUP BY hook_id, outcome, reason HAVING sum(deliveries) <> 0 ORDER BY sum(deliveries) DESC`,
        [ids],
      ),
    /** When the last one was taken (or recognised), and how many wait aside. */
    latest: (ids: readonly string[]) =>
      db.query<{ hook_id: string; fresh_at: Date | null; aside: string }>(
        `SELECT h.id AS hook_id, (SELECT count(*) FROM webhooks.delivery WHERE hook_id = h.id AND state <> 'taken') AS aside,
                (SELECT received_at FROM webhooks.delivery WHERE hook_id = h.id AND state = 'taken' ORDER BY webhooks.delivery.id DESC LIMIT 1) AS fresh_at
           FROM unnest($1::text[]) AS h (id)`,
        [ids],
      ),
    deliveries: (hookId: string, limit: number) =>
      db.query<Omit<StoredDelivery, 'body'>>(
        `SELECT id::text AS id, key, topic, state, because, headers, calls, received_at
           FROM webhooks.delivery WHERE hook_id = $1 ORDER BY webhooks.delivery.id DESC LIMIT $2`,
        [hookId, limit],
      ),
    bodies: (hookId: string, limit: number) =>
      db.query<StoredDelivery>(
        `SELECT ${deliveryColumns} FROM webhooks.delivery
          WHERE hook_id = $1 AND body IS NOT NULL AND state <> 'unverified' ORDER BY webhooks.delivery.id DESC LIMIT $2`,
        [hookId, limit],
      ),
    aside: (hookId: string, states: readonly string[], after: string, limit: number) =>
      db.query<StoredDelivery>(
        `SELECT ${deliveryColumns} FROM webhooks.delivery
          WHERE hook_id = $1 AND state = ANY($2) AND webhooks.delivery.id > $3::bigint ORDER BY webhooks.delivery.id LIMIT $4`,
        [hookId, states, after, limit],
      ),
    waitingHooks: () =>
      db.query<{ hook_id: string }>(`SELECT DISTINCT hook_id FROM webhooks.delivery WHERE state = 'waiting'`),
    /** @returns whether it was aside until now: two who replay at once count it once */
    async tookAside(id: string, calls: number, topic: string): Promise<boolean> {
      const rows = await db.query(
        `UPDATE webhooks.delivery AS d SET state = 'taken', because = NULL, calls = $2, topic = $3
          WHERE id = $1::bigint AND state <> 'taken'
            AND NOT EXISTS (SELECT 1 FROM webhooks.delivery AS t WHERE t.hook_id = d.hook_id AND t.key = d.key AND t.state = 'taken') RETURNING id`,
        [id, calls, topic],
      )
      return rows.length === 1
    },
    async forgetOne(id: string): Promise<boolean> {
      const rows = await db.query(
        `DELETE FROM webhooks.delivery WHERE id = $1::bigint AND state <> 'taken' RETURNING id`,
        [id],
      )
      return rows.length === 1
    },
    async restate(id: string, state: Delivery['state'], because: string): Promise<void> {
      await db.query('UPDATE webhooks.delivery SET state = $2, because = $3 WHERE id = $1::bigint', [
        id,
        state,
        because,
      ])
    },
    /** The newest note of each hook stays, however old: its freshness is read from it. */
    async forget(nowMs: number): Promise<void> {
      const day = 86_400_000
      await db.query(
        `DELETE FROM webhooks.delivery AS d WHERE (state <> 'taken' AND received_at < $2) OR (state = 'taken' AND received_at < $1
           AND id < (SELECT max(id) FROM webhooks.delivery AS n WHERE n.hook_id = d.hook_id AND n.state = 'taken'))`,
        [new Date(nowMs - takenDays * day), new Date(nowMs - asideDays * day)],
      )
      await db.query(
        `UPDATE webhooks.delivery AS d SET body = NULL WHERE state = 'taken' AND body IS NOT NULL AND id <= coalesce(
           (SELECT id FROM webhooks.delivery AS n WHERE n.hook_id = d.hook_id AND n.state = 'taken' ORDER BY id DESC OFFSET $1 LIMIT 1), 0)`,
        [bodiesKept],
      )
    },
  }
}
