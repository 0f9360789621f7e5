import { Counter, Gauge, type Registry } from 'prom-client'

export interface DestinationMetrics {
  delivered: Counter<'destination'>
  failed: Counter<'destination'>
  dead: Counter<'destination'>
  /** Values that stayed here, by field. */
  dropped(destination: string, field: string): void
}

/** Fields of one destination that have a series of their own; sources choose names, so there must be an end. */
const mostSeries = 200

export function createMetrics(registry: Registry, outstanding: () => Map<string, number>): DestinationMetrics {
  const registers = [registry]
  const labelNames = ['destination'] as const
  const counter = (name: string, help: string) =>
    new Counter({ name: `interlock_destinations_${name}`, help, labelNames, registers })
  const dropped = new Counter({
    name: 'interlock_destinations_dropped_fields_total',
    help: 'Fields that events had and the contract does not name, by event',
    labelNames: ['destination', 'field'],
    registers,
  })
  const seen = new Map<string, Set<string>>()
  const gauge = new Gauge({
    name: 'interlock_destinations_outstanding',
    help: 'Events in memory on their way to a destination',
    labelNames,
    registers,
    collect() {
      gauge.reset()
      for (const [destination, events] of outstanding()) gauge.set({ destination }, events)
    },
  })
  return {
    delivered: counter('delivered_total', 'Events that a destination took'),
    failed: counter('failed_tries_total', 'Tries that a destination did not take'),
    dead: counter('dead_letters_total', 'Events that could not be delivered'),
    dropped(destination, field) {
      const fields = seen.get(destination) ?? new Set()
      seen.set(destination, fields)
      const own = fields.has(field) || fields.size < mostSeries
      if (own) fields.add(field)
      dropped.inc({ destination, field: own ? field : '(more fields)' })
    },
  }
}
