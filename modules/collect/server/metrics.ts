import type { Counts } from '../contract.ts'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface CollectMetrics {
  accepted: Counter
  rejected: Counter<'reason'>
  outcomes: Counter<'outcome' | 'reason'>
  large: Counter
  waits: Counter
  stepSeconds: Histogram<'step'>
  appendSeconds: Histogram
}

/** @param read figures that are looked up when somebody asks */
export function createMetrics(
  registry: Registry,
  read: {
    inFlight(): number
    pendingBytes(): number
    flushes(): number
    /** Where the counts are kept. `counts` are of a bounded number of sources. */
    ledger?: { residue(): number; counts(): { sourceId: string; outcome: keyof Counts; events: number }[] }
  },
): CollectMetrics {
  const registers = [registry]
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value())
      },
    })
  gauge('interlock_collect_in_flight', 'Events on disk that are not stored yet', read.inFlight)
  gauge('interlock_journal_pending_bytes', 'Bytes that wait in memory for the disk', read.pendingBytes)
  gauge('interlock_journal_flushes', 'fdatasync calls since the start', read.flushes)
  if (read.ledger !== undefined) addLedger(registry, read.ledger)
  return {
    accepted: new Counter({ name: 'interlock_collect_accepted_total', help: 'Events acknowledged', registers }),
    rejected: new Counter({
      name: 'interlock_collect_rejected_total',
      help: 'Requests turned away',
      labelNames: ['reason'],
      registers,
    }),
    outcomes: new Counter({
      name: 'interlock_collect_outcomes_total',
      help: 'What became of events',
      labelNames: ['outcome', 'reason'],
      registers,
    }),
    large: new Counter({
      name: 'interlock_collect_large_events_total',
      help: 'Events over 32 KB, which are accepted all the same',
      registers,
    }),
    waits: new Counter({
      name: 'interlock_collect_waits_total',
      help: 'Times the queue waited for an engine',
      registers,
    }),
    stepSeconds: new Histogram({
      name: 'interlock_collect_step_seconds',
      help: 'Time of a step for one batch',
      labelNames: ['step'],
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    }),
    appendSeconds: new Histogram({
      name: 'interlock_collect_append_seconds',
      help: 'From reading a request to its events being on disk',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1],
      registers,
    }),
  }
}

function addLedger(
  registry: Registry,
  read: { residue(): number; counts(): { sourceId: string; outcome: keyof Counts; events: number }[] },
): void {
  const residue = new Gauge({
    name: 'interlock_collect_residue',
    help: 'Events that are in no state: received less stored, deduplicated, quarantined, rejected and in flight; always 0',
    registers: [],
    collect() {
      this.set(read.residue())
    },
  })
  const ledger = new Gauge({
    name: 'interlock_collect_ledger_events',
    help: 'What became of everything that was received, by source (the largest 100; the others added up)',
    labelNames: ['source', 'outcome'],
    registers: [],
    collect() {
      this.reset()
      for (const { sourceId, outcome, events } of read.counts())
        this.set({ source: sourceId, outcome: outcome === 'inFlight' ? 'in_flight' : outcome }, events)
    },
  })
  registry.registerMetric(residue)
  registry.registerMetric(ledger)
}
