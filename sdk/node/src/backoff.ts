const firstMs = 500
const longestMs = 60_000
/** However long a server asks us to wait. */
const longestAskedMs = 3_600_000

/**
 * How long to wait after the `failures`-th failure in a row: exponential back-off with full jitter ("Exponential Backoff And Jitter", AWS Architecture
 * Blog), so anything from nothing to twice as much each time, up to a minute; never shorter than the server asked for.
 * @param chance from 0 to 1
 * @param retryAfter the header as it came: whole seconds, or a date
 */
export function waitMs(failures: number, chance: number, retryAfter: string | null, nowMs: number): number {
  const own = chance * Math.min(longestMs, firstMs * 2 ** Math.min(failures, 30))
  return Math.max(own, Math.min(askedMs(retryAfter, nowMs), longestAskedMs))
}

function askedMs(retryAfter: string | null, nowMs: number): number {
  const text = retryAfter?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // A date has letters; a number with a sign or a point is neither.
  const at = /[a-z]/i.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(at) ? 0 : Math.max(0, at - nowMs)
}

/** What an answer means for what was sent. `smaller`: a part of it may be welcome. */
export function verdictOf(status: number, events: number): 'taken' | 'later' | 'refused' | 'smaller' {
  if (status >= 200 && status < 300) return 'taken'
  if (status < 400 || status >= 500 || status === 408 || status === 429) return 'later'
  return events > 1 && (status === 400 || status === 413) ? 'smaller' : 'refused'
}
