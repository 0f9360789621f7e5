import type { Json } from '../../collect/contract.ts'
import type { PropertyType } from '../contract.ts'

/**
 * What text must look like to be of a kind. Each looks once over at most a few hundred characters: nothing that a sender writes can make it slow.
 */

/** ISO 8601: a day, or a day and a time. A day that no calendar has is none. */
export function isTime(text: string): boolean {
  if (text.length > 40) return false
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/.exec(text)
  if (match === null) return false
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}

export function isEmail(text: string): boolean {
  if (text.length > 320) return false
  const at = text.indexOf('@')
  const domain = text.slice(at + 1)
  return at > 0 && !domain.includes('@') && /^[^\s.]+(?:\.[^\s.]+)+$/.test(domain) && !/\s/.test(text)
}

export const isCurrency = (text: string): boolean => text.length === 3 && /^[A-Z]{3}$/.test(text)

export const isUrl = (text: string): boolean => text.length <= 4096 && /^https?:\/\//i.test(text) && URL.canParse(text)

/** The narrowest type that all these values have. */
export function typeOfValues(values: readonly Json[]): PropertyType {
  const all = (test: (value: Json) => boolean) => values.length > 0 && values.every(test)
  if (all((value) => typeof value === 'boolean')) return 'boolean'
  if (all((value) => Number.isInteger(value))) return 'integer'
  if (all((value) => typeof value === 'number')) return 'number'
  if (all(Array.isArray)) return 'array'
  if (all((value) => typeof value === 'object')) return 'object'
  const text = (test: (value: string) => boolean) => all((value) => typeof value === 'string' && test(value))
  if (text(isEmail)) return 'email'
  if (text(isTime)) return 'time'
  if (text(isUrl)) return 'url'
  if (text(isCurrency)) return 'currency'
  return 'string'
}
