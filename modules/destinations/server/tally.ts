import type { NewDeadLetter, Progress } from './ledger.ts'

/** Different reasons and fields that are held in memory between two writes; more are counted together. */
const mostNames = 500
const hourMs = 3_600_000

/** What a worker did since it wrote it down last. Bounded: by hours, by names, and by the window for dead letters. */
export function createTally() {
  let hours = new Map<number, { delivered: number; failed: number; dead: number }>()
  let failures = new Map<string, number>()
  let dropped = new Map<string, number>()
  let dead: NewDeadLetter[] = []
  let settled: Progress['settled'] = []
  let trying: Progress['trying'] = []
  let tried: Progress['tried'] = []
  let lastDeliveredAt: Date | null = null

  const hourOf = (atMs: number) => {
    const key = Math.floor(atMs / hourMs) * hourMs
    const hour = hours.get(key) ?? { delivered: 0, failed: 0, dead: 0 }
    hours.set(key, hour)
    return hour
  }
  const add = (counts: Map<string, number>, name: string, more: number, others: string) => {
    const key = counts.has(name) || counts.size < mostNames ? name : others
    counts.set(key, (counts.get(key) ?? 0) + more)
  }
  const addDropped = (field: string, events: number) => {
    add(dropped, field, events, '(more fields)')
  }
  const addFailed = (reason: string, times: number) => {
    add(failures, reason, times, 'Other reasons.')
  }

  return {
    delivered(at: Date, events: number) {
      hourOf(at.getTime()).delivered += events
      lastDeliveredAt = at
    },
    failed(at: Date, reason: string) {
      hourOf(at.getTime()).failed += 1
      addFailed(reason, 1)
    },
    dead(at: Date, letter: NewDeadLetter) {
      hourOf(at.getTime()).dead += 1
      dead.push(letter)
    },
    dropped: (field: string) => {
      addDropped(field, 1)
    },
    settled(id: string, reason: string | null) {
      settled.push({ id, reason })
    },
    trying(journalId: string, position: number, since: Date) {
      trying.push({ journalId, position, since })
    },
    tried(journalId: string, position: number) {
      tried.push({ journalId, position })
    },
    /** Everything so far, and begins anew; undefined when there is nothing. */
    take(): Omit<Progress, 'cursors' | 'failingSince'> | undefined {
      if (hours.size + failures.size + dropped.size + dead.length + settled.length + trying.length + tried.length === 0)
        return undefined
      const taken = {
        hours: [...hours].map(([at, counts]) => ({ hour: new Date(at), ...counts })),
        failures: [...failures].map(([reason, times]) => ({ reason, times })),
        dropped: [...dropped].map(([field, events]) => ({ field, events })),
        dead,
        settled,
        trying,
        tried,
        lastDeliveredAt,
      }
      hours = new Map()
      failures = new Map()
      dropped = new Map()
      dead = []
      settled = []
      trying = []
      tried = []
      lastDeliveredAt = null
      return taken
    },
    /** It could not be written: it is kept for the next time. */
    putBack(taken: Omit<Progress, 'cursors' | 'failingSince'>) {
      for (const one of taken.hours) {
        const hour = hourOf(one.hour.getTime())
        hour.delivered += one.delivered
        hour.failed += one.failed
        hour.dead += one.dead
      }
      for (const one of taken.failures) addFailed(one.reason, one.times)
      for (const one of taken.dropped) addDropped(one.field, one.events)
      dead = [...taken.dead, ...dead]
      settled = [...taken.settled, ...settled]
      trying = [...taken.trying, ...trying]
      tried = [...taken.tried, ...tried]
      lastDeliveredAt ??= taken.lastDeliveredAt
    },
  }
}
