import { shortNames } from './short-names.ts'
import { soundex } from './similarity.ts'

/** What a compared field can be: how it is cleaned, by which keys it blocks, and how two values that differ are compared. */
export interface KindOf {
  /** The value that is compared, of what was written: folded, and '' when it says nothing. Cleaning it again changes nothing. */
  clean(raw: string): string
  /** How values that differ are compared; its levels are those of `words` between the first and the last. */
  compare: Compare
  /** The levels in words, from 1: they differ, … , they are the same. */
  words: readonly string[]
  /** Two who share a rare value are more surely one than two who share a frequent one. */
  byFrequency: boolean
  /** What records are compared for, each implied by those before it; '' is none. */
  keys: readonly Key[]
  /** Part of a value of its own meaning: values that differ may agree in it. */
  part?: (value: string) => string
  /** A second one. */
  otherPart?: (value: string) => string
}

/** `steps`: similarities (or distances) at which a level is reached, in the order of the levels. */
export type Compare =
  | { by: 'nothing' }
  | { by: 'letters'; steps: readonly number[] }
  | { by: 'words'; steps: readonly number[] }
  | { by: 'slip' }
  | { by: 'givenName' }
  | { by: 'date' }
  | { by: 'email' }
  | { by: 'postcode' }

export interface Key {
  name: string
  of(value: string): string
}

export type Kind = keyof typeof kinds

const letters: Readonly<Record<string, string>> = {
  ł: 'l',
  ø: 'o',
  đ: 'd',
  ı: 'i',
  æ: 'a',
  œ: 'o',
  ß: 's',
  þ: 't',
  ð: 'd',
}
const ascii = /^[\x20-\x7e]*$/

/** NFKD without marks, lower case, and the letters that have no decomposition (ł, ø, ß …). */
function fold(raw: string): string {
  if (ascii.test(raw)) return raw.toLowerCase()
  return raw
    .normalize('NFKD')
    .replaceAll(/\p{M}+/gu, '')
    .toLowerCase()
    .replaceAll(/[łøđıæœßþð]/g, (letter) => letters[letter] ?? letter)
}

/** What people and programs write when nobody said anything. */
const nothing = new Set(
  'unknown,n a,na,none,null,nil,undefined,nan,keine angabe,not known,not available,anonymous'.split(','),
)
const said = (value: string) => (nothing.has(value) ? '' : value)
const simple = /^[a-z0-9]+(?: [a-z0-9]+)*$/
function words(raw: string): string {
  const folded = fold(raw)
  return said(simple.test(folded) ? folded : folded.replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim())
}
const lettersAndDigits = (raw: string) => said(words(raw).replaceAll(' ', ''))

const whole: Key = { name: '', of: (value) => value }
const first = (count: number): Key => ({
  name: `its first ${count === 1 ? 'letter' : `${String(count)} letters`}`,
  of: (value) => (value.length >= count ? value.slice(0, count) : ''),
})
const sound: Key = { name: 'its sound', of: soundex }
const beforeAt = (value: string) => value.slice(0, value.indexOf('@'))
const ofYear = (value: string) => value.slice(0, 4)
const ofDay = (value: string) => value.slice(4)
const likeText = ['differs', 'a little alike', 'alike', 'nearly the same', 'the same'] as const

