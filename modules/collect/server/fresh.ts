import type { Normalised } from './normalise.ts'

/**
 * Events that were read at the door and wait for the pipeline, so that it need not read them from the journal's bytes a second time: half of what an
 * event costs. What is not here any more (after a restart, in a burst) is read from the bytes and is the same event.
 */
export interface Fresh {
  /** @param first position of the first */
  keep(first: bigint, normalised: readonly Normalised[]): void
  /** Positions only grow from call to call; what lies before is forgotten. */
  take(position: bigint): Normalised | undefined
}

/** About 2.5 KB each. */
const mostEvents = 10_000

export function createFresh(): Fresh {
  const runs: { first: bigint; end: bigint; normalised: readonly Normalised[] }[] = []
  let events = 0
  return {
    keep(first, normalised) {
      // The oldest are wanted first, so what comes on top of too many is left out.
      if (events + normalised.length > mostEvents || (runs.at(-1)?.end ?? 0n) > first) return
      runs.push({ first, end: first + BigInt(normalised.length), normalised })
      events += normalised.length
    },
    take(position) {
      let run = runs[0]
      for (; run !== undefined && run.end <= position; run = runs[0]) {
        events -= run.normalised.length
        runs.shift()
      }
      if (run === undefined || run.first > position) return undefined
      const one = run.normalised[Number(position - run.first)]
      // One without a message id gets it from its position, which the door did not know.
      return one !== undefined && 'event' in one && one.event.messageId === '' ? undefined : one
    },
  }
}
