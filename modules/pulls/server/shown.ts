import type { Run } from '../contract.ts'
import type { StoredRun } from './store.ts'

/** A run as people and programs see it. */
export function showRun(row: StoredRun): Run {
  return {
    id: row.id,
    state: row.state,
    whole: row.whole,
    counts: row.counts,
    worst: row.worst,
    pass: row.progress?.pass ?? null,
    expected: row.expected,
    because: row.because,
    asksGone: row.asks_gone,
    startedBy: row.started_by,
    startedAt: row.started_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  }
}
