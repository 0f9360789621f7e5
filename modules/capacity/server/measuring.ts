import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { CapacityPage, Measurement } from '../contract.ts'

/** What a measurement finds. */
export type Found = Omit<Measurement, 'at' | 'by' | 'stale'>

/** How this machine is measured; handed in, because it starts processes. */
export interface Meter {
  /** @throws when the signal aborts */
  measure(progress: (says: string, share: number) => void, signal: AbortSignal): Promise<Found>
  /** Removes what a measurement that was cut off left behind. */
  clear(): Promise<void>
  machine(): Pick<Found, 'cores' | 'model'>
  freeBytes(): Promise<number>
}

/** Who pressed the button. */
type By = Pick<Caller, 'kind' | 'accountId' | 'name'>

/** What its scratch journal may take, several times over. */
const leastFreeBytes = 2 * 1_073_741_824

/** One measurement at a time, in the background; its progress is in memory, its result is kept by `keep`. */
export function createMeasuring(needs: {
  meter: Meter
  clock: Clock
  log: Log
  keep(found: Found, by: By): Promise<void>
}) {
  const { meter, clock, log } = needs
  let running:
    { state: NonNullable<CapacityPage['measuring']>; abort: AbortController; done: Promise<void> } | undefined
  let failed: string | null = null

  async function measure(by: By, state: NonNullable<CapacityPage['measuring']>, signal: AbortSignal): Promise<void> {
    try {
      const found = await meter.measure((says, share) => {
        state.says = says
        state.share = share
      }, signal)
      await needs.keep(found, by)
    } catch (error) {
      if (signal.aborted) failed = 'The measurement was cancelled.'
      else {
        failed = `The measurement failed: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`
        log.error('a measurement of the capacity failed', error)
      }
    } finally {
      running = undefined
    }
  }

  return {
    state: () => running?.state ?? null,
    failed: () => failed,
    /** @throws Refusal('not_now') while one is under way, or when the disk has too little room */
    async begin(by: By): Promise<void> {
      if ((await meter.freeBytes()) < leastFreeBytes)
        throw new Refusal(
          'not_now',
          'The disk has less than 2 GiB free; the scratch journal of a measurement needs room.',
        )
      if (running !== undefined) throw new Refusal('not_now', 'A measurement is under way already.')
      const abort = new AbortController()
      failed = null
      const state = { since: clock.now().toISOString(), by: by.name, says: 'It begins.', share: 0 }
      running = { state, abort, done: Promise.resolve() }
      running.done = measure(by, state, abort.signal)
    },
    /** Ends the one that is under way; resolves when it is gone. */
    async cancel(): Promise<void> {
      const ending = running
      ending?.abort.abort()
      await ending?.done
    },
    /** The one that is under way is over: tests. */
    settled: async () => running?.done,
    clear: () => meter.clear(),
  }
}
