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

export function decodeRecord(record: Uint8Array): { envelope: Envelope; event: Uint8Array } {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength)
  const length = bytes.readUInt32LE(0)
  // We wrote it, under a checksum: it has the shape it had.
  const envelope = JSON.parse(bytes.toString('utf8', 4, 4 + length)) as Envelope
  return { envelope, event: bytes.subarray(4 + length) }
}
