import { isValidPhoneNumber } from 'libphonenumber-js/min'

export type CellType = 'text' | 'number' | 'date' | 'email' | 'phone' | 'boolean'

const email = /^[^\s@<>"]+@[^\s@<>"]+\.[^\s@<>"]{2,}$/u
const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  false: false,
  yes: true,
  no: false,
  ja: true,
  nein: false,
  oui: true,
  non: false,
  j: true,
  n: false,
  y: true,
  '1': true,
  '0': false,
}

/** The type that nine in ten of the values have; `text` when none fits. */
export function cellTypeOf(values: readonly string[]): CellType {
  if (values.length === 0) return 'text'
  const share = (test: (value: string) => boolean) => values.filter(test).length / values.length
  if (share((value) => email.test(value)) >= 0.9) return 'email'
  if (share((value) => parseDate(value, 'dmy') !== undefined || parseDate(value, 'mdy') !== undefined) >= 0.9)
    return 'date'
  if (share((value) => /^(\+|00)\d/.test(value) && /^[+\d\s()/-]{7,20}$/.test(value)) >= 0.9) return 'phone'
  if (share((value) => /^-?(0|[1-9]\d{0,14})([.,]\d{1,6})?$/.test(value)) >= 0.9)
    return share((value) => /^[01]$/.test(value)) === 1 ? 'boolean' : 'number'
  if (share((value) => value.toLowerCase() in booleans) >= 0.9) return 'boolean'
  return 'text'
}

/** Nothing to compose and nothing to take out: most cells, and a tenth of the time. */
const plain = /^[\x20-\x7e]*$/

/** A cell as a value, or the sentence that says why it is none. Empty cells give undefined. */
export function readCell(
  text: string,
  type: CellType,
  dateOrder: 'dmy' | 'mdy',
): { value: string | number | boolean | undefined; problem?: string } {
  const cell = (plain.test(text) ? text : text.normalize('NFC').replaceAll('\u0000', '')).trim()
  if (cell === '') return { value: undefined }
  switch (type) {
    case 'text':
      return { value: cell }
    case 'email':
      return email.test(cell)
        ? { value: cell }
        : { value: undefined, problem: `“${shorten(cell)}” is no e-mail address` }
    case 'phone': {
      const international = cell.replace(/^00/, '+')
      return /^\+?[\d\s()/-]{7,20}$/.test(international) || isValidPhoneNumber(international)
        ? { value: international }
        : { value: undefined, problem: `“${shorten(cell)}” is no telephone number` }
    }
    case 'number': {
      const number = Number(cell.replace(',', '.'))
      return Number.isFinite(number)
        ? { value: number }
        : { value: undefined, problem: `“${shorten(cell)}” is no number` }
    }
    case 'boolean': {
      const flag = booleans[cell.toLowerCase()]
      return flag === undefined
        ? { value: undefined, problem: `“${shorten(cell)}” is neither yes nor no` }
        : { value: flag }
    }
    case 'date': {
      const date = parseDate(cell, dateOrder)
      if (date === undefined) return { value: undefined, problem: `“${shorten(cell)}” is no date` }
      // What old programs write when nobody asked: not a day on which anyone was born.
      if (/^1900-01-01|^1970-01-01$|^0001/.test(date))
        return { value: undefined, problem: `${date} stands for “not asked” in old programs` }
      return { value: date }
    }
  }
}

/** ISO date (or instant) of what people write: `2020-04-03`, `03.04.2020`, `3/4/2020`, with or without a time; undefined for impossible days. */
export function parseDate(text: string, order: 'dmy' | 'mdy'): string | undefined {
  const iso = /^(\d{4})-(\d{2})-(\d{2})([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/.exec(text)
  if (iso !== null) {
    const day = calendarDay(Number(iso[1]), Number(iso[2]), Number(iso[3]))
    if (day === undefined) return undefined
    if (iso[4] === undefined) return day
    const instant = Date.parse(
      `${day}T${iso[4].slice(1)}${iso[6] === undefined && !/Z|[+-]\d{2}:?\d{2}$/.test(iso[4]) ? 'Z' : ''}`,
    )
    return Number.isNaN(instant) ? undefined : new Date(instant).toISOString()
  }
  const spoken = /^(\d{1,2})[./-](\d{1,2})[./-](\d{4})$/.exec(text)
  if (spoken === null) return undefined
  const [first, second, year] = [Number(spoken[1]), Number(spoken[2]), Number(spoken[3])]
  return order === 'dmy' ? calendarDay(year, second, first) : calendarDay(year, first, second)
}

const daysOf = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function calendarDay(year: number, month: number, day: number): string | undefined {
  // Years before 100 are slips of the keyboard, never a day in a table of people.
  if (year < 100 || month < 1 || month > 12 || day < 1 || day > (daysOf[month - 1] ?? 0)) return undefined
  if (month === 2 && day === 29 && !(year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0))) return undefined
  return `${String(year).padStart(4, '0')}-${month < 10 ? '0' : ''}${String(month)}-${day < 10 ? '0' : ''}${String(day)}`
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}
