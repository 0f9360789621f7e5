/** The four times of an event, in milliseconds since 1970. */
export interface Times {
  /** As the client said it; when it did not, the time of arrival. */
  originalMs: number
  sentMs: number | undefined
  receivedMs: number
  /** Corrected for the client's clock: what everything else uses. */
  timeMs: number
  /** What the client said was not a time or lay outside what we keep, and `timeMs` is our choice. */
  clamped: boolean
}

/** The first instant that is kept. Also the first that both stores can hold without a second thought. */
export const earliestMs = 0
/** And the last that the store can hold. */
const latestMs = Date.UTC(2299, 11, 31)
/** A clock may run ahead by this much before an event counts as one from the future. */
export const aheadMs = 5 * 60_000

/** A client's clock that is off by more than this is broken, or `sentAt` is made up. */
const soundSkewMs = 24 * 3_600_000
/** So long an SDK keeps events that it could not send. */
const queueMs = 7 * 24 * 3_600_000

/**
 * Segment's rule: `timestamp = receivedAt - (sentAt - originalTimestamp)`. The client's clock cancels out, so a clock that
 * is wrong by years gives the right time, and an explicit time in the past stays what it was, but for the way through the
 * network. That holds only when one clock said both: where `sentAt` is absurd and the event's own time does not go with it,
 * the event's own time counts, flagged.
 */
export function timesOf(original: unknown, sent: unknown, receivedMs: number): Times {
  const originalMs = instantOf(original)
  const sentMs = instantOf(sent)
  const said = original !== undefined && original !== null && original !== ''
  let timeMs = receivedMs
  let clamped = said && originalMs === undefined
  if (originalMs !== undefined) {
    const usable = sentMs !== undefined && oneClock(originalMs, sentMs, receivedMs)
    timeMs = usable ? receivedMs - (sentMs - originalMs) : originalMs
    clamped = sentMs !== undefined && !usable
  }
  if (timeMs > receivedMs + aheadMs) {
    timeMs = receivedMs
    clamped = true
  }
  if (timeMs < earliestMs) {
    timeMs = earliestMs
    clamped = true
  }
  if (sentMs !== undefined && (sentMs < earliestMs || sentMs > latestMs)) clamped = true
  return { originalMs: originalMs ?? receivedMs, sentMs, receivedMs, timeMs, clamped }
}

/** Whether the clock that said `sentAt` can be the one that said when it happened. */
const oneClock = (originalMs: number, sentMs: number, receivedMs: number) =>
  Math.abs(sentMs - receivedMs) <= soundSkewMs ||
  (Math.abs(sentMs - originalMs) <= queueMs && Math.abs(sentMs - originalMs) <= Math.abs(receivedMs - originalMs))

const iso =
  /^([+-]\d{6}|\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/i

/**
 * An instant as clients write it: ISO 8601 (without a zone: UTC), or a number of seconds or milliseconds. A day that does
 * not exist is no instant: `Date.parse` would make 2 March of 30 February.
 */
export function instantOf(value: unknown): number | undefined {
  if (typeof value === 'number') return ofNumber(value)
  if (typeof value !== 'string') return undefined
  const usual = usualInstant(value)
  if (usual !== undefined) return usual
  const text = value.trim()
  if (/^\d{9,14}(?:\.\d+)?$/.test(text)) return ofNumber(Number(text))
  const parts = iso.exec(text)
  if (parts === null) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', zone = 'Z'] = parts
  const [y, mo, d, h, mi, s] = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  if (mo < 1 || mo > 12 || d < 1 || d > daysIn(y, mo) || h > 24 || mi > 59 || s > 60) return undefined
  const offset = /^z$/i.test(zone) ? 0 : offsetMinutes(zone)
  const midnight = new Date(0).setUTCFullYear(y, mo - 1, d)
  const instant = midnight + ((h * 60 + mi - offset) * 60 + s) * 1000 + Math.floor(Number(`0.${fraction}`) * 1000)
  // Past the year 275760 there is none that a Date can hold.
  return Number.isNaN(new Date(instant).getTime()) ? undefined : instant
}

/** `2026-11-24T09:30:00.000Z`, as every SDK writes it: read digit by digit, because the general way costs more than all else that is done to an event. */
function usualInstant(text: string): number | undefined {
  if (
    text.length !== 24 ||
    text.charCodeAt(23) !== 0x5a ||
    text.charCodeAt(10) !== 0x54 ||
    text.charCodeAt(19) !== 0x2e
  )
    return undefined
  if (text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d) return undefined
  if (text.charCodeAt(13) !== 0x3a || text.charCodeAt(16) !== 0x3a) return undefined
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  const hour = twoDigits(text, 11)
  const minute = twoDigits(text, 14)
  const second = twoDigits(text, 17)
  const ms = twoDigits(text, 20) * 10 + (twoDigits(text, 21) % 10)
  // NaN fails every comparison: what is not all digits, and what no clock shows, goes the general way.
  if (!(
    year >= 100 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysIn(year, month) &&
    hour < 24 &&
    minute < 60 &&
    second < 60 &&
    ms >= 0
  ))
    return undefined
  return Date.UTC(year, month - 1, day, hour, minute, second, ms)
}

/** NaN when either is not a digit. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30
  const ones = text.charCodeAt(at + 1) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

/** Seconds until the year 5138 are below 1e11, milliseconds since 1973 above. */
const ofNumber = (value: number) =>
  Number.isFinite(value) && value > 0 && value < 1e15 ? Math.floor(value < 1e11 ? value * 1000 : value) : undefined

const daysIn = (year: number, month: number) =>
  month === 2
    ? year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
      ? 29
      : 28
    : [4, 6, 9, 11].includes(month)
      ? 30
      : 31

function offsetMinutes(zone: string): number {
  const [hours = 0, minutes = 0] = [zone.slice(1, 3), zone.slice(-2)].map(Number)
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}
