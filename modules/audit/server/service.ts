import canonicalize from 'canonicalize'
import { createHash } from 'node:crypto'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Actor, Entry, Verification } from '../contract.ts'

/** What a deed leaves behind. Ids, hashes and counts only; never a personal value. */
interface NewEntry {
  actor: Actor
  deed: string
  object: { kind: string; id: string }
  summary: string
  facts?: Record<string, string | number | boolean | null>
}

export interface Audit {
  /** Appends within the transaction of the deed: either both happened or neither. Writers queue for the head of the chain. */
  write(tx: Postgres, entry: NewEntry): Promise<void>
  list(filter: {
    before?: number | undefined
    kind?: string | undefined
    id?: string | undefined
    limit: number
  }): Promise<Entry[]>
  verify(): Promise<Verification>
  /** Number and hash of the last entry, to be written down outside the database. */
  head(): Promise<{ seq: number; hash: string }>
}

/** The actor that a caller is. */
export function actorOf(caller: Pick<Caller, 'kind' | 'accountId'>): Actor {
  return { kind: caller.kind, id: caller.accountId }
}

interface Row {
  seq: number
  body: string
  previous: string
  hash: string
}
const origin = '0'.repeat(64)
const hashOf = (previous: string, body: string) =>
  createHash('sha256').update(previous).update('\n').update(body).digest('hex')

/** @param writtenDown the last head that was written outside the database, when there is one */
export function createAudit(needs: {
  postgres: Postgres
  clock: Clock
  writtenDown?: () => { seq: number; hash: string } | undefined
}): Audit {
  const { postgres } = needs
  return {
    async write(tx, entry) {
      const [head] = await tx.query<{ seq: number; hash: string }>('SELECT seq, hash FROM audit.head FOR UPDATE')
      if (head === undefined) throw new Error('the audit log has lost its head')
      const seq = head.seq + 1
      const at = needs.clock.now().toISOString()
      const body = canonicalize({
        seq,
        at,
        actor: entry.actor,
        deed: entry.deed,
        object: entry.object,
        summary: entry.summary,
        facts: entry.facts ?? {},
      })
      if (body === undefined) throw new Error('an audit entry that is no JSON')
      const hash = hashOf(head.hash, body)
      await tx.query('INSERT INTO audit.entry VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)', [
        seq,
        at,
        entry.actor.kind,
        entry.actor.id,
        entry.deed,
        entry.object.kind,
        entry.object.id,
        body,
        head.hash,
        hash,
      ])
      await tx.query('UPDATE audit.head SET seq = $1, hash = $2', [seq, hash])
    },
    async list({ before, kind, id, limit }) {
      const rows = await postgres.query<Row>(
        `SELECT seq, body, hash FROM audit.entry
         WHERE ($1::bigint IS NULL OR seq < $1) AND ($2::text IS NULL OR object_kind = $2) AND ($3::text IS NULL OR object_id = $3)
         ORDER BY seq DESC LIMIT $4`,
        [before ?? null, kind ?? null, id ?? null, limit],
      )
      return rows.map((row) => ({ ...(JSON.parse(row.body) as Omit<Entry, 'hash'>), hash: row.hash }))
    },
    async verify() {
      const written = needs.writtenDown?.()
      let previous = origin
      let seq = 0
      let heldWritten = written === undefined || written.seq === 0
      for (;;) {
        const rows = await postgres.query<Row & { at: Date; actor_id: string; deed: string; object_id: string }>(
          'SELECT * FROM audit.entry WHERE seq > $1 ORDER BY seq LIMIT 5000',
          [seq],
        )
        for (const row of rows) {
          if (row.seq !== seq + 1) return { ok: false, seq: seq + 1, because: `entry ${String(seq + 1)} is missing` }
          seq = row.seq
          if (row.previous !== previous)
            return { ok: false, seq, because: `entry ${String(seq)} does not follow the one before it` }
          if (hashOf(previous, row.body) !== row.hash)
            return { ok: false, seq, because: `entry ${String(seq)} was changed after it was written` }
          const body = JSON.parse(row.body) as Entry
          if (
            body.seq !== seq ||
            body.actor.id !== row.actor_id ||
            body.deed !== row.deed ||
            body.object.id !== row.object_id ||
            Date.parse(body.at) !== row.at.getTime()
          )
            return { ok: false, seq, because: `the columns of entry ${String(seq)} say something else than the entry` }
          previous = row.hash
          if (written?.seq === seq) {
            if (written.hash !== row.hash)
              return {
                ok: false,
                seq,
                because: `entry ${String(seq)} is not the one that was written down outside the database`,
              }
            heldWritten = true
          }
        }
        if (rows.length === 0) break
      }
      if (!heldWritten)
        return {
          ok: false,
          seq: seq + 1,
          because: `the log ends at ${String(seq)}, but entry ${String(written?.seq)} was written down outside the database: the end was cut off`,
        }
      const head = await this.head()
      if (head.seq !== seq || head.hash !== previous)
        return {
          ok: false,
          seq: seq + 1,
          because: `the log ends at ${String(seq)}, but its head says ${String(head.seq)}`,
        }
      return { ok: true, entries: seq, head: previous }
    },
    async head() {
      const [head] = await postgres.query<{ seq: number; hash: string }>('SELECT seq, hash FROM audit.head')
      return head ?? { seq: 0, hash: origin }
    },
  }
}
