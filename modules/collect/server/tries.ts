import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'

/** Something that all events need is not there: nobody's fault, so everything waits. */
export class Away extends Error {
  constructor(what: string, cause: unknown) {
    super(`${what} cannot be reached now.`, { cause })
    this.name = 'Away'
  }
}

const triesEach = 3

/**
 * Does work on all items together; when that fails three times although everything it needs is there, finds the items that
 * it fails on by halving, so that one poisonous event does not stop the queue.
 * @param work safe to run again; `part` names the same items every time (part of a deduplication token)
 * @param there throws when an engine is away: then it is not the items' fault
 * @returns the guilty, with their errors
 * @throws Away
 */
export async function withoutTheGuilty<Item>(
  items: readonly Item[],
  work: (some: readonly Item[], part: string) => Promise<void>,
  needs: { clock: Clock; there: () => Promise<void>; what: string },
): Promise<{ item: Item; error: Error }[]> {
  const guilty: { item: Item; error: Error }[] = []

  async function run(from: number, to: number, tries: number): Promise<void> {
    const some = items.slice(from, to)
    if (some.length === 0) return
    const part = some.length === items.length ? '' : `-${from}-${to}`
    for (let left = tries; ; left--) {
      try {
        await work(some, part)
        return
      } catch (error) {
        if (error instanceof Away) throw error
        if (error instanceof Refusal && error.code === 'busy') throw new Away(needs.what, error)
        await needs.there().catch((cause: unknown) => {
          throw new Away(needs.what, cause)
        })
        if (left > 1) {
          await needs.clock.sleep(100 * (tries - left + 1))
          continue
        }
        if (some.length === 1) {
          for (const item of some)
            guilty.push({ item, error: error instanceof Error ? error : new Error(String(error)) })
          return
        }
        const middle = from + Math.floor(some.length / 2)
        await run(from, middle, middle - from === 1 ? triesEach : 1)
        await run(middle, to, to - middle === 1 ? triesEach : 1)
        return
      }
    }
  }

  await run(0, items.length, triesEach)
  return guilty
}
