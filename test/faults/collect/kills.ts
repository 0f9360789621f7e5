import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../parts/table.ts'
import { underFire, type Outcome } from './house.ts'

/** SIGKILL to the whole tree, engines and all, at a random moment after it is up. */
export function kills(place: { dataDir: string; port: number }, times: number): Promise<Outcome> {
  return underFire(`SIGKILL x ${String(times)}`, { ...place, eventsPerSecond: 1000 }, async (house) => {
    const restarts: number[] = []
    for (let count = 0; count < times; count++) {
      await sleep(200 + Math.random() * 1800)
      restarts.push(await house.killAndRestart())
    }
    const drainedMs = await house.drained()
    const p95 = restarts.toSorted((a, b) => a - b)[Math.floor(restarts.length * 0.95)] ?? 0
    return {
      says: `ready again ${String(median(restarts))} ms (p95 ${String(p95)}), drained ${String(drainedMs)} ms`,
      broken: p95 > 10_000 ? ['it took more than 10 s to be ready again'] : [],
    }
  })
}
