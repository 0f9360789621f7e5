import { hash } from 'node:crypto'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Source, Sources } from '../../sources/server/index.ts'
import type { QuarantineReason } from '../contract.ts'
import { takeBack, waitingAside, type Waiting } from './event-store.ts'
import { lookAt, prepare, readBody, type Prepared, type Read } from './intake.ts'

/**
 * An event that was put aside, read once more by today's rules: the records for the journal, or undefined when it still is
 * not what it claims to be. Its time of arrival, its batch's envelope and its network stay what they were.
 */
async function readAgain(one: Waiting, source: Pick<Source, 'id' | 'kind'>): Promise<Prepared | undefined> {
  const { type, sentAt, context, integrations, via, ip = '', receivedMs } = one.envelope
  const arrived = { body: one.raw, type, via: `${via.replace(/ \(again\)$/, '')} (again)`, keys: [], ip, receivedMs }
  try {
    const looked = lookAt(arrived)
    // Somebody's array where an event belongs is no batch.
    if (looked.spans !== undefined) return undefined
    const read = await readBody({ body: one.raw, type: type ?? 'track' }, looked)
    const whole: Read = {
      ...read,
      envelope: {
        ...(sentAt === undefined ? {} : { sentAt }),
        ...(context === undefined ? {} : { context }),
        ...(integrations === undefined ? {} : { integrations }),
      },
    }
    const prepared = await prepare(whole, source, { ...arrived, assignedId: assignedIdOf(one) })
    return prepared.quarantined.length > 0 ? undefined : prepared
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** For an event without a message id: the same each time, so that being taken in twice stores it once. */
const assignedIdOf = ({ position, envelope, raw }: Waiting) =>
  `il-again-${hash('sha256', Buffer.concat([Buffer.from(`${position} ${envelope.sourceId} ${String(envelope.receivedMs)} `), raw]), 'hex').slice(0, 32)}`

/**
 * Takes what is an event by now out of the quarantine, a reason at a time: in the journal first, so that what is cut off in
 * between comes once more under the same message id and is stored once.
 * @param append on disk when it resolves
 */
export async function takeAgain(
  { clickhouse, sources }: { clickhouse: ClickHouse; sources: Pick<Sources, 'get'> },
  reason: QuarantineReason,
  append: (source: Source, receivedMs: number, prepared: Prepared) => Promise<void>,
): Promise<{ taken: number; left: number }> {
  const sum = { taken: 0, left: 0 }
  for (let after = '0'; ;) {
    const some = await waitingAside(clickhouse, reason, after, 500)
    const taken: string[] = []
    for (const one of some) {
      after = one.position
      const source = await sources.get(one.envelope.sourceId)
      const prepared = source === undefined ? undefined : await readAgain(one, source)
      if (source === undefined || prepared === undefined) continue
      await append(source, one.envelope.receivedMs, prepared)
      taken.push(one.position)
    }
    if (taken.length > 0) await takeBack(clickhouse, reason, taken)
    sum.taken += taken.length
    sum.left += some.length - taken.length
    if (some.length < 500) return sum
  }
}
