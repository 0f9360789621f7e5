import { Gauge, type Registry } from 'prom-client'

/** @param read of each pull, when somebody asks */
export function addPullMetrics(
  registry: Registry,
  read: () => Promise<{ name: string; ageSeconds: number | undefined; missed: boolean }[]>,
): void {
  const registers = [registry]
  const age = new Gauge({
    name: 'interlock_pull_age_seconds',
    help: 'How old what a pull brought is: since the moment of the other database that its last good run saw',
    labelNames: ['pull'],
    registers,
    async collect() {
      age.reset()
      for (const one of await read()) if (one.ageSeconds !== undefined) age.set({ pull: one.name }, one.ageSeconds)
    },
  })
  const promise = new Gauge({
    name: 'interlock_pull_promise_missed',
    help: '1 where what a pull brought is older than was promised',
    labelNames: ['pull'],
    registers,
    async collect() {
      promise.reset()
      for (const one of await read()) promise.set({ pull: one.name }, one.missed ? 1 : 0)
    },
  })
}
