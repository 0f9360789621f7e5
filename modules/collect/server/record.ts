import type { Envelope } from './normalise.ts'

/**
 * One event in the journal: what came with it, then the bytes as the client sent them.
 *
 *     record = length of envelope:u32 envelope:JSON event:bytes
 */
export function encodeRecord(envelope: Uint8Array, event: Uint8Array): Uint8Array {
  const record = Buffer.allocUnsafe(4 + envelope.length + event.length)
  record.writeUInt32LE(envelope.length, 0)
  record.set(envelope, 4)
  record.set(event, 4 + envelope.length)
  return record
}

/** The same envelope serves all events of a request. */
export const encodeEnvelope = (envelope: Envelope): Uint8Array => Buffer.from(JSON.stringify(envelope))

/** Of the record before: the events of one request have the same, and to read it again for each costs as much as to store it. Nobody changes it. */
let last: { bytes: Buffer; envelope: Readonly<Envelope> } | undefined

export function decodeRecord(record: Uint8Array): { envelope: Readonly<Envelope>; event: Uint8Array } {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength)
  const end = 4 + bytes.readUInt32LE(0)
  if (last?.bytes.length !== end - 4 || bytes.compare(last.bytes, 0, last.bytes.length, 4, end) !== 0) {
    // We wrote it, under a checksum: it has the shape it had. A copy, because the record is a window on a whole piece of the journal.
    last = {
      bytes: Buffer.from(bytes.subarray(4, end)),
      envelope: JSON.parse(bytes.toString('utf8', 4, end)) as Envelope,
    }
  }
  return { envelope: last.envelope, event: bytes.subarray(end) }
}
