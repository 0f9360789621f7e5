import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Counts, Ledger } from '../contract.ts'
import { settleReplays, type Settled } from './replayed.ts'

export interface OutcomeCount {
  sourceId: string
  receivedMs: number
  /** `large` is no outcome either: the event has one of its own. `replayed` is none: it is the place in the journal that a replay took. Its event moved from quarantined to its new outcome. */
  outcome: 'stored' | 'deduplicated' | 'quarantined' | 'rejected' | 'replayed' | 'large'
  reason: string
  /** Negative for what is quarantined no more. */
  events: number
}

const hourMs = 3_600_000

/** Adds up outcomes per source, hour, outcome and reason. */
export function tallyOf() {
  const sums = new Map<string, OutcomeCount>()
  return {
    add(one: OutcomeCount): void {
      const receivedMs = one.receivedMs - (one.receivedMs % hourMs)
      const key = `${one.sourceId} ${receivedMs} ${one.outcome} ${one.reason}`
      const sum = sums.get(key)
      if (sum === undefined) sums.set(key, { ...one, receivedMs })
      else sum.events += one.events
    },
    take(): OutcomeCount[] {
      const all = [...sums.values()]
      sums.clear()
      return all
    },
  }
}

const addCounts = `
  INSERT INTO collect.outcome_count (source_id, hour, outcome, reason, events, journalled)
  SELECT source_id, hour, outcome, reason, events, $6
    FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::bigint[]) AS one (source_id, hour, outcome, reason, events)
   ORDER BY hour, source_id, outcome, reason
  ON CONFLICT (hour, source_id, outcome, reason, journalled) DO UPDATE SET events = outcome_count.events + excluded.events`

const valuesOf = (counts: readonly OutcomeCount[]) => [
  counts.map((one) => one.sourceId),
  counts.map((one) => new Date(one.receivedMs)),
  counts.map((one) => one.outcome),
  counts.map((one) => one.reason),
  counts.map((one) => one.events),
]

/**
 * Counts a batch of the journal once, however often it comes: the cursor and the counts move in one transaction.
 * @returns whether it was counted now
 */
export async function countBatch(
  postgres: Postgres,
  batch: { journalId: string; from: bigint; to: bigint },
  counts: readonly OutcomeCount[],
  settled: readonly Settled[] = [],
): Promise<boolean> {
  return postgres.transaction(async (tx) => {
    const moved = await tx.query(
      `INSERT INTO collect.counted (journal_id, first_position, position) VALUES ($1, $2, $3)
       ON CONFLICT (journal_id) DO UPDATE SET position = excluded.position WHERE counted.position = $2
       RETURNING position`,
      [batch.journalId, batch.from, batch.to],
    )
    if (moved.length === 0) return false
    // What is large is counted beside its outcome, not from a place in the journal.
    const [places, beside] = [
      counts.filter((one) => one.outcome !== 'large'),
      counts.filter((one) => one.outcome === 'large'),
    ]
    await tx.query(addCounts, [...valuesOf(places), true])
    if (beside.length > 0) await tx.query(addCounts, [...valuesOf(beside), false])
    await settleReplays(tx, settled)
    return true
  })
}

/** Counts requests that were turned away; they never had a position. */
export async function countRejected(postgres: Postgres, counts: readonly OutcomeCount[]): Promise<void> {
  if (counts.length > 0) await postgres.query(addCounts, [...valuesOf(counts), false])
}

/** The counts of all time, and how far the journals are counted, read at one instant. */
export interface Sums {
  /** Places in all journals that were counted. */
  positions: number
  /** Events of the journals that are in a count; equal to `positions` when everything adds up. */
  journalled: number
  /** How far this journal is counted; undefined when it never was. */
  countedTo: bigint | undefined
  /** Without `replayed`. */
  bySource: {
    sourceId: string
    outcome: Exclude<OutcomeCount['outcome'], 'replayed' | 'large'>
    events: number
    journalled: number
  }[]
}

