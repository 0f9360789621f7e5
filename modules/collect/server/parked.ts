import type { Postgres } from '../../../platform/postgres/postgres.ts'

/** Bodies that came with a write key that no source has: a mistyped deployment can be recovered for a day. */
export interface ParkedBody {
  id: string
  path: string
  body: Buffer
  receivedMs: number
}

const keepMs = 24 * 3_600_000
/** Anyone can send these: a bound on rows and bytes, the oldest stay. */
const mostRows = 2000
const mostBytes = 64 * 1024 * 1024
const largestBody = 1024 * 1024

/** @returns whether it was kept: not when the shelf is full */
export async function parkBody(
  postgres: Postgres,
  body: { writeKey: string; path: string; agent: string; bytes: Buffer; receivedMs: number },
): Promise<boolean> {
  if (body.bytes.length > largestBody) return false
  const rows = await postgres.query(
    `INSERT INTO collect.parked (write_key, path, query_text, user_agent, body, received_at)
     SELECT $1, $2, '', $3, $4, $5
      WHERE (SELECT count(*) < $6 AND coalesce(sum(length(body)), 0) + $7 < $8 FROM collect.parked)
     RETURNING id`,
    [
      printable(body.writeKey),
      body.path,
      printable(body.agent).slice(0, 300),
      body.bytes,
      new Date(body.receivedMs),
      mostRows,
      body.bytes.length,
      mostBytes,
    ],
  )
  return rows.length > 0
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
