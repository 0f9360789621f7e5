/**
 * CRC32C (Castagnoli, polynomial 0x1EDC6F41 reflected), the checksum of iSCSI, RFC 3720 appendix B.4. Node carries only
 * CRC32 (zlib), which misses more of the short bursts that disks make.
 * Slicing by eight (Kounavis and Berry, 2005): eight table look-ups for eight bytes, about 1 GB/s in V8.
 */
const tables: Int32Array[] = Array.from({ length: 8 }, () => new Int32Array(256))
const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
]
for (let byte = 0; byte < 256; byte++) {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  t0[byte] = crc
}
for (let byte = 0; byte < 256; byte++) {
  let crc = t0[byte] ?? 0
  for (const table of tables.slice(1)) {
    crc = (t0[crc & 0xff] ?? 0) ^ (crc >>> 8)
    table[byte] = crc
  }
}

/**
 * @param bytes what to sum, from `from` to before `to`
 * @param before the checksum of what came before, to continue it
 * @returns an unsigned 32-bit number
 */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length, before = 0): number {
  let crc = ~before
  let at = from
  // Every index is below 256 and inside the bytes, so the casts only tell the compiler what the masks guarantee.
  for (const last = to - 8; at <= last; at += 8) {
    const low =
      crc ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24))
    crc =
      (t7[low & 0xff] as number) ^
      (t6[(low >>> 8) & 0xff] as number) ^
      (t5[(low >>> 16) & 0xff] as number) ^
      (t4[low >>> 24] as number) ^
      (t3[bytes[at + 4] as number] as number) ^
      (t2[bytes[at + 5] as number] as number) ^
      (t1[bytes[at + 6] as number] as number) ^
      (t0[bytes[at + 7] as number] as number)
  }
  for (; at < to; at++) crc = (t0[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8)
  return ~crc >>> 0
}
