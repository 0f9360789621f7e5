import type { Counts, Run } from '../contract.ts'

export const noCounts: Counts = {
  rows: 0,
  sent: 0,
  unchanged: 0,
  quarantined: 0,
  rejected: 0,
  withProblems: 0,
  gone: 0,
  reasons: [],
}
const mostReasons = 50

/** What was decided of the rows of one chunk, before it is known to be on disk. */
export interface Counted {
  unchanged: number
  rejected: { key: string; reason: string }[]
  problems: { key: string; reason: string }[]
}

/** Counts rows as they are decided. A run that goes on after a stop counts on from where it was written down. */
export function createTally(from: Counts, worstSoFar: Run['worst']) {
  const counts = { ...from }
  const reasons = new Map(from.reasons.map(({ reason, rows }) => [reason, rows]))
  const worst = [...worstSoFar]
  const because = (key: string, reason: string) => {
    if (reasons.has(reason) || reasons.size < mostReasons) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    if (worst.length < 10) worst.push({ key, reason: reason.slice(0, 300) })
  }
  return {
    /** Rows of one chunk that are not said, and cells of those that are. */
    add({ unchanged, rejected, problems }: Counted) {
      counts.rows += unchanged + rejected.length
      counts.unchanged += unchanged
      counts.rejected += rejected.length
      counts.withProblems += problems.length
      for (const { key, reason } of [...rejected, ...problems]) because(key, reason)
    },
    rejectedMany(rows: number, reason: string) {
      if (rows === 0) return
      counts.rows += rows
      counts.rejected += rows
      reasons.set(reason, (reasons.get(reason) ?? 0) + rows)
    },
    sent(aside: boolean) {
      counts.rows += 1
      if (aside) counts.quarantined += 1
      else counts.sent += 1
    },
    gone() {
      counts.gone += 1
    },
    counts: (): Counts => ({
      ...counts,
      reasons: [...reasons].map(([reason, rows]) => ({ reason, rows })).sort((a, b) => b.rows - a.rows),
    }),
    worst: () => worst,
  }
}
