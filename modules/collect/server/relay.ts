import { hash } from 'node:crypto'
import { inSlices } from '../../../platform/clock/slices.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Journal, SealedBatch } from '../../../platform/journal/journal.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Secrets } from '../../../platform/secrets/secrets.ts'
import { decodeRecord, encodeEnvelope, encodeRecord } from './record.ts'
import type { RelayedBatch } from './relayed.ts'

/**
 * How a node that only takes events in hands them on to the one that stores them. A batch is sealed in the node's journal, so after any failure the very
 * same batch is sent again, and the other side knows it by journal and position.
 *
 *     body    = record*        record = length:u32 record of the journal (record.ts)
 *     headers = x-interlock-journal, x-interlock-from, x-interlock-to, x-interlock-at, x-interlock-tag
 */
export const relayPath = '/internal/relay'
/** Far below what one request may carry and what waits for a disk at once. */
const most = { records: 5_000, bytes: 4 * 1024 * 1024 }
/** A request is good for so long, so that one that was overheard cannot be kept; repeating it within that time changes nothing. */
const goodForMs = 5 * 60_000
const longestWaitMs = 15_000

type Headers = Record<string, string>

/** What the tag is over: all that decides what happens, and the bytes. */
const signedText = (headers: Readonly<Record<string, string | undefined>>, body: Uint8Array) =>
  ['journal', 'from', 'to', 'at'].map((name) => headers[`x-interlock-${name}`] ?? '').join(' ') +
  ` ${hash('sha256', body, 'hex')}`

/** @returns the request, signed with what both nodes know: INTERLOCK_SECRET_KEY */
export async function encodeRelay(
  batch: SealedBatch,
  journalId: string,
  needs: { secrets: Secrets; atMs: number },
): Promise<{ headers: Headers; body: Buffer }> {
  const parts: Uint8Array[] = []
  await inSlices(batch.records, ({ position, payload }) => {
    const { envelope, event } = decodeRecord(payload)
    // An event without a message id gets it here, where its position is its own: sent again it must be the same.
    const record = encodeRecord(
      encodeEnvelope({ ...envelope, assignedId: envelope.assignedId ?? `il-${journalId}-${position}` }),
      event,
    )
    const length = Buffer.allocUnsafe(4)
    length.writeUInt32LE(record.length)
    parts.push(length, record)
  })
  const body = Buffer.concat(parts)
  const headers: Headers = {
    'content-type': 'application/octet-stream',
    'x-interlock-journal': journalId,
    'x-interlock-from': String(batch.from),
    'x-interlock-to': String(batch.to),
    'x-interlock-at': String(needs.atMs),
  }
  return { headers: { ...headers, 'x-interlock-tag': needs.secrets.sign('relay', signedText(headers, body)) }, body }
}

/** @returns undefined when it is not from a node of this installation, or too old, or cut */
export function decodeRelay(
  headers: Readonly<Record<string, string | undefined>>,
  body: Buffer,
  needs: { secrets: Secrets; atMs: number },
): RelayedBatch | undefined {
  const { secrets, atMs } = needs
  if (!secrets.verify('relay', signedText(headers, body), headers['x-interlock-tag'] ?? '')) return undefined
  if (!(Math.abs(Number(headers['x-interlock-at']) - atMs) <= goodForMs)) return undefined
  const records: Uint8Array[] = []
  for (let at = 0; at < body.length;) {
    const end = at + 4 + body.readUInt32LE(at)
    records.push(body.subarray(at + 4, end))
    at = end
  }
  return {
    journalId: headers['x-interlock-journal'] ?? '',
    from: BigInt(headers['x-interlock-from'] ?? '0'),
    to: BigInt(headers['x-interlock-to'] ?? '0'),
    records,
  }
}

/**
 * Hands on what is in a node's journal, batch by batch, each until the other side has it on its disk.
 * @param send resolves when it answered that it has it
 */
export async function relay(
  needs: {
    journal: Journal
    clock: Clock
    log: Log
    secrets: Secrets
    send(request: { headers: Headers; body: Buffer }): Promise<void>
  },
  signal: AbortSignal,
): Promise<void> {
  const { journal, clock, log, secrets } = needs
  let batch: SealedBatch | undefined
  for (let tries = 0; !signal.aborted;) {
    try {
      batch ??= await journal.nextBatch(most, 1000, signal)
      if (batch === undefined) continue
      await needs.send(await encodeRelay(batch, journal.id, { secrets, atMs: clock.ms() }))
      await journal.confirm(batch)
      batch = undefined
      tries = 0
    } catch (error) {
      if (signal.aborted) return
      const waitMs = Math.min(longestWaitMs, 200 * 2 ** Math.min(tries++, 10))
      log.warn('Events could not be handed on; they wait here.', { error: String(error), waitMs })
      await clock.sleep(waitMs, signal)
    }
  }
}
