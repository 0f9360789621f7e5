import type { Counts, Run } from '../contract.ts'

export const noCounts: Counts = {
  lines: 0,
  records: 0,
  sent: 0,
  unchanged: 0,
  quarantined: 0,
  rejected: 0,
  withProblems: 0,
  gone: 0,
  malformed: 0,
  states: 0,
  reasons: [],
}
const mostReasons = 50
const mostWorst = 10

export type Tally = ReturnType<typeof createTally>

/** Counts what was decided of lines, on from where it was written down last. Reasons and examples are bounded, the numbers are whole. */
export function createTally(from: Counts, worstSoFar: Run['worst']) {
  const counts = { ...from }
  const reasons = new Map(from.reasons.map(({ reason, records }) => [reason, records]))
  const worst = [...worstSoFar]
  const because = (line: number, stream: string, key: string, reason: string) => {
    const kind = reason.slice(0, 300)
    if (reasons.has(kind) || reasons.size < mostReasons) reasons.set(kind, (reasons.get(kind) ?? 0) + 1)
    if (worst.length < mostWorst) worst.push({ line, stream, key, reason: kind })
  }
  return {
    malformed(line: number, reason: string) {
      counts.malformed += 1
      because(line, '', '', reason)
    },
    state() {
      counts.states += 1
    },
    rejected(line: number, stream: string, key: string, reason: string) {
      counts.records += 1
      counts.rejected += 1
      because(line, stream, key, reason)
    },
    unchanged() {
      counts.records += 1
      counts.unchanged += 1
    },
    sent(aside: boolean) {
      counts.records += 1
      if (aside) counts.quarantined += 1
      else counts.sent += 1
    },
    problems(line: number, stream: string, key: string, reason: string) {
      counts.withProblems += 1
      because(line, stream, key, reason)
    },
    gone() {
      counts.gone += 1
    },
    counts: (lines: number): Counts => ({
      ...counts,
      lines,
      reasons: [...reasons].map(([reason, records]) => ({ reason, records })).sort((a, b) => b.records - a.records),
    }),
    worst: () => worst,
  }
}
