import { z } from 'zod'

declare const kindOfId: unique symbol

/** An identifier that names its kind: `tool_01m8…` (26 Crockford base-32 characters of a UUIDv7, so ids sort by age). */
export type Id<Kind extends string> = string & { readonly [kindOfId]: Kind }

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** The schema of an id of one kind, for contracts. */
export function idOf<Kind extends string>(kind: Kind) {
  return z
    .string()
    .regex(new RegExp(`^${kind}_[0-9a-hjkmnp-tv-z]{26}$`), `an id that starts with ${kind}_`)
    .transform((value) => value as Id<Kind>)
}

/**
 * A new id.
 * @param kind what it names, in snake_case
 * @param atMs the instant in milliseconds since 1970, the first 48 bits (RFC 9562 section 5.7)
 * @param randomness 10 random bytes
 */
export function makeId<Kind extends string>(kind: Kind, atMs: number, randomness: Uint8Array): Id<Kind> {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(atMs) << 16n)
  bytes.set(randomness.subarray(0, 10), 6)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return `${kind}_${base32(bytes)}` as Id<Kind>
}

/** Crockford base 32, most significant bit first, padded in front to whole characters: 16 bytes give 26 characters. */
function base32(bytes: Uint8Array): string {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  let text = ''
  for (let index = 0; index < 26; index++) {
    text = alphabet.charAt(Number(value & 31n)) + text
    value >>= 5n
  }
  return text
}

/** The 128 bits of an id, as four words, the first the oldest. */
export function wordsOf(id: string): [number, number, number, number] {
  let value = 0n
  for (const letter of id.slice(id.indexOf('_') + 1)) value = (value << 5n) | BigInt(alphabet.indexOf(letter))
  const word = (at: bigint) => Number((value >> at) & 0xffff_ffffn)
  return [word(96n), word(64n), word(32n), word(0n)]
}

/** The id of these 128 bits. */
export function idFrom<Kind extends string>(kind: Kind, words: readonly [number, number, number, number]): Id<Kind> {
  // From the last character on, five bits at a time, which is ten times as fast as one number of 128 bits.
  let text = ''
  for (let index = 25; index >= 0; index--) {
    const low = (25 - index) * 5
    const at = 3 - (low >>> 5)
    const shift = low & 31
    const bits = ((words[at] ?? 0) >>> shift) | (shift > 27 && at > 0 ? (words[at - 1] ?? 0) << (32 - shift) : 0)
    text = alphabet.charAt(bits & 31) + text
  }
  return `${kind}_${text}` as Id<Kind>
}
