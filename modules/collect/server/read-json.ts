import { storableText } from '../../../lib/json/storable.ts'
import type { Json } from '../contract.ts'

/**
 * JSON from outside as a value that every store takes and no key of which is a trap. Bytes that are not UTF-8 become
 * U+FFFD. @throws SyntaxError when it is not JSON
 */
export function readJson(bytes: Uint8Array): Json {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  const value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text) as Json
  return isSuspicious(text) ? harmless(exact(text, value)) : value
}

/** Escapes can hide what is looked for, and long digits lose their end in a double; all of it is rare, so it is looked for first. */
const isSuspicious = (text: string) =>
  text.includes('\\u') || text.includes('__proto__') || text.includes('constructor') || hasLongDigits(text)

const longDigits = 16
const isDigit = (code: number) => code >= 0x30 && code <= 0x39

/** Whether 16 digits stand in a row. Such a row covers a place whose number is a multiple of 16, so only these are looked at. */
function hasLongDigits(text: string): boolean {
  for (let at = longDigits - 1; at < text.length; at += longDigits) {
    if (!isDigit(text.charCodeAt(at))) continue
    let from = at
    let to = at
    while (isDigit(text.charCodeAt(from - 1))) from--
    while (isDigit(text.charCodeAt(to + 1))) to++
    if (to - from + 1 >= longDigits) return true
  }
  return false
}

/** Numbers that a double cannot hold, as text: an id of 20 digits must not become another person's. */
function exact(text: string, value: Json): Json {
  if (!/\d{16}/.test(text)) return value
  // The third argument (ECMAScript 2026, "JSON.parse source text access") is not in TypeScript's library yet.
  const withSource = JSON.parse as (
    text: string,
    reviver: (key: string, one: Json, from: { source?: string }) => Json,
  ) => Json
  return withSource(text, (_key, one, { source }) =>
    typeof one === 'number' && source !== undefined && /^-?\d{16,}$/.test(source) && !Number.isSafeInteger(one)
      ? source
      : one,
  )
}

/**
 * Without NUL (PostgreSQL refuses it in text), with whole surrogate pairs only (each store would mend half a pair in its
 * own way), without keys that reach the prototype.
 */
function harmless(value: Json): Json {
  if (typeof value === 'string') return storableText(value)
  if (Array.isArray(value)) return value.map(harmless)
  if (typeof value !== 'object' || value === null) return value
  const clean: { [key: string]: Json } = {}
  for (const [key, one] of Object.entries(value)) {
    const name = storableText(key)
    if (name === '__proto__') continue
    if (name === 'constructor' && typeof one === 'object' && one !== null && Object.hasOwn(one, 'prototype')) continue
    clean[name] = harmless(one)
  }
  return clean
}
