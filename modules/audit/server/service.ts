import canonicalize from 'canonicalize'
import { createHash } from 'node:crypto'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Actor, Entry, Verification } from '../contract.ts'
import { createHeads, type Head, type HeadNeeds } from './heads.ts'

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
  /** Recomputes the whole chain and holds it against every head that was written down. */
  verify(): Promise<Verification>
  /**
   * Writes the present head down outside the database, if the log still goes on from the last one that was. A log that does not is never
   * blessed by a new head: it stays broken.
   */
  writeHead(): Promise<Verification>
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

/** @param needs.heads where heads are written down outside the database; without it only the chain itself is checked */
export function createAudit(needs: { postgres: Postgres; clock: Clock; heads?: HeadNeeds }): Audit {
  const { postgres } = needs
  const heads = needs.heads === undefined ? undefined : createHeads(needs.heads)

  /** Recomputes the entries after `from` and holds each against the head that was written down for it. */
  async function goesOn(from: Head, written: readonly Head[]): Promise<Verification> {
    const wanted = new Map(written.map((head) => [head.seq, head.hash]))
    const head = await headNow()
    let { seq, hash: previous } = from
    const wrong = (at: number, because: string): Verification => ({ ok: false, seq: at, because })
    for (;;) {
      const rows = await postgres.query<Row & { at: Date; actor_id: string; deed: string; object_id: string }>(
        'SELECT * FROM audit.entry WHERE seq > $1 ORDER BY seq LIMIT 5000',
        [seq],
      )
      for (const row of rows) {
        if (row.seq !== seq + 1) return wrong(seq + 1, `entry ${String(seq + 1)} is missing`)
        seq = row.seq
        if (row.previous !== previous) return wrong(seq, `entry ${String(seq)} does not follow the one before it`)
        if (hashOf(previous, row.body) !== row.hash)
          return wrong(seq, `entry ${String(seq)} was changed after it was written`)
        const body = JSON.parse(row.body) as Entry
        if (
          body.seq !== seq ||
          body.actor.id !== row.actor_id ||
          body.deed !== row.deed ||
          body.object.id !== row.object_id ||
          Date.parse(body.at) !== row.at.getTime()
        )
          return wrong(seq, `the columns of entry ${String(seq)} say something else than the entry`)
        previous = row.hash
        if (head.seq === seq && head.hash !== previous)
          return wrong(seq, `entry ${String(seq)} is not the one that the head of the log names`)
        const hash = wanted.get(seq)
        if (hash !== undefined && hash !== row.hash)
          return wrong(
            seq,
            `entry ${String(seq)} is not the one that was written down outside the database: it or one before it was changed`,
          )
      }
      if (rows.length === 0) break
    }
    const last = written.at(-1)
    if (last !== undefined && last.seq > seq)
      return wrong(
        seq + 1,
        `the log ends at ${String(seq)}, but entry ${String(last.seq)} was written down outside the database: the end was cut off`,
      )
    // Entries may have come while the pages were read, so the head is looked at before and after.
    if (head.seq > seq || (await headNow()).seq < seq)
      return wrong(seq + 1, `the log ends at ${String(seq)}, but its head says ${String(head.seq)}`)
    return { ok: true, entries: seq, head: previous, heads: written.length }
  }
  async function headNow(): Promise<Head> {
    const [head] = await postgres.query<Head>('SELECT seq, hash FROM audit.head')
    return head ?? { seq: 0, hash: origin }
  }
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
      const read = heads?.read()
      const found = await goesOn({ seq: 0, hash: origin }, read?.heads ?? [])
      return found.ok && read?.broken !== undefined ? { ok: false, ...read.broken } : found
    },
    async writeHead() {
      if (heads === undefined) return this.verify()
      const { heads: written, broken } = heads.read()
      if (broken !== undefined) return { ok: false, ...broken }
      const last = written.at(-1)
      if (last !== undefined && last.seq > 0) {
        const [entry] = await postgres.query<{ hash: string }>('SELECT hash FROM audit.entry WHERE seq = $1', [
          last.seq,
        ])
        // From the start then, to name the entry that is wrong.
        if (entry?.hash !== last.hash) return this.verify()
      }
      const found = await goesOn(last ?? { seq: 0, hash: origin }, [])
      if (found.ok && found.entries > (last?.seq ?? 0))
        heads.append({ seq: found.entries, hash: found.head }, needs.clock.now().toISOString())
      return found
    },
  }
}
