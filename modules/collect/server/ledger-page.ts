import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Counts, LedgerPage } from '../contract.ts'
import { becauseOf } from './inspector.ts'
import { hourOf, type Arrivals } from './on-the-way.ts'

const hourMs = 3_600_000
/** Sources with a row of their own; the smallest beyond are one row, so that an answer is bounded. */
const sourcesShown = 100

/** Which hours, and of which source (all when it is not said). */
export interface LedgerChoice {
  source?: string | undefined
  /** How many hours, the last one included. */
  hours: number
  /** Within the last hour; now when it is not said. */
  until?: string | undefined
}

interface Row {
  sourceId: string
  hourMs: number
  outcome: keyof Counts | 'replayed' | 'large'
  reason: string
  events: number
}

const spanOf = (choice: LedgerChoice, nowMs: number) => {
  const said = Date.parse(choice.until ?? '')
  const last = hourOf(Number.isNaN(said) ? nowMs : said)
  return { from: last - (choice.hours - 1) * hourMs, to: last + hourMs }
}

/** The counts of a span of hours with what is on its way, the earliest first. */
async function readRows(
  postgres: Postgres,
  choice: LedgerChoice,
  now: { atMs: number; onTheWay: readonly Arrivals[] },
): Promise<Row[]> {
  const { from, to } = spanOf(choice, now.atMs)
  const rows = await postgres.query<{
    source_id: string
    hour: Date
    outcome: Row['outcome']
    reason: string
    events: string
  }>(
    `SELECT source_id, hour, outcome, reason, sum(events) AS events FROM collect.outcome_count
      WHERE hour >= $1 AND hour < $2 AND ($3::text IS NULL OR source_id = $3)
      GROUP BY source_id, hour, outcome, reason HAVING sum(events) <> 0 ORDER BY hour, source_id, outcome, reason`,
    [new Date(from), new Date(to), choice.source ?? null],
  )
  const waiting = now.onTheWay.filter(
    (one) => one.hourMs >= from && one.hourMs < to && (choice.source === undefined || one.sourceId === choice.source),
  )
  return [
    ...rows.map(({ source_id, hour, outcome, reason, events }) => ({
      sourceId: source_id,
      hourMs: hour.getTime(),
      outcome,
      reason,
      events: Number(events),
    })),
    ...waiting.map((one): Row => ({ ...one, outcome: 'inFlight', reason: '' })),
  ]
}

/** What was received in a span of hours and what became of it: in all, by source, by hour, by reason. */
export async function readLedgerPage(
  postgres: Postgres,
  choice: LedgerChoice,
  now: { atMs: number; onTheWay: readonly Arrivals[] },
): Promise<Omit<LedgerPage, 'alarm' | 'lookedAt'>> {
  const { from, to } = spanOf(choice, now.atMs)
  const rows = await readRows(postgres, choice, now)
  const hours = Array.from({ length: choice.hours }, (_none, index) => from + index * hourMs)
  const bySource = new Map<string, Counts & { sourceId: string; perHour: Counts[] }>()
  const perHour = hours.map(noCounts)
  const total = noCounts()
  const reasons = new Map<string, LedgerPage['reasons'][number]>()
  const replayed = { events: 0, again: 0 }
  let large = 0
  for (const row of rows) {
    if (row.outcome === 'replayed') {
      if (row.reason === 'again') replayed.again += row.events
      else replayed.events += row.events
      continue
    }
    if (row.outcome === 'large') {
      large += row.events
      continue
    }
    const at = Math.round((row.hourMs - from) / hourMs)
    const source = bySource.get(row.sourceId) ?? { sourceId: row.sourceId, ...noCounts(), perHour: hours.map(noCounts) }
    bySource.set(row.sourceId, source)
    for (const sum of [total, source, perHour[at], source.perHour[at]]) {
      if (sum === undefined) continue
      sum[row.outcome] += row.events
      sum.received += row.events
    }
    if (row.reason !== '') {
      const key = `${row.outcome} ${row.reason}`
      const sum = reasons.get(key)
      if (sum === undefined)
        reasons.set(key, {
          outcome: row.outcome,
          reason: row.reason,
          because: becauseOf(row.reason),
          events: row.events,
        })
      else sum.events += row.events
    }
  }
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    total,
    replayed,
    large,
    sources: shown([...bySource.values()].sort((a, b) => b.received - a.received)),
    hours: hours.map((ms, index) => ({ hour: new Date(ms).toISOString(), ...(perHour[index] ?? noCounts()) })),
    reasons: [...reasons.values()].filter((one) => one.events !== 0).sort((a, b) => b.events - a.events),
  }
}

/** How many events were received in each hour from an instant on, what is on its way included, the earliest first. */
export async function receivedByHour(
  postgres: Postgres,
  fromMs: number,
  onTheWay: readonly Arrivals[],
): Promise<{ hourMs: number; events: number }[]> {
  const rows = await postgres.query<{ hour: Date; events: string }>(
    `SELECT hour, sum(events) AS events FROM collect.outcome_count
      WHERE hour >= $1 AND outcome NOT IN ('replayed', 'large') GROUP BY hour HAVING sum(events) > 0`,
    [new Date(fromMs)],
  )
  const hours = new Map(rows.map(({ hour, events }) => [hour.getTime(), Number(events)]))
  for (const { hourMs, events } of onTheWay) if (hourMs >= fromMs) hours.set(hourMs, (hours.get(hourMs) ?? 0) + events)
  return [...hours].sort(([a], [b]) => a - b).map(([hourMs, events]) => ({ hourMs, events }))
}

function shown(sources: LedgerPage['sources']): LedgerPage['sources'] {
  const others = sources.slice(sourcesShown)
  if (others.length === 0) return sources
  const sum = { sourceId: 'others', ...noCounts(), perHour: (others[0]?.perHour ?? []).map(noCounts) }
  const add = (to: Counts | undefined, one: Counts | undefined) => {
    if (to === undefined || one === undefined) return
    for (const key of Object.keys(noCounts()) as (keyof Counts)[]) to[key] += one[key]
  }
  for (const one of others) {
    add(sum, one)
    for (const [at, hour] of one.perHour.entries()) add(sum.perHour[at], hour)
  }
  return [...sources.slice(0, sourcesShown), sum]
}

/** The same counts as lines of CSV: one for each hour, source, outcome and reason. */
export async function* ledgerLines(
  postgres: Postgres,
  choice: LedgerChoice,
  now: { atMs: number; onTheWay: readonly Arrivals[] },
  nameOf: (sourceId: string) => string,
): AsyncGenerator<string> {
  yield 'hour,source_id,source,outcome,reason,events\r\n'
  for (const row of await readRows(postgres, choice, now)) {
    const cells = [
      new Date(row.hourMs).toISOString(),
      row.sourceId,
      nameOf(row.sourceId),
      row.outcome === 'inFlight' ? 'in flight' : row.outcome,
      row.reason,
      String(row.events),
    ]
    yield `${cells.map(cell).join(',')}\r\n`
  }
}

/** In quotes where needed; what a spreadsheet would take for a formula is text. */
function cell(text: string): string {
  const safe = /^[=+@\t]|^-\D/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

const noCounts = (): Counts => ({ received: 0, stored: 0, deduplicated: 0, quarantined: 0, rejected: 0, inFlight: 0 })
