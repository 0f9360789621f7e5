import type { Clock } from '../clock/clock.ts'

/** How often a child is asked whether it lives, how long it may take to answer, and how many answers may be missing in a row. */
export interface PulseRhythm {
  everyMs: number
  deadlineMs: number
  misses: number
}

/** A child that answers nothing for about 45 s is started again; a busy machine alone was not seen to take 10 s for `SELECT 1`. */
export const usualRhythm: PulseRhythm = { everyMs: 5_000, deadlineMs: 10_000, misses: 3 }

/** A child that stayed up so long has recovered: the next restart begins with the shortest pause again. */
const recoveredMs = 60_000
const shortestPauseMs = 200
const longestPauseMs = 10_000

/**
 * Asks again and again, because a process that hangs never exits.
 * @param probe a real question; must end when the signal aborts. Undefined while there is nobody to ask
 * @param hung so many answers were missing in a row; counting begins anew
 * @returns stops asking
 */
export function watchPulse(
  clock: Clock,
  rhythm: PulseRhythm,
  probe: (signal: AbortSignal) => Promise<void> | undefined,
  hung: (because: string) => void,
): () => void {
  const stop = new AbortController()
  let missed = 0
  void (async () => {
    while (!stop.signal.aborted) {
      await clock.sleep(rhythm.everyMs, stop.signal)
      const late = new AbortController()
      const asked = probe(late.signal)
      if (asked === undefined) {
        missed = 0
        continue
      }
      const done = new AbortController()
      const because = await Promise.race([
        asked.then(
          () => undefined,
          (error: unknown) => (error instanceof Error ? error.message : String(error)),
        ),
        clock
          .sleep(rhythm.deadlineMs, AbortSignal.any([done.signal, stop.signal]))
          .then(() => `no answer within ${String(rhythm.deadlineMs / 1000)} seconds`),
      ])
      done.abort()
      late.abort()
      missed = because === undefined ? 0 : missed + 1
      if (because === undefined || missed < rhythm.misses || stop.signal.aborted) continue
      missed = 0
      hung(because)
    }
  })()
  return () => {
    stop.abort()
  }
}

/** Growing pauses between restarts, 0.2 s to 10 s, so that a child that dies at once does not take the machine. */
export function restartPauses(clock: Clock) {
  let failures = 0
  let launchedMs = 0
  return {
    launched() {
      launchedMs = clock.ms()
    },
    /** For how long to wait now that it ended, in ms. */
    next(): number {
      if (clock.ms() - launchedMs >= recoveredMs) failures = 0
      return Math.min(longestPauseMs, shortestPauseMs * 2 ** failures++)
    },
  }
}
