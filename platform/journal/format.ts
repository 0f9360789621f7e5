import { crc32c } from '../../lib/crc32c/crc32c.ts'

/**
 * The bytes of a segment. All numbers are little-endian.
 *
 *     segment = header record*
 *     header  = "ILJ1" crc:u32 version:u32 chain:u32 base:u64 journal:16 bytes          40 bytes
 *     record  = "ILJr" crc:u32 length:u32 before:u32 flush:u32 payload                  20 bytes + payload
 *
 * `before` is the checksum of the record before (for the first: `chain`, the last checksum of the segment before), so no
 * record can be lost, doubled or exchanged without notice. The top bit of `length` says that the same append goes on with
 * the next record. `flush` is the offset at which the flush that wrote this record began: a later flush only starts when
 * the one before is on disk, so a valid record proves that everything before its `flush` once was whole. That is what
 * tells a torn tail (normal after a power cut, never acknowledged) from damage (never normal).
 */
export const headerBytes = 40
export const recordBytes = 20
const segmentMagic = 0x314a4c49
const recordMagic = 0x724a4c49
const goesOn = 0x80000000

/** The largest payload, so that a damaged length is seen as one. */
export const largestPayload = 16 * 1024 * 1024

export interface SegmentHeader {
  journal: string
  /** Position of the first record. */
  base: number
  /** Checksum of the last record before it. */
  chain: number
}

export function encodeHeader(header: SegmentHeader): Uint8Array {
  const bytes = Buffer.alloc(headerBytes)
  bytes.writeUInt32LE(segmentMagic, 0)
  bytes.writeUInt32LE(1, 8)
  bytes.writeUInt32LE(header.chain, 12)
  bytes.writeBigUInt64LE(BigInt(header.base), 16)
  bytes.write(header.journal, 24, 'hex')
  bytes.writeUInt32LE(crc32c(bytes, 8), 4)
  return bytes
}

/** The header, or undefined when it is not whole. */
export function decodeHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < headerBytes) return undefined
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, headerBytes)
  if (view.readUInt32LE(0) !== segmentMagic || view.readUInt32LE(4) !== crc32c(view, 8)) return undefined
  return {
    journal: view.toString('hex', 24, 40),
    base: Number(view.readBigUInt64LE(16)),
    chain: view.readUInt32LE(12),
  }
}

/** Writes one record into `into` at `at`. @returns its checksum, the `before` of the next */
export function encodeRecord(
  into: Buffer,
  at: number,
  record: { payload: Uint8Array; before: number; flush: number; more: boolean },
): number {
  const { payload } = record
  into.writeUInt32LE(recordMagic, at)
  into.writeUInt32LE((payload.length | (record.more ? goesOn : 0)) >>> 0, at + 8)
  into.writeUInt32LE(record.before, at + 12)
  into.writeUInt32LE(record.flush, at + 16)
  into.set(payload, at + recordBytes)
  const crc = crc32c(into, at + 8, at + recordBytes + payload.length)
  into.writeUInt32LE(crc, at + 4)
  return crc
}

export interface RecordAt {
  payload: Uint8Array
  crc: number
  before: number
  flush: number
  more: boolean
  /** Offset after it. */
  end: number
}

/** The record at an offset, whether it belongs there or not; undefined when none is whole there. */
export function decodeRecord(bytes: Buffer, at: number): RecordAt | undefined {
  if (at + recordBytes > bytes.length || bytes.readUInt32LE(at) !== recordMagic) return undefined
  const word = bytes.readUInt32LE(at + 8)
  const length = word & ~goesOn
  const end = at + recordBytes + length
  if (length > largestPayload || end > bytes.length) return undefined
  const crc = bytes.readUInt32LE(at + 4)
  if (crc32c(bytes, at + 8, end) !== crc) return undefined
  return {
    payload: bytes.subarray(at + recordBytes, end),
    crc,
    before: bytes.readUInt32LE(at + 12),
    flush: bytes.readUInt32LE(at + 16),
    more: (word & goesOn) !== 0,
    end,
  }
}

export interface Scanned {
  header: SegmentHeader | undefined
  /** Offsets of the records that are whole and belong there, ending with a complete append. */
  offsets: number[]
  /** Offset after the last of them: where the next flush goes. */
  end: number
  /** Checksum of the last of them. */
  chain: number
  /** Bytes after `end` that are not whole records of a complete append. */
  rest: number
  /** A whole record of a later flush stands after `end`: what lies between was once on disk and is damaged now. */
  damaged: boolean
}

/** Reads a whole segment. Costs one checksum over its bytes (about 1 GB/s). */
export function scanSegment(raw: Uint8Array): Scanned {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
  const header = decodeHeader(bytes)
  if (header === undefined) {
    return {
      header,
      offsets: [],
      end: 0,
      chain: 0,
      rest: bytes.length,
      damaged: wholeRecordAfter(bytes, 0) !== undefined,
    }
  }
  const offsets: number[] = []
  let complete = { records: 0, end: headerBytes, chain: header.chain }
  let at = headerBytes
  let chain = header.chain
  for (;;) {
    const record = decodeRecord(bytes, at)
    if (record === undefined || record.before !== chain || record.flush > at) break
    offsets.push(at)
    at = record.end
    chain = record.crc
    if (!record.more) complete = { records: offsets.length, end: at, chain }
  }
  offsets.length = complete.records
  const rest = bytes.length - complete.end
  const witness = rest === 0 ? undefined : wholeRecordAfter(bytes, at)
  return {
    header,
    offsets,
    end: complete.end,
    chain: complete.chain,
    rest,
    damaged: witness !== undefined && witness.flush > at,
  }
}

/** Offsets of all whole records at or after an offset, wherever they are, found by their magic number. */
export function wholeRecords(raw: Uint8Array, from: number): number[] {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
  const magic = Buffer.alloc(4)
  magic.writeUInt32LE(recordMagic, 0)
  const offsets: number[] = []
  for (let at = bytes.indexOf(magic, from); at !== -1;) {
    const record = decodeRecord(bytes, at)
    if (record !== undefined) offsets.push(at)
    at = bytes.indexOf(magic, record === undefined ? at + 1 : record.end)
  }
  return offsets
}

/** Of those, the one of the latest flush: it knows best how much was once on disk before it. */
function wholeRecordAfter(bytes: Buffer, from: number): RecordAt | undefined {
  let found: RecordAt | undefined
  for (const at of wholeRecords(bytes, from)) {
    const record = decodeRecord(bytes, at)
    if (record !== undefined && (found === undefined || record.flush > found.flush)) found = record
  }
  return found
}

/** `segment-00000000000000000042.log`: sorts by the position of its first record. */
export const segmentName = (base: number): string => `segment-${String(base).padStart(20, '0')}.log`
export function baseOfName(name: string): number | undefined {
  const digits = /^segment-(\d{20})\.log$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
