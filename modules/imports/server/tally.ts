import type { CsvRecord } from '../../../lib/csv/records.ts'
import type { Counts, WorstRow } from '../contract.ts'
import type { RowResult } from './rows.ts'

const mostTopics = 50

/** Counts rows as they are decided and keeps the ten worst. */
export function createTally() {
  let rows = 0
  let sent = 0
  let unchanged = 0
  let quarantined = 0
  let rejected = 0
  let withProblems = 0
  let orders = 0
  const consents = new Map<string, { given: number; withdrawn: number }>()
  const reasons = new Map<string, number>()
  let worst: WorstRow[] = []
  const agree = (topic: string, given: boolean) => {
    const known = consents.get(topic) ?? { given: 0, withdrawn: 0 }
    if (!consents.has(topic) && consents.size >= mostTopics) return
    consents.set(topic, known)
    if (given) known.given += 1
    else known.withdrawn += 1
  }
  return {
    /** @param became what: here already as it is, put aside at the door, or gone in */
    add(record: CsvRecord, result: RowResult, became: 'unchanged' | 'quarantined' | 'sent') {
      // Lines of one order share its fate.
      const lines = result.lines ?? 1
      rows += lines
      if (result.kind === 'rejected') {
        rejected += lines
        reasons.set(result.reason, (reasons.get(result.reason) ?? 0) + lines)
      } else {
        if (became === 'unchanged') unchanged += lines
        else if (became === 'quarantined') quarantined += lines
        else {
          sent += lines
          if (result.lines !== undefined) orders += 1
          for (const { topic, given } of result.consents) agree(topic, given)
        }
        if (result.problems.length > 0) withProblems += lines
      }
      if (result.problems.length === 0 && result.kind === 'row') return
      const entry = {
        line: record.line,
        cells: record.cells.slice(0, 60).map((cell) => cell.slice(0, 200)),
        problems: result.problems.length > 0 ? result.problems : [result.kind === 'rejected' ? result.reason : ''],
        rejected: result.kind === 'rejected',
      }
      worst = [...worst, entry]
        .sort(
          (a, b) => Number(b.rejected) - Number(a.rejected) || b.problems.length - a.problems.length || a.line - b.line,
        )
        .slice(0, 10)
    },
    counts: (): Counts => ({
      rows,
      sent,
      unchanged,
      quarantined,
      rejected,
      withProblems,
      orders,
      consents: [...consents].map(([topic, some]) => ({ topic, ...some })),
      reasons: [...reasons]
        .map(([reason, count]) => ({ reason, rows: count }))
        .sort((a, b) => b.rows - a.rows)
        .slice(0, 20),
    }),
    worst: () => worst,
  }
}
