import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import { quarantineReasons, type QuarantineReason, type Quarantined } from '../contract.ts'
import { instant } from './event-store.ts'
import type { Envelope } from './normalise.ts'

/** Which of what was put aside; what is not said is all. */
export interface Choice {
  source?: string | undefined
  reason?: string | undefined
  type?: string | undefined
  name?: string | undefined
}

/** A row of the quarantine, enough to take it in again. */
export interface AsideRow {
  journalId: string
  position: string
  sourceId: string
  reason: QuarantineReason
  name: string
  messageId: string
  envelope: Envelope
  raw: string
}

/** What is in quarantine still: what was replayed is not. */
const still = `(journal_id, position) NOT IN (SELECT journal_id, position FROM replayed)`
const chosen = `({source:String} = '' OR source_id = {source:String}) AND ({reason:String} = '' OR reason = {reason:String})
  AND ({type:String} = '' OR type = {type:String}) AND (NOT {named:Bool} OR name = {name:String})`
const paramsOf = (choice: Choice) => ({
  source: choice.source ?? '',
  reason: choice.reason ?? '',
  type: choice.type ?? '',
  named: choice.name !== undefined,
  name: choice.name ?? '',
})

/** Counts per reason and event, and the latest samples. The counts per reason and event are of all, so that one can choose among them. */
export async function readPutAside(clickhouse: ClickHouse, choice: Choice) {
  const params = paramsOf(choice)
  const ofSource = { ...params, reason: '', type: '', named: false, name: '' }
  const [reasons, names, [matched], samples] = await Promise.all([
    clickhouse.query<{ reason: string; events: string; last_at: string }>(
      `SELECT reason, count() AS events, max(received_at) AS last_at FROM quarantined WHERE ${chosen} AND ${still}
        GROUP BY reason ORDER BY events DESC, reason`,
      ofSource,
    ),
    clickhouse.query<{ type: string; name: string; events: string }>(
      `SELECT type, name, count() AS events FROM quarantined WHERE ${chosen} AND ${still}
        GROUP BY type, name ORDER BY events DESC, type, name LIMIT 100`,
      { ...ofSource, reason: params.reason },
    ),
    clickhouse.query<{ events: string }>(
      `SELECT count() AS events FROM quarantined WHERE ${chosen} AND ${still}`,
      params,
    ),
    clickhouse.query<{
      place: string
      source_id: string
      reason: string
      because: string
      type: string
      name: string
      message_id: string
      received_at: string
      raw: string
    }>(
      `SELECT toString(position) AS place, source_id, reason, because, type, name, message_id, received_at, substringUTF8(raw, 1, 20000) AS raw
         FROM quarantined WHERE ${chosen} AND ${still} ORDER BY received_at DESC, position DESC LIMIT 50`,
      params,
    ),
  ])
  return {
    reasons: reasons.map((row) => ({
      reason: row.reason,
      because: quarantineReasons[row.reason as QuarantineReason] ?? '',
      events: Number(row.events),
      lastAt: isoOf(row.last_at),
    })),
    names: names.map((row) => ({ type: row.type, name: row.name, events: Number(row.events) })),
    matched: Number(matched?.events ?? 0),
    samples: samples.map((row): Quarantined => ({
      position: row.place,
      sourceId: row.source_id,
      reason: row.reason,
      because: row.because,
      type: row.type,
      name: row.name,
      messageId: row.message_id,
      receivedAt: isoOf(row.received_at),
      raw: row.raw,
    })),
  }
}

/** Only what was put aside before this place, so that a replay does not meet what it puts aside itself. */
const before = `(journal_id <> {journal:String} OR position < {before:UInt64})`

/** How many rows a replay of this choice would meet. */
export async function countChosen(
  clickhouse: ClickHouse,
  choice: Choice,
  until: { journalId: string; position: bigint },
): Promise<number> {
  const [row] = await clickhouse.query<{ events: string }>(
    `SELECT count() AS events FROM quarantined WHERE ${chosen} AND ${still} AND ${before}`,
    { ...paramsOf(choice), journal: until.journalId, before: String(until.position) },
  )
  return Number(row?.events ?? 0)
}

/** The next rows of a choice, in the order of (journal, position), after a place. */
export async function nextChosen(
  clickhouse: ClickHouse,
  choice: Choice,
  until: { journalId: string; position: bigint },
  after: { journalId: string; position: bigint },
  limit: number,
): Promise<AsideRow[]> {
  const rows = await clickhouse.query<{
    journal_id: string
    place: string
    source_id: string
    reason: string
    name: string
    message_id: string
    envelope: string
    raw: string
  }>(
    `SELECT journal_id, toString(position) AS place, source_id, reason, name, message_id, envelope, raw FROM quarantined
      WHERE ${chosen} AND ${still} AND ${before}
        AND (journal_id > {at_journal:String} OR journal_id = {at_journal:String} AND toInt64(position) > {at_position:Int64})
      ORDER BY journal_id, position LIMIT {limit:UInt32}`,
    {
      ...paramsOf(choice),
      journal: until.journalId,
      before: String(until.position),
      at_journal: after.journalId,
      at_position: String(after.position),
      limit,
    },
  )
  return rows.map((row) => ({
    journalId: row.journal_id,
    position: row.place,
    sourceId: row.source_id,
    reason: row.reason as QuarantineReason,
    name: row.name,
    messageId: row.message_id,
    // We wrote it: it has the shape it had.
    envelope: JSON.parse(row.envelope) as Envelope,
    raw: row.raw,
  }))
}

/** These rows are in quarantine no more. The same token again changes nothing. */
export async function markReplayed(
  clickhouse: ClickHouse,
  token: string,
  rows: readonly { journalId: string; position: string; receivedMs: number }[],
): Promise<void> {
  await clickhouse.insert(
    'replayed',
    rows.map((row) => ({ journal_id: row.journalId, position: row.position, at: instant(row.receivedMs) })),
    { token: `${token}-replayed` },
  )
}

const isoOf = (text: string) => `${text.replace(' ', 'T')}Z`