export async function readSums(postgres: Postgres, journalId: string): Promise<Sums> {
  // One statement, so that counts and cursors are of one instant.
  const rows = await postgres.query<{
    what: 'positions' | 'counted' | 'count'
    source_id: string
    outcome: OutcomeCount['outcome']
    events: string
    journalled: string
  }>(
    `SELECT 'positions' AS what, '' AS source_id, '' AS outcome, coalesce(sum(position - first_position), 0) AS events, 0 AS journalled FROM collect.counted
     UNION ALL SELECT 'counted', '', '', position, 0 FROM collect.counted WHERE journal_id = $1
     UNION ALL SELECT 'count', source_id, outcome, sum(events), coalesce(sum(events) FILTER (WHERE journalled), 0)
       FROM collect.outcome_count GROUP BY source_id, outcome`,
    [journalId],
  )
  const sums: Sums = { positions: 0, journalled: 0, countedTo: undefined, bySource: [] }
  for (const row of rows) {
    if (row.what === 'positions') sums.positions = Number(row.events)
    else if (row.what === 'counted') sums.countedTo = BigInt(row.events)
    else {
      const { source_id: sourceId, outcome } = row
      const [events, journalled] = [Number(row.events), Number(row.journalled)]
      sums.journalled += journalled
      if (outcome !== 'replayed' && outcome !== 'large') sums.bySource.push({ sourceId, outcome, events, journalled })
    }
  }
  return sums
}

/** Everything counted so far, with what is on its way. */
export async function readLedger(
  postgres: Postgres,
  now: {
    atMs: number
    inFlight: ReadonlyMap<string, number>
    lastReceivedMs: ReadonlyMap<string, number>
    totalInFlight: number
  },
): Promise<Ledger> {
  const [sums, hours, [residue]] = await Promise.all([
    postgres.query<{ source_id: string; outcome: keyof Counts; events: string; last_day: string; last_hour: Date }>(
      `SELECT source_id, outcome, sum(events) AS events, coalesce(sum(events) FILTER (WHERE hour > $1), 0) AS last_day, max(hour) AS last_hour
         FROM collect.outcome_count WHERE outcome NOT IN ('replayed', 'large') GROUP BY source_id, outcome`,
      [new Date(now.atMs - 24 * hourMs)],
    ),
    postgres.query<{ source_id: string; hour: Date; outcome: string; reason: string; events: string }>(
      `SELECT source_id, hour, outcome, reason, sum(events) AS events FROM collect.outcome_count
        WHERE hour > $1 AND outcome NOT IN ('replayed', 'large') GROUP BY source_id, hour, outcome, reason HAVING sum(events) <> 0 ORDER BY hour, source_id, outcome, reason`,
      [new Date(now.atMs - 48 * hourMs)],
    ),
    postgres.query<{ residue: string }>(
      `SELECT (SELECT coalesce(sum(position - first_position), 0) FROM collect.counted)
            - (SELECT coalesce(sum(events), 0) FROM collect.outcome_count WHERE journalled) AS residue`,
    ),
  ])
  const bySource = new Map<string, Ledger['bySource'][number]>()
  const of = (sourceId: string) => {
    const found = bySource.get(sourceId) ?? { ...noCounts(), sourceId, last24Hours: 0, lastReceivedAt: null }
    bySource.set(sourceId, found)
    return found
  }
  const total = noCounts()
  for (const row of sums) {
    const one = of(row.source_id)
    one[row.outcome] += Number(row.events)
    one.received += Number(row.events)
    one.last24Hours += Number(row.last_day)
    one.lastReceivedAt = latest(one.lastReceivedAt, row.last_hour.toISOString())
    total[row.outcome] += Number(row.events)
    total.received += Number(row.events)
  }
  for (const [sourceId, events] of now.inFlight) {
    const one = of(sourceId)
    one.inFlight += events
    one.received += events
    one.last24Hours += events
  }
  for (const [sourceId, atMs] of now.lastReceivedMs) {
    const one = of(sourceId)
    one.lastReceivedAt = latest(one.lastReceivedAt, new Date(atMs).toISOString())
  }
  total.inFlight = now.totalInFlight
  total.received += now.totalInFlight
  return {
    total,
    bySource: [...bySource.values()],
    lost: Number(residue?.residue ?? 0),
    hours: hours.map((row) => ({
      sourceId: row.source_id,
      hour: row.hour.toISOString(),
      outcome: row.outcome,
      reason: row.reason,
      events: Number(row.events),
    })),
  }
}

const noCounts = (): Counts => ({ received: 0, stored: 0, deduplicated: 0, quarantined: 0, rejected: 0, inFlight: 0 })
const latest = (a: string | null, b: string) => (a === null || a < b ? b : a)
