import { Gauge, type Registry } from 'prom-client'
import type { Freshness } from '../../lib/schedule/freshness.ts'

/**
 * Two numbers for everything that promises to be fresh: `interlock_<noun>_age_seconds` and `interlock_<noun>_promise_missed`.
 * @param noun such as `pull`; also the label
 * @param read of each, when somebody asks
 */
export function addFreshnessMetrics(
  registry: Registry,
  noun: string,
  now: () => number,
  read: () => Promise<({ name: string } & Freshness)[]>,
): void {
  const registers = [registry]
  const words = noun.replaceAll('_', ' ')
  const age = new Gauge({
    name: `interlock_${noun}_age_seconds`,
    help: `How old what a ${words} brought is: since the moment of the other side that is here now`,
    labelNames: [noun],
    registers,
    async collect() {
      age.reset()
      for (const { name, freshAt } of await read())
        if (freshAt !== null) age.set({ [noun]: name }, (now() - Date.parse(freshAt)) / 1000)
    },
  })
  const promise = new Gauge({
    name: `interlock_${noun}_promise_missed`,
    help: `1 where what a ${words} brought is older than was promised`,
    labelNames: [noun],
    registers,
    async collect() {
      promise.reset()
      for (const { name, missed } of await read()) promise.set({ [noun]: name }, missed ? 1 : 0)
    },
  })
}
