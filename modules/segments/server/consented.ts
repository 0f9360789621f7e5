import { createHash } from 'node:crypto'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Consent } from '../../consent/server/index.ts'

/** People read, or rows written, at a time. */
const atOnce = 10_000
/** Addresses whose keys are remembered: 200 bytes each. */
const mostKeys = 200_000

export interface ConsentedNeeds {
  postgres: Postgres
  clickhouse: ClickHouse
  clock: Clock
  consent: Pick<Consent, 'mailable' | 'addressKey'>
}

/**
 * Keeps ClickHouse's copy of who may be mailed about a topic. Consent belongs to addresses and PostgreSQL has the truth: links, preference pages,
 * suppressions and the newest address of each person all count. So the copy is not fed by events: whoever asks about consent first brings it
 * up to date, and gets the answer that the claim of a send would give at that moment.
 *
 * Costs one walk over the contacts (30,000 people: about 0.1 s) for each question with a topic in it, and writes only what changed.
 */
export function consentedPeople({ postgres, clickhouse, clock, consent }: ConsentedNeeds) {
  const keys = new Map<string, string>()
  let last: Promise<void> = Promise.resolve()
  /** Asked for and not begun: whoever comes now shares it, because it will see everything that is true now. */
  const waiting = new Map<string, Promise<void>>()

  function keyOf(email: string): string {
    const known = keys.get(email)
    if (known !== undefined) return known
    if (keys.size >= mostKeys) keys.clear()
    const key = consent.addressKey(email)
    keys.set(email, key)
    return key
  }

  async function mailableNow(topic: string): Promise<Set<string>> {
    const addresses = await consent.mailable(topic)
    const people = new Set<string>()
    for (let after = ''; addresses.size > 0;) {
      const rows = await postgres.query<{ profile_id: string; email: string }>(
        'SELECT profile_id, email FROM profiles.contact WHERE email IS NOT NULL AND profile_id > $1 ORDER BY profile_id LIMIT $2',
        [after, atOnce],
      )
      for (const row of rows) if (addresses.has(keyOf(row.email))) people.add(row.profile_id)
      if (rows.length < atOnce) break
      after = rows.at(-1)?.profile_id ?? after
    }
    return people
  }

  async function bring(topic: string): Promise<void> {
    const now = await mailableNow(topic)
    const had = new Set<string>()
    let version = clock.ms()
    for await (const rows of clickhouse.stream<{ profile_id: string; removed: number; version: number }>(
      'SELECT profile_id, removed, toFloat64(version) AS version FROM mailable FINAL WHERE topic = {topic:String}',
      { topic },
    ))
      for (const row of rows) {
        if (row.removed === 0) had.add(row.profile_id)
        version = Math.max(version, row.version + 1)
      }
    const changes = [
      ...[...now.difference(had)].map((profile_id) => ({ topic, profile_id, version, removed: 0 })),
      ...[...had.difference(now)].map((profile_id) => ({ topic, profile_id, version, removed: 1 })),
    ]
    for (let at = 0; at < changes.length; at += atOnce) {
      const rows = changes.slice(at, at + atOnce)
      // Two servers that found the same write it once; two that found different things both write.
      const token = createHash('sha256').update(JSON.stringify(rows)).digest('hex')
      await clickhouse.insert('mailable', rows, { token: `mailable ${token}` })
    }
  }

  function bringOne(topic: string): Promise<void> {
    const shared = waiting.get(topic)
    if (shared !== undefined) return shared
    const turn = last
      .catch(() => undefined)
      .then(() => {
        waiting.delete(topic)
        return bring(topic)
      })
    waiting.set(topic, turn)
    last = turn
    return turn
  }

  return {
    /** Resolves when the copy says of these topics what was true when it was asked, or something newer. */
    async upToDate(topics: readonly string[]): Promise<void> {
      await Promise.all(topics.map(bringOne))
    },
  }
}