export const kinds = {
  givenName: {
    clean: words,
    compare: { by: 'givenName' },
    words: ['differs', 'a little alike', 'alike', 'a short form, or its beginning', 'the same'],
    byFrequency: true,
    keys: [whole, sound, first(1)],
    part: (name) => shortNames.get(name) ?? name,
  },
  surname: {
    clean: words,
    compare: { by: 'letters', steps: [0.82, 0.92] },
    words: ['differs', 'a little alike', 'alike', 'the same'],
    byFrequency: true,
    keys: [whole, first(4), sound],
  },
  fullName: {
    clean: words,
    compare: { by: 'letters', steps: [0.8, 0.88, 0.95] },
    words: likeText,
    byFrequency: true,
    keys: [whole, first(6)],
  },
  dateOfBirth: {
    clean: dateOf,
    compare: { by: 'date' },
    words: ['differs', 'two slips apart', 'the same year, or the same day', 'one slip apart', 'the same'],
    byFrequency: true,
    keys: [whole, { name: 'the year', of: ofYear }],
    part: ofYear,
    otherPart: ofDay,
  },
  email: {
    clean: (raw) => {
      const folded = fold(raw).trim()
      return folded.indexOf('@') > 0 ? folded : ''
    },
    compare: { by: 'email' },
    words: ['differs', 'alike', 'the same before the @', 'the same'],
    byFrequency: true,
    keys: [whole, { name: 'what is before the @', of: beforeAt }],
    part: beforeAt,
  },
  phone: {
    // Nine digits: with or without the country and the leading zero it is the same number.
    clean: (raw) => {
      const digits = plainNumber.test(raw) ? raw : raw.replaceAll(/\D/g, '')
      return digits.length > 5 ? digits.slice(-9) : ''
    },
    compare: { by: 'slip' },
    words: ['differs', 'one slip apart', 'the same'],
    byFrequency: true,
    keys: [whole, { name: 'its last 6 digits', of: (value) => value.slice(-6) }],
  },
  postcode: {
    clean: lettersAndDigits,
    compare: { by: 'postcode' },
    words: ['differs', 'the same area', 'one slip apart', 'the same'],
    byFrequency: true,
    keys: [whole, first(3)],
    part: (value) => value.slice(0, 3),
  },
  address: {
    clean: words,
    compare: { by: 'words', steps: [0.7, 0.45, 0.25] },
    words: likeText,
    byFrequency: true,
    keys: [whole, first(8)],
  },
  number: {
    clean: words,
    compare: { by: 'slip' },
    words: ['differs', 'one slip apart', 'the same'],
    byFrequency: true,
    keys: [whole],
  },
  place: {
    clean: words,
    compare: { by: 'letters', steps: [0.88] },
    words: ['differs', 'alike', 'the same'],
    byFrequency: true,
    keys: [whole],
  },
  category: {
    clean: words,
    compare: { by: 'nothing' },
    words: ['differs', 'the same'],
    byFrequency: true,
    keys: [whole],
  },
  id: {
    clean: lettersAndDigits,
    compare: { by: 'slip' },
    words: ['differs', 'one slip apart', 'the same'],
    byFrequency: false,
    keys: [whole, first(4)],
  },
  company: {
    clean: (raw) => words(raw).replaceAll(forms, '').trim(),
    compare: { by: 'words', steps: [0.7, 0.5, 0.25] },
    words: likeText,
    byFrequency: true,
    keys: [whole, first(6)],
  },
  website: {
    clean: (raw) =>
      fold(raw)
        .trim()
        .replaceAll(/^(https?:\/\/)?(www\.)?|\/.*$/g, ''),
    compare: { by: 'letters', steps: [0.9] },
    words: ['differs', 'alike', 'the same'],
    byFrequency: true,
    keys: [whole],
  },
  text: {
    clean: words,
    compare: { by: 'words', steps: [0.75, 0.5, 0.25] },
    words: likeText,
    byFrequency: true,
    keys: [whole],
  },
} as const satisfies Record<string, KindOf>

/** Level of two values that are the same. */
export const highestOf = (kind: Kind): number => kinds[kind].words.length

/** Nothing but digits in its last nine places. */
const plainNumber = /^\+?\d{9,}$/

/** What says which form a company has. */
const forms =
  /\b(inc|incorporated|llc|ltd|limited|gmbh|ag|kg|sa|srl|bv|nv|plc|corp|corporation|co|company|the|of|and)\b ?/g

const never = new Set(['19000101', '19700101', '00010101', '99991231'])

/** YYYYMMDD, of years first or last. What programs write when nobody asked says nothing. */
function dateOf(raw: string): string {
  const yearFirst = /^\s*(\d{4})[-/. ]?(\d{1,2})[-/. ]?(\d{1,2})/.exec(raw)
  const yearLast = yearFirst === null ? /^\s*(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})/.exec(raw) : null
  const [year, month, day] = yearFirst?.slice(1) ?? yearLast?.slice(1).reverse() ?? []
  if (year === undefined || month === undefined || day === undefined) return ''
  const date = `${year}${month.padStart(2, '0')}${day.padStart(2, '0')}`
  return never.has(date) ? '' : date
}
