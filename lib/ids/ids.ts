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
