const firstMs = 1_000
const longestMs = 5 * 60_000
/** However long a server asks us to wait. */
const longestAskedMs = 3_600_000

/**
 * How long to wait after the `failures`-th failure in a row: twice as long each time, up to five minutes, spread over the upper half so that browsers
 * which failed together do not come back together; never shorter than the server asked for.
 * @param chance from 0 to 1
 * @param retryAfter the header as it came: whole seconds; a date, as anything else, counts as nothing
 */
export function waitMs(failures: number, chance: number, retryAfter: string | null | undefined): number {
  const own = Math.min(longestMs, firstMs * 2 ** (failures - 1)) * (0.5 + chance / 2)
  const asked = Number(retryAfter) * 1000 || 0
  return Math.max(own, Math.min(asked, longestAskedMs))
}

/**
 * What no retry could save: refused for what it is. 408 and 429 mean later, and so does all trouble on the server's side or on the way. (A pattern takes a
 * number as its digits; saying that in code would cost bytes that every page loads.)
 */
export const isFinal = (status: number) => /^4(?!08|29)/.test(status as unknown as string)
