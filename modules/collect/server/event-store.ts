import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import { inSlices } from '../../../platform/clock/slices.ts'
import { quarantineReasons, type QuarantineReason, type Quarantined, type TrackedEvent } from '../contract.ts'
import type { Envelope } from './normalise.ts'

export interface StoredEvent {
  event: TrackedEvent
  position: bigint
  profileId: string | undefined
}

export interface PutAside {
  position: bigint
  envelope: Envelope
  raw: Uint8Array
  reason: QuarantineReason
  /** The error, for what only a step or the store found. */
  because?: string | undefined
  event: TrackedEvent | undefined
}

/** What DateTime64(3) holds. */
const [firstMs, lastMs] = [Date.UTC(1900, 0, 1), Date.UTC(2299, 11, 31)]
const dayMs = 86_400_000
const two = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))
const three = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, '0'))
let lastDay = { atMs: 0, text: '1970-01-01' }

/** `2026-11-24 09:30:00.000`. Four a row: the day is nearly always that of the row before, and `toISOString` costs ten times as much. */
function instant(atMs: number): string {
  const kept = Math.min(Math.max(Math.floor(atMs), firstMs), lastMs)
  const day = Math.floor(kept / dayMs) * dayMs
  if (day !== lastDay.atMs) lastDay = { atMs: day, text: new Date(day).toISOString().slice(0, 10) }
  const ms = kept - day
  const seconds = Math.floor(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  return `${lastDay.text} ${two[Math.floor(minutes / 60)] ?? ''}:${two[minutes % 60] ?? ''}:${two[seconds % 60] ?? ''}.${three[ms % 1000] ?? ''}`
}

const columns = [
  'source_id',
  'message_id',
  'type',
  'name',
  'user_id',
  'anonymous_id',
  'previous_id',
  'group_id',
  'profile_id',
  'external_ids',
  'time',
  'original_time',
  'sent_at',
  'received_at',
  'clamped',
  'traits',
  'properties',
  'context',
  'position',
]

/** In the order of the columns. */
const lineOf = ({ event, position, profileId }: StoredEvent) =>
  JSON.stringify([
    event.sourceId,
    event.messageId,
    event.type,
    event.name,
    event.userId ?? '',
    event.anonymousId ?? '',
    event.previousId ?? '',
    event.groupId ?? '',
    profileId ?? '',
    event.externalIds,
    instant(event.timeMs),
    instant(event.originalMs),
    instant(event.sentMs),
    instant(event.receivedMs),
    event.clamped ? 1 : 0,
    event.traits,
    event.properties,
    event.context,
    String(position),
  ])

/** ClickHouse refuses one insert that touches more than 100 months; a history import can. */
const monthsPerInsert = 90

/** Stores events of one sealed batch. The same token again stores nothing. */
export async function storeEvents(
  clickhouse: ClickHouse,
  token: string,
  events: readonly StoredEvent[],
): Promise<void> {
  const byMonth = new Map<string, StoredEvent[]>()
  for (const one of events) {
    const month = instant(one.event.timeMs).slice(0, 7)
    const some = byMonth.get(month)
    if (some === undefined) byMonth.set(month, [one])
    else some.push(one)
  }
  const months = [...byMonth.keys()].sort()
  for (let at = 0; at < months.length; at += monthsPerInsert) {
    const rows = months.slice(at, at + monthsPerInsert).flatMap((month) => byMonth.get(month) ?? [])
    const lines: string[] = []
    await inSlices(rows, (row) => {
      lines.push(lineOf(row))
    })
    await clickhouse.insertLines('event', columns, lines, { token: at === 0 ? token : `${token}-${at}` })
  }
}

export async function storePutAside(clickhouse: ClickHouse, token: string, some: readonly PutAside[]): Promise<void> {
  const rows = some.map((one) => ({
    source_id: one.envelope.sourceId,
    reason: one.reason,
    because: one.because ?? quarantineReasons[one.reason],
    type: one.event?.type ?? one.envelope.type ?? '',
    name: one.event?.name ?? '',
    message_id: one.event?.messageId ?? '',
    received_at: instant(one.envelope.receivedMs),
    position: String(one.position),
    envelope: JSON.stringify(one.envelope),
    raw: Buffer.from(one.raw).toString('utf8'),
    replayable: 1,
  }))
  await clickhouse.insert('quarantined', rows, { token: `${token}-aside` })
}

/** Counts per reason and the latest samples. */
export async function readPutAside(
  clickhouse: ClickHouse,
  filter: { sourceId?: string | undefined; reason?: string | undefined },
) {
  const where = `WHERE ({source:String} = '' OR source_id = {source:String}) AND ({reason:String} = '' OR reason = {reason:String})`
  const params = { source: filter.sourceId ?? '', reason: filter.reason ?? '' }
  const [reasons, samples] = await Promise.all([
    clickhouse.query<{ reason: string; events: string; last_at: string }>(
      `SELECT reason, count() AS events, max(received_at) AS last_at FROM quarantined ${where} GROUP BY reason ORDER BY events DESC, reason`,
      params,
    ),
    clickhouse.query<{
      position: string
      source_id: string
      reason: string
      because: string
      type: string
      name: string
      message_id: string
      received_at: string
      raw: string
    }>(
      `SELECT toString(position) AS position, source_id, reason, because, type, name, message_id, received_at, substringUTF8(raw, 1, 20000) AS raw
         FROM quarantined ${where} ORDER BY received_at DESC, position DESC LIMIT 50`,
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
    samples: samples.map((row): Quarantined => ({
      position: row.position,
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

const isoOf = (text: string) => `${text.replace(' ', 'T')}Z`
