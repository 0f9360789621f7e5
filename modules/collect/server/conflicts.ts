import { isDeepStrictEqual } from 'node:util'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Json, TrackedEvent } from '../contract.ts'
import { instant } from './event-store.ts'

/** An event that came under the message id of another one and says something else. */
export interface Conflict {
  sourceId: string
  messageId: string
  position: bigint
  won: bigint
  differs: string[]
  receivedMs: number
  raw: Uint8Array
}

/** So many events that lie further back are read again for one batch; what is beyond is deduplicated without a look. */
export const comparedPerBatch = 200
const rawKept = 8192
const pathsKept = 20

type Said = Pick<
  TrackedEvent,
  'type' | 'name' | 'userId' | 'anonymousId' | 'previousId' | 'groupId' | 'externalIds' | 'traits' | 'properties'
>

/**
 * What two events under one message id say differently, as paths. Times and context are left out: an SDK that tries again says another `sentAt`, and
 * may count its tries in the context.
 */
export function differencesOf(one: Said, other: Said): string[] {
  const found: string[] = []
  const plain = ['type', 'name', 'userId', 'anonymousId', 'previousId', 'groupId', 'externalIds'] as const
  for (const key of plain) if (!isDeepStrictEqual(one[key], other[key])) found.push(key)
  for (const key of ['traits', 'properties'] as const) {
    const [a, b]: Record<string, Json>[] = [one[key], other[key]]
    for (const name of new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})]))
      if (!isDeepStrictEqual(a?.[name], b?.[name])) found.push(`${key}.${name.slice(0, 100)}`)
  }
  return found.slice(0, pathsKept)
}

export async function storeConflicts(
  clickhouse: ClickHouse,
  token: string,
  journalId: string,
  some: readonly Conflict[],
): Promise<void> {
  const rows = some.map((one) => ({
    source_id: one.sourceId,
    message_id: one.messageId,
    journal_id: journalId,
    position: String(one.position),
    won: String(one.won),
    differs: one.differs,
    received_at: instant(one.receivedMs),
    raw: Buffer.from(one.raw.subarray(0, rawKept)).toString('utf8'),
  }))
  await clickhouse.insert('conflict', rows, { token: `${token}-conflict` })
}

/** Conflicts under one message id, the first fifty in the order in which they came. */
export async function conflictsOf(clickhouse: ClickHouse, sourceId: string, messageId: string) {
  const rows = await clickhouse.query<{ place: string; differs: string[]; received_at: string; raw: string }>(
    `SELECT toString(position) AS place, differs, received_at, raw FROM conflict
      WHERE source_id = {source:String} AND message_id = {message:String} ORDER BY position LIMIT 50`,
    { source: sourceId, message: messageId },
  )
  return rows.map((row) => ({
    position: row.place,
    differs: row.differs,
    receivedAt: `${row.received_at.replace(' ', 'T')}Z`,
    raw: row.raw,
  }))
}
