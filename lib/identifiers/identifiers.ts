import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/min'

/** An identifier as sources send it, or normalised: `type` in small letters. */
export interface Identifier {
  type: string
  value: string
}

/** Lower is stronger. What a company gives out comes before what a person has several of, and that before what a device has. */
const priorities: Readonly<Record<string, number>> = {
  user_id: 1,
  email: 30,
  phone: 40,
  device_id: 50,
  anonymous_id: 60,
}
export function priorityOf(type: string): number {
  return priorities[type] ?? 10
}

/** How many values of a type one profile may have before a further one is proof of another person. */
export function limitOf(type: string): number {
  if (type === 'email' || type === 'phone') return 5
  if (type === 'anonymous_id' || type === 'device_id') return Number.POSITIVE_INFINITY
  return 1
}

/** Whether one person has only one of it, for ever: a second one is a second person. */
export const isAlone = (type: string) => limitOf(type) === 1

/** What programs send when they know nothing: such a value would make one person of everybody. */
const blocked = new Set([
  '',
  '-1',
  'null',
  '(null)',
  'undefined',
  'nan',
  'none',
  'nil',
  'n/a',
  'na',
  'unknown',
  'anonymous',
  'guest',
  'default',
  'true',
  'false',
  'test',
  'admin',
  'user',
  'root',
  '[object object]',
  '0',
  'email@example.com',
  'test@test.com',
  'noreply@example.com',
])

/** A value that stands for nobody: blank, zeros and dashes, words for nothing, templates that were not filled in. */
export function isBlocked(value: string): boolean {
  const text = value.trim().toLowerCase()
  return (
    blocked.has(text) ||
    /^[0\s.-]*$/.test(text) ||
    /\{\{.*\}\}|\$\{.*\}|%%.*%%/.test(text) ||
    text.startsWith('test@') ||
    text.length > 1_024
  )
}

/**
 * One form for what is the same: NFKC, trimmed; e-mail in small letters (no dots or plus-tags removed: that is a guess, not a rule); telephone as
 * E.164. Undefined when it is blocked or no such thing.
 * @param country ISO 3166, for telephone numbers without a country prefix
 */
export function normalise(identifier: Identifier, country?: string): Identifier | undefined {
  const value = identifier.value.normalize('NFKC').replaceAll('\u0000', '').trim()
  if (isBlocked(value)) return undefined
  const type = identifier.type.toLowerCase()
  if (type === 'email') {
    const address = value.toLowerCase()
    return /^[^\s@<>"]+@[^\s@<>"]+\.[^\s@<>"]{2,}$/u.test(address) && address.length <= 254
      ? { type, value: address }
      : undefined
  }
  if (type === 'phone') {
    const phone = parsePhoneNumberFromString(value.replace(/^00/, '+'), country as CountryCode | undefined)
    return phone?.isPossible() === true ? { type, value: phone.number } : undefined
  }
  return { type, value }
}
