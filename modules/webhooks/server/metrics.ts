import { Gauge, type Registry } from 'prom-client'
import type { Hook } from '../contract.ts'

/** @param read every hook, when somebody asks */
export function addHookMetrics(registry: Registry, read: () => Promise<Hook[]>): void {
  const registers = [registry]
  const deliveries = new Gauge({
    name: 'interlock_webhook_deliveries',
    help: 'What became of the deliveries of an inbound webhook',
    labelNames: ['webhook', 'outcome'],
    registers,
    async collect() {
      deliveries.reset()
      for (const { name, counts } of await read())
        for (const outcome of ['taken', 'unchanged', 'aside', 'rejected'] as const)
          deliveries.set({ webhook: name, outcome }, counts[outcome])
    },
  })
}
