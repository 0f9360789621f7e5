import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import { inSlices } from '../../../platform/clock/slices.ts'
import { createRowBinary, type RowBinary } from '../../../lib/row-binary/row-binary.ts'
import { quarantineReasons, type QuarantineReason, type TrackedEvent } from '../contract.ts'
import type { Envelope } from './normalise.ts'

export interface StoredEvent {
  event: TrackedEvent
  position: bigint
  profileId: string | undefined
  anchor: number | undefined
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

const withinMs = (atMs: number) => Math.min(Math.max(Math.floor(atMs), firstMs), lastMs)

/** `2026-11-24 09:30:00.000`. Four a row: the day is nearly always that of the row before, and `toISOString` costs ten times as much. */
export function instant(atMs: number): string {
  const kept = withinMs(atMs)
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
  'anchor',
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
const lineOf = ({ event, position, profileId, anchor }: StoredEvent) =>
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
    anchor ?? 0,
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

/** @returns false when something in it can only be said as text */
function writeRow(rows: RowBinary, { event, position, profileId, anchor }: StoredEvent): boolean {
  rows.text(event.sourceId)
  rows.text(event.messageId)
  rows.text(event.type)
  rows.text(event.name)
  rows.text(event.userId ?? '')
  rows.text(event.anonymousId ?? '')
  rows.text(event.previousId ?? '')
  rows.text(event.groupId ?? '')
  rows.text(profileId ?? '')
  rows.whole(anchor ?? 0)
  rows.count(event.externalIds.length)
  for (const { type, value } of event.externalIds) {
    rows.text(type)
    rows.text(value)
  }
  rows.whole(withinMs(event.timeMs))
  rows.whole(withinMs(event.originalMs))
  rows.whole(withinMs(event.sentMs))
  rows.whole(withinMs(event.receivedMs))
  rows.byte(event.clamped ? 1 : 0)
  if (!rows.json(event.traits) || !rows.json(event.properties) || !rows.json(event.context)) return false
  rows.whole(Number(position))
  return true
}

/** What an event of a batch usually takes. */
const usualBytes = 900

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
    const options = { token: at === 0 ? token : `${token}-${at}` }
    const binary = createRowBinary(rows.length * usualBytes)
    let fits = true
    await inSlices(rows, (row) => {
      fits &&= writeRow(binary, row)
    })
    if (fits) await clickhouse.insertBinary('event', columns, binary.bytes(), options)
    else await clickhouse.insertLines('event', columns, await linesOf(rows), options)
  }
}

async function linesOf(rows: readonly StoredEvent[]): Promise<string[]> {
  const lines: string[] = []
  await inSlices(rows, (row) => {
    lines.push(lineOf(row))
  })
  return lines
}

export async function storePutAside(
  clickhouse: ClickHouse,
  token: string,
  journalId: string,
  some: readonly PutAside[],
): Promise<void> {
  const rows = some.map((one) => ({
    source_id: one.envelope.sourceId,
    reason: one.reason,
    because: one.because ?? quarantineReasons[one.reason],
    type: one.event?.type ?? one.envelope.type ?? '',
    name: one.event?.name ?? '',
    message_id: one.event?.messageId ?? '',
    received_at: instant(one.envelope.receivedMs),
    position: String(one.position),
    journal_id: journalId,
    envelope: JSON.stringify(one.envelope),
    raw: Buffer.from(one.raw).toString('utf8'),
    replayable: 1,
  }))
  await clickhouse.insert('quarantined', rows, { token: `${token}-aside` })
}
