import type { Postgres } from '../../../platform/postgres/postgres.ts'

/** Bodies that came with a write key that no source has: a mistyped deployment can be recovered for a day. */
export interface ParkedBody {
  id: string
  path: string
  body: Buffer
  receivedMs: number
}

const keepMs = 24 * 3_600_000
/** Anyone can send these: a bound on rows and bytes, the oldest stay. One network or one key never fills the shelf alone. */
const shelf = {
  all: { rows: 8000, bytes: 128 * 1024 * 1024 },
  ofOneKey: { rows: 2000, bytes: 32 * 1024 * 1024 },
  ofOneNetwork: { rows: 1000, bytes: 16 * 1024 * 1024 },
}
const largestBody = 1024 * 1024

/** What became of a body that nobody owns. */
export type Parking = 'parked' | 'too_large' | 'full'

/** @param body `network` is where it came from, cut to a network: one household or office */
export async function parkBody(
  postgres: Postgres,
  body: { writeKey: string; path: string; agent: string; network: string; bytes: Buffer; receivedMs: number },
): Promise<Parking> {
  if (body.bytes.length > largestBody) return 'too_large'
  const rows = await postgres.query(
    `INSERT INTO collect.parked (write_key, path, query_text, user_agent, body, received_at, network)
     SELECT $1, $2, '', $3, $4, $5, $6
      WHERE (SELECT count(*) < $8 AND coalesce(sum(length(body)), 0) + $7 <= $9
                AND count(*) FILTER (WHERE write_key = $1) < $10
                AND coalesce(sum(length(body)) FILTER (WHERE write_key = $1), 0) + $7 <= $11
                AND count(*) FILTER (WHERE network = $6) < $12
                AND coalesce(sum(length(body)) FILTER (WHERE network = $6), 0) + $7 <= $13
               FROM collect.parked)
     RETURNING id`,
    [
      printable(body.writeKey),
      body.path,
      printable(body.agent).slice(0, 300),
      body.bytes,
      new Date(body.receivedMs),
      body.network,
      body.bytes.length,
      ...[shelf.all, shelf.ofOneKey, shelf.ofOneNetwork].flatMap(({ rows, bytes }) => [rows, bytes]),
    ],
  )
  return rows.length > 0 ? 'parked' : 'full'
}

/** PostgreSQL takes no NUL in text, and nobody reads the rest. */
// oxlint-disable-next-line no-control-regex
const printable = (text: string) => text.toWellFormed().replaceAll(/[\u0000-\u001f\u007f]/g, '�')

export async function forgetParked(postgres: Postgres, nowMs: number): Promise<void> {
  await postgres.query('DELETE FROM collect.parked WHERE received_at < $1', [new Date(nowMs - keepMs)])
}

export async function parkedKeys(postgres: Postgres, nowMs: number) {
  const rows = await postgres.query<{
    write_key: string
    requests: string
    bytes: string
    first_at: Date
    last_at: Date
  }>(
    `SELECT write_key, count(*) AS requests, sum(length(body)) AS bytes, min(received_at) AS first_at, max(received_at) AS last_at
       FROM collect.parked WHERE received_at >= $1 GROUP BY write_key ORDER BY last_at DESC LIMIT 200`,
    [new Date(nowMs - keepMs)],
  )
  return rows.map((row) => ({
    writeKey: row.write_key,
    requests: Number(row.requests),
    bytes: Number(row.bytes),
    firstAt: row.first_at.toISOString(),
    lastAt: row.last_at.toISOString(),
  }))
}

/** Some of what is parked under a key, oldest first. */
export async function parkedBodies(postgres: Postgres, writeKey: string, limit: number): Promise<ParkedBody[]> {
  const rows = await postgres.query<{ id: string; path: string; body: Buffer; received_at: Date }>(
    `SELECT id, path, body, received_at FROM collect.parked WHERE write_key = $1 ORDER BY id LIMIT $2`,
    [writeKey, limit],
  )
  return rows.map((row) => ({ id: row.id, path: row.path, body: row.body, receivedMs: row.received_at.getTime() }))
}

export async function takeFromShelf(tx: Postgres, ids: readonly string[]): Promise<void> {
  await tx.query('DELETE FROM collect.parked WHERE id = ANY($1::bigint[])', [ids])
}
