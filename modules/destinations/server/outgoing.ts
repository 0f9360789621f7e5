import { hash } from 'node:crypto'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { EventInFlight, TrackedEvent } from '../../collect/server/index.ts'
import type { Contract } from '../contract.ts'

/** An event as it is kept for delivery: whole, because the contract is applied when it leaves. */
export interface KeptEvent {
  event: TrackedEvent
  profileId?: string
}

/** One event on its way to one destination. */
export interface OutEvent extends KeptEvent {
  journalId: string
  position: number
  receivedMs: number
  bytes: number
}

/** The same for the same event, for ever: what a receiver deduplicates by. 160 bits of SHA-256 over source and message id. */
export function keyOf({ sourceId, messageId }: Pick<TrackedEvent, 'sourceId' | 'messageId'>): string {
  return `evt_${hash('sha256', `${sourceId} ${messageId}`, 'buffer').subarray(0, 20).toString('hex')}`
}

/** Whose order is kept: the person when known, else the best identifier that the event has. */
export function personOf({ event, profileId }: KeptEvent): string {
  return profileId ?? event.userId ?? event.anonymousId ?? event.previousId ?? event.messageId
}

/** Whether a contract is about an event. */
export function wants(contract: Pick<Contract, 'sources' | 'events'>, event: TrackedEvent): boolean {
  return (
    contract.sources.includes(event.sourceId) &&
    contract.events.some((one) => one.type === event.type && (one.name === null || one.name === event.name))
  )
}

const instant = (atMs: number) => new Date(atMs).toISOString().replace('T', ' ').replace('Z', '')

/** Keeps events of one sealed batch; the same token again keeps nothing twice. One insert, so a reader sees all of a batch or nothing. */
export async function keep(
  clickhouse: ClickHouse,
  batch: { token: string; journalId: string; events: readonly EventInFlight[] },
): Promise<void> {
  const rows = batch.events.map(({ event, position, profileId }) => ({
    journal_id: batch.journalId,
    position: String(position),
    source_id: event.sourceId,
    type: event.type,
    name: event.name,
    received_at: instant(event.receivedMs),
    body: JSON.stringify({ event, ...(profileId === undefined ? {} : { profileId }) } satisfies KeptEvent),
  }))
  await clickhouse.insert('outgoing', rows, { token: `${batch.token}-outgoing` })
}

const matching = `source_id IN {sources:Array(String)}
  AND (has({types:Array(String)}, type) OR has({named:Array(String)}, concat(type, ' ', name)))
  AND received_at >= fromUnixTimestamp64Milli({begins:Int64})`
const matchOf = (contract: Pick<Contract, 'sources' | 'events'>, beginsMs: number) => ({
  sources: contract.sources,
  types: contract.events.filter((one) => one.name === null).map((one) => one.type),
  named: contract.events.flatMap((one) => (one.name === null ? [] : [`${one.type} ${one.name}`])),
  begins: beginsMs,
})

export const journalsOf = async (clickhouse: ClickHouse): Promise<string[]> =>
  (
    await clickhouse.query<{ journal_id: string }>('SELECT DISTINCT journal_id FROM outgoing ORDER BY journal_id', {})
  ).map((row) => row.journal_id)

/**
 * The next events of one journal, in order: at most so many and so many bytes, but always one.
 * @param of.from the first position that may come
 */
export async function readKept(
  clickhouse: ClickHouse,
  of: { journalId: string; from: number; contract: Contract; beginsMs: number; events: number; bytes: number },
): Promise<OutEvent[]> {
  const rows = await clickhouse.query<{ position: string; received: string; body: string; bytes: string }>(
    `SELECT toString(position) AS position, toString(toUnixTimestamp64Milli(received_at)) AS received, body, toString(long) AS bytes
       FROM (SELECT position, received_at, body, length(body) AS long, sum(length(body)) OVER (ORDER BY position) AS upto
               FROM (SELECT position, received_at, body FROM outgoing
                      WHERE journal_id = {journal:String} AND position >= {from:UInt64} AND ${matching}
                      ORDER BY position LIMIT {limit:UInt32}))
      WHERE upto <= {bytes:UInt64} OR upto = long ORDER BY toUInt64(position)`,
    {
      journal: of.journalId,
      from: String(of.from),
      limit: of.events,
      bytes: of.bytes,
      ...matchOf(of.contract, of.beginsMs),
    },
  )
  return rows.map((row) => ({
    ...(JSON.parse(row.body) as KeptEvent),
    journalId: of.journalId,
    position: Number(row.position),
    receivedMs: Number(row.received),
    bytes: Number(row.bytes),
  }))
}

/** How many wait in one journal from a position on, and since when; those that arrived before `beforeMs`, when it is given. */
export async function waitingFrom(
  clickhouse: ClickHouse,
  of: { journalId: string; from: number; contract: Contract; beginsMs: number; beforeMs?: number },
): Promise<{ events: number; oldestMs: number; last: number }> {
  const [row] = await clickhouse.query<{ events: string; oldest: string; last: string }>(
    `SELECT toString(count()) AS events, toString(toUnixTimestamp64Milli(min(received_at))) AS oldest, toString(max(position)) AS last
       FROM outgoing WHERE journal_id = {journal:String} AND position >= {from:UInt64} AND ${matching}
        AND received_at < fromUnixTimestamp64Milli({before:Int64})`,
    {
      journal: of.journalId,
      from: String(of.from),
      before: of.beforeMs ?? 9_000_000_000_000,
      ...matchOf(of.contract, of.beginsMs),
    },
  )
  return { events: Number(row?.events ?? 0), oldestMs: Number(row?.oldest ?? 0), last: Number(row?.last ?? 0) }
}

/** Lets go of what arrived before an instant. */
export const forgetKept = (clickhouse: ClickHouse, beforeMs: number): Promise<void> =>
  clickhouse.command('DELETE FROM outgoing WHERE received_at < fromUnixTimestamp64Milli({before:Int64})', {
    before: beforeMs,
  })
