/** Time behind one door. Nothing outside platform/ asks the machine for the time or sets a timer (test/tidy.test.ts looks). */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  ms(): number
  now(): Date
  /** Resolves after so many milliseconds of this clock, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Runs `work` every so many milliseconds, never twice at once; the returned function stops it. Failures go to `failed`. */
  every(ms: number, work: () => Promise<void> | void, failed: (error: unknown) => void): () => void
}

export const systemClock: Clock = {
  ms: () => Date.now(),
  now: () => new Date(),
  sleep(ms, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve()
        return
      }
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done)
    })
  },
  every(ms, work, failed) {
    let running = false
    const timer = setInterval(() => {
      if (running) return
      running = true
      Promise.resolve()
        .then(work)
        .catch(failed)
        .finally(() => {
          running = false
        })
    }, ms)
    return () => {
      clearInterval(timer)
    }
  },
}

/** A clock that stands still until told: for tests. Sleepers wake in order when it is moved past them. */
export interface StoppedClock extends Clock {
  /** Moves time forward (or back, with a negative number) and runs what became due. */
  advance(ms: number): Promise<void>
}

/** @param start an ISO instant, by default an awkward one: one second before a leap day ends in Kiritimati. */
export function stoppedClock(start = '2028-02-29T09:59:59.000Z'): StoppedClock {
  let at = Date.parse(start)
  let waiting: { due: number; wake: () => void }[] = []
  const clock: StoppedClock = {
    ms: () => at,
    now: () => new Date(at),
    sleep(ms, signal) {
      return new Promise((resolve) => {
        if (ms <= 0 || signal?.aborted === true) {
          resolve()
          return
        }
        const sleeper = { due: at + ms, wake: resolve }
        waiting.push(sleeper)
        signal?.addEventListener('abort', () => {
          waiting = waiting.filter((other) => other !== sleeper)
          resolve()
        })
      })
    },
    every(ms, work, failed) {
      const stop = new AbortController()
      void (async () => {
        while (!stop.signal.aborted) {
          await clock.sleep(ms, stop.signal)
          if (stop.signal.aborted) return
          try {
            await work()
          } catch (error) {
            failed(error)
          }
        }
      })()
      return () => {
        stop.abort()
      }
    },
    async advance(ms) {
      const target = at + ms
      for (;;) {
        const next = waiting.filter((sleeper) => sleeper.due <= target).sort((a, b) => a.due - b.due)[0]
        if (next === undefined) break
        waiting = waiting.filter((sleeper) => sleeper !== next)
        at = Math.max(at, next.due)
        next.wake()
        await new Promise((resolve) => setImmediate(resolve))
      }
      at = target
    },
  }
  return clock
}
