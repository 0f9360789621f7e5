import type { Id } from '../../../lib/ids/ids.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { History, SegmentDefinition } from '../contract.ts'
import { compile } from './compile.ts'

/** How often it is looked who came into which segment and who left: windows close without an event, so time itself changes who is in. */
const lookEveryMs = 60_000
const shownDays = 90

interface Looked {
  id: Id<'segment'>
  definition: SegmentDefinition
}

export interface Membership {
  inside: boolean
  /** Of somebody who is inside: since when; null when they were in it before the first look. */
  since: string | null
  /** When they came and went, newest first, at most ten. */
  changes: { at: string; entered: boolean }[]
}

/** Keeps who is in each segment, since when, and how many were in it day by day. */
export interface Memberships {
  start(): void
  stop(): void
  /** Looks at a segment that was just made or changed, beside whatever comes next. */
  lookSoon(segment: Looked): void
  /** Looks at one segment now. @returns how many came in and how many left since the last look */
  look(segment: Looked): Promise<{ entered: number; gone: number }>
  history(segment: Id<'segment'>): Promise<History>
  /** In which segments one person was when they were looked at last or ever before. */
  ofPerson(profile: string): Promise<Map<string, Membership>>
}

/**
 * @param needs.all every segment that is not put away
 * @param needs.upToDate brings up to date what definitions ask about that is kept elsewhere
 */
export function createMemberships(needs: {
  postgres: Postgres
  clickhouse: ClickHouse
  clock: Clock
  log: Log
  all: () => Promise<Looked[]>
  upToDate: (definition: SegmentDefinition) => Promise<void>
}): Memberships {
  const { postgres, clickhouse, clock, log } = needs
  let stopLooking = () => {}
  let restUntilMs = 0

  /** One look at a time: two at once would each say who came in. */
  let line: Promise<unknown> = Promise.resolve()
  function look(segment: Looked): Promise<{ entered: number; gone: number }> {
    const turn = line.then(() => lookNow(segment))
    line = turn.catch(() => undefined)
    return turn
  }
  async function lookNow({ id, definition }: Looked): Promise<{ entered: number; gone: number }> {
    await needs.upToDate(definition)
    const at = clock.now()
    const { sql, params } = compile(definition, at.getTime())
    // Whoever is found by the first look was in it before, nobody knows since when.
    const before = await postgres.query('SELECT 1 FROM segments.size WHERE segment_id = $1 LIMIT 1', [id])
    const since = before.length === 0 ? new Date(0) : at
    const asked = { ...params, segment: id, at: since.toISOString() }
    const had = `SELECT profile_id FROM segment_change WHERE segment_id = {segment:String} GROUP BY profile_id HAVING argMax(entered, at) = 1`
    await clickhouse.command(
      `INSERT INTO segment_change (segment_id, profile_id, at, entered)
       SELECT {segment:String}, profile_id, parseDateTime64BestEffort({at:String}, 3, 'UTC'), max(now_in)
         FROM (SELECT profile_id, 1 AS now_in, 0 AS was_in FROM (${sql}) UNION ALL SELECT profile_id, 0, 1 FROM (${had}))
        GROUP BY profile_id HAVING max(now_in) <> max(was_in)`,
      asked,
    )
    const [row] = await clickhouse.query<{ people: string; entered: string; gone: string }>(
      `SELECT toString(countIf(inside = 1)) AS people, toString(countIf(last = now AND inside = 1)) AS entered, toString(countIf(last = now AND inside = 0)) AS gone
         FROM (SELECT max(c.at) AS last, argMax(c.entered, c.at) AS inside, parseDateTime64BestEffort({at:String}, 3, 'UTC') AS now FROM segment_change AS c WHERE c.segment_id = {segment:String} GROUP BY c.profile_id)`,
      { segment: id, at: at.toISOString() },
    )
    const [people, entered, gone] = [Number(row?.people), Number(row?.entered), Number(row?.gone)]
    await postgres.query(
      `INSERT INTO segments.size AS s (segment_id, day, people, entered, gone, looked_at) VALUES ($1, ($2::timestamptz AT TIME ZONE 'UTC')::date, $3, $4, $5, $2)
       ON CONFLICT (segment_id, day) DO UPDATE SET people = excluded.people, entered = s.entered + excluded.entered, gone = s.gone + excluded.gone, looked_at = excluded.looked_at`,
      [id, at, people, entered, gone],
    )
    return { entered, gone }
  }

  const told = (segment: Looked) => (error: unknown) => {
    log.warn('It could not be looked who is in a segment; it is tried again.', { segment: segment.id, err: error })
  }

  return {
    look,
    lookSoon(segment) {
      look(segment).catch(told(segment))
    },
    start() {
      stopLooking = clock.every(
        lookEveryMs,
        async () => {
          // At most a fifth of the time: with many large segments one looks less often.
          if (clock.ms() < restUntilMs) return
          const began = clock.ms()
          for (const segment of await needs.all()) await look(segment).catch(told(segment))
          restUntilMs = clock.ms() + 4 * (clock.ms() - began)
        },
        (error) => {
          log.warn('It could not be looked who is in the segments; it is tried again.', { err: error })
        },
      )
    },
    stop() {
      stopLooking()
    },
    async history(id) {
      const rows = await postgres.query<{
        day: string
        people: number
        entered: number
        gone: number
        looked_at: Date
      }>(
        `SELECT to_char(day, 'YYYY-MM-DD') AS day, people, entered, gone, looked_at FROM segments.size WHERE segment_id = $1 AND day > ($2::timestamptz AT TIME ZONE 'UTC')::date - $3::int ORDER BY day`,
        [id, clock.now(), shownDays],
      )
      return {
        days: rows.map(({ day, people, entered, gone }) => ({ day, people, entered, gone })),
        lookedAt: rows.at(-1)?.looked_at.toISOString() ?? null,
      }
    },
    async ofPerson(profile) {
      const rows = await clickhouse.query<{ segment_id: string; ms: string; entered: number }>(
        `SELECT segment_id, toString(toUnixTimestamp64Milli(at)) AS ms, entered FROM segment_change WHERE profile_id = {profile:String} ORDER BY at DESC LIMIT 500`,
        { profile },
      )
      const of = new Map<string, Membership>()
      for (const row of rows) {
        const [entered, seen] = [row.entered === 1, Number(row.ms) > 0]
        const at = new Date(Number(row.ms)).toISOString()
        const known = of.get(row.segment_id) ?? { inside: entered, since: entered && seen ? at : null, changes: [] }
        of.set(row.segment_id, known)
        if (seen && known.changes.length < 10) known.changes.push({ at, entered })
      }
      return of
    },
  }
}
