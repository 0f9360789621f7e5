import { setTimeout as sleep } from 'node:timers/promises'
import { below } from '../parts/product.ts'
import { underFire, type House, type Outcome } from './house.ts'

const engines = {
  ClickHouse: 'platform/clickhouse/engine.ts',
  PostgreSQL: 'bin/postgres -D',
} as const
type Engine = keyof typeof engines

function end(house: House, engine: Engine): number {
  const found = below(house.product.pid, engines[engine])
  for (const pid of found) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended by itself.
    }
  }
  return found.length
}

/** Killed once; the supervisor starts it again. */
export function engineKilled(place: { dataDir: string; port: number }, engine: Engine): Promise<Outcome> {
  return underFire(`${engine} killed`, { ...place, eventsPerSecond: 500 }, async (house) => {
    await sleep(3000)
    const killed = end(house, engine)
    await sleep(5000)
    const drainedMs = await house.drained()
    return {
      says: `drained ${String(drainedMs)} ms after 5 s more`,
      broken: killed === 0 ? [`no process of ${engine} was found`] : [],
    }
  })
}

/** Killed as often as it comes up again, for so long: to the product it is away. Events must be acknowledged all the while. */
export function engineAway(
  place: { dataDir: string; port: number },
  engine: Engine,
  seconds: number,
  drainSeconds: number,
): Promise<Outcome> {
  return underFire(
    `${engine} away ${seconds < 120 ? `${String(seconds)} s` : `${String(seconds / 60)} min`}`,
    { ...place, eventsPerSecond: 500 },
    async (house, sender) => {
      await sleep(3000)
      const before = sender.acknowledged()
      const began = performance.now()
      while (performance.now() - began < seconds * 1000) {
        end(house, engine)
        await sleep(100)
      }
      const taken = sender.acknowledged() - before
      const drainedMs = await house.drained()
      const share = taken / (seconds * 500)
      return {
        says: `${taken.toLocaleString('en')} events taken meanwhile; back and drained ${String(Math.round(drainedMs / 1000))} s after`,
        broken: [
          ...(share < 0.8
            ? [`only ${String(Math.round(share * 100))}% of the events were taken while it was away`]
            : []),
          ...(drainedMs > drainSeconds * 1000 ? [`draining took more than ${String(drainSeconds)} s`] : []),
        ],
      }
    },
  )
}
