import type { Calls, Interlock, Options } from './options.ts'
import { safely } from './safely.ts'
import { startTracker } from './tracker.ts'

export type { CallOptions, Calls, Fields, Interlock, Json, Options } from './options.ts'

const names = 'load track page identify group alias reset consent flush anonymousId'.split(' ') as (keyof Calls)[]
/** Calls before `load` wait, so many at most. */
const mostEarly = 100

/** A tracker that does nothing until it is told `load`. No call throws. */
export function createInterlock(): Interlock {
  let running: Omit<Calls, 'load'> | undefined
  const early: [keyof Calls, unknown[]][] = []
  const tell = safely((name: keyof Calls, ...words: unknown[]): unknown => {
    if (name === 'load') {
      if (running) return
      running = startTracker(words[0] as Options)
      for (const [call, said] of early.splice(0)) tell(call, ...said)
      return
    }
    if (running) return (running[name] as (...words: unknown[]) => unknown)(...words)
    if (early.length < mostEarly) early.push([name, words])
    return
  }) as (name: keyof Calls, ...words: unknown[]) => never
  // The calls are put on it in the next line: until then it is not what its type says.
  const say = tell as unknown as Interlock
  for (const name of names) say[name] = (...words: unknown[]) => tell(name, ...words)
  return say
}

/** The tracker of this page. */
export const interlock: Interlock = createInterlock()
