import { Gauge, type Registry } from 'prom-client'

/** What this machine takes, and the most that is expected of it. Without a measurement the first has no value. */
export function addCapacityMetrics(
  registry: Registry,
  read: () => Promise<{ measured: number | undefined; planned: number }>,
): void {
  const registers = [registry]
  const measured = new Gauge({
    name: 'interlock_capacity_measured_events_per_second',
    help: 'Single events a second that this machine acknowledged when it was measured; no value before that',
    registers,
    async collect() {
      const { measured: value } = await read()
      measured.remove()
      if (value !== undefined) measured.set(value)
    },
  })
  const planned = new Gauge({
    name: 'interlock_capacity_planned_peak_events_per_second',
    help: 'The most events a second that planned campaigns and the usual traffic bring together in the next seven days',
    registers,
    async collect() {
      planned.set((await read()).planned)
    },
  })
}
