import type { Clock } from '../../../platform/clock/clock.ts'
import type { Journal } from '../../../platform/journal/journal.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Counts, LedgerAlarm } from '../contract.ts'
import { readSums, type Sums } from './ledger.ts'
import type { Arrivals, OnTheWay } from './on-the-way.ts'

/** Two looks make an alarm, so that it is there within a minute. */
export const lookEveryMs = 30_000
/** Sources with figures of their own in /metrics; the others are added up, so that the number of series is bounded. */
const sourcesTold = 100

/** By how much the ledger is off, in events; 0 in all three when everything adds up. */
interface Gaps {
  /** The journal was counted to here, and so many of it are in no count; below 0, the counts hold so many more. */
  uncounted: number
  /** The journal gave so many away as stored that were never counted. */
  skipped: number
  /** So many more were said to be on their way than wait in the journal; below 0, fewer. */
  astray: number
}

/** Looks every 30 seconds whether received = stored + deduplicated + quarantined + rejected + in flight, and says so when it does not. */
export interface LedgerWatch {
  /** The pipeline added these to the counts: what each source should have is known without asking the counts. */
  wrote(some: readonly Arrivals[]): void
  /** It is not known whether a batch was counted (the connection broke): what each source should have is asked anew. */
  unsure(): void
  /** Reads the counts and compares. @throws when PostgreSQL is away */
  look(): Promise<void>
  /** Undefined while everything adds up. */
  alarm(): LedgerAlarm | undefined
  /** Events in no state, as of the last look. */
  residue(): number
  lookedAt(): string | null
  /** The counts as of the last look, for /metrics. */
  counts(): { sourceId: string; outcome: keyof Counts; events: number }[]
  start(): () => void
}

export function createLedgerWatch(needs: {
  postgres: Postgres
  clock: Clock
  log: Log
  journal: Pick<Journal, 'id' | 'head' | 'stored'>
  onTheWay: OnTheWay
  countedTo: () => bigint
}): LedgerWatch {
  const { postgres, clock, log, journal, onTheWay } = needs
  /** What came out of the journal for each source, as of the first look, and since then as the pipeline told. */
  let expected: Map<string, number> | undefined
  let told = 0
  let before: Gaps | undefined
  let gaps: Gaps = { uncounted: 0, skipped: 0, astray: 0 }
  let wrongSources: string[] = []
  let sinceMs: number | undefined
  let lookedMs: number | undefined
  let last: Sums | undefined

  function compare(sums: Sums, stored: bigint): Gaps {
    return {
      uncounted: sums.positions - sums.journalled,
      // Read before the counts were, and a batch is counted before the journal lets it go: never above 0 by chance.
      skipped: Math.max(0, Number(stored - (sums.countedTo ?? 0n))),
      astray: onTheWay.events() + onTheWay.replays - Number(journal.head - needs.countedTo()),
    }
  }

  /** Of what two looks found, that which stays: between an append and its note, or a count and its note, there is a moment. */
  const standing = (a: number, b: number | undefined) =>
    b === undefined || Math.sign(a) !== Math.sign(b) ? 0 : Math.sign(a) * Math.min(Math.abs(a), Math.abs(b))

  const residueOf = (one: Gaps) => Math.abs(one.uncounted) + Math.abs(one.skipped) + Math.abs(one.astray)

  async function look(): Promise<void> {
    const { stored } = journal
    const toldBefore = told
    const sums = await readSums(postgres, journal.id)
    const found = compare(sums, stored)
    gaps = {
      uncounted: standing(found.uncounted, before?.uncounted),
      skipped: standing(found.skipped, before?.skipped),
      astray: standing(found.astray, before?.astray),
    }
    before = found
    last = sums
    lookedMs = clock.ms()
    // A batch that was counted meanwhile is in one of the two only.
    if (told === toldBefore) {
      const now = new Map<string, number>()
      for (const one of sums.bySource) now.set(one.sourceId, (now.get(one.sourceId) ?? 0) + one.journalled)
      const known = expected ?? now
      expected = known
      wrongSources = [...new Set([...known.keys(), ...now.keys()])]
        .filter((id) => (known.get(id) ?? 0) !== (now.get(id) ?? 0))
        .slice(0, 20)
    }
    const residue = residueOf(gaps)
    if (residue !== 0 && sinceMs === undefined) {
      sinceMs = lookedMs
      log.error(sentenceOf(gaps), new Error('residue'), { residue, ...gaps, sources: wrongSources.join(' ') })
    }
    if (residue === 0 && sinceMs !== undefined) {
      log.info('The ledger adds up again.', { after: clock.ms() - sinceMs })
      sinceMs = undefined
    }
  }

  return {
    wrote(some) {
      told += 1
      if (expected === undefined) return
      for (const { sourceId, events } of some) expected.set(sourceId, (expected.get(sourceId) ?? 0) + events)
    },
    unsure() {
      told += 1
      expected = undefined
    },
    look,
    alarm() {
      const residue = residueOf(gaps)
      if (residue === 0 || sinceMs === undefined) return undefined
      return {
        residue,
        since: new Date(sinceMs).toISOString(),
        sentence: sentenceOf(gaps),
        sources: wrongSources,
      }
    },
    residue: () => residueOf(gaps),
    lookedAt: () => (lookedMs === undefined ? null : new Date(lookedMs).toISOString()),
    counts() {
      if (last === undefined) return []
      const waiting = onTheWay.bySource()
      const rows = [
        ...last.bySource.map(({ sourceId, outcome, events }) => ({ sourceId, outcome, events })),
        ...[...waiting].map(([sourceId, events]) => ({ sourceId, outcome: 'inFlight' as const, events })),
      ]
      const size = new Map<string, number>()
      for (const row of rows) size.set(row.sourceId, (size.get(row.sourceId) ?? 0) + row.events)
      const told = new Set(
        [...size]
          .sort((a, b) => b[1] - a[1])
          .slice(0, sourcesTold)
          .map(([id]) => id),
      )
      const sums = new Map<string, (typeof rows)[number]>()
      for (const row of rows) {
        const sourceId = row.sourceId === '' ? 'unknown' : told.has(row.sourceId) ? row.sourceId : 'others'
        const key = `${sourceId} ${row.outcome}`
        const sum = sums.get(key)
        if (sum === undefined) sums.set(key, { ...row, sourceId })
        else sum.events += row.events
      }
      return [...sums.values()]
    },
    start() {
      const failed = (error: unknown) => {
        log.warn('The ledger could not be looked at; it is tried again.', { error: String(error) })
      }
      // The first at once, so that what each source should have is known from the start.
      look().catch(failed)
      return clock.every(lookEveryMs, look, failed)
    },
  }
}

/** What is wrong, as people read it. */
function sentenceOf({ uncounted, skipped, astray }: Gaps): string {
  const events = (many: number) => `${Math.abs(many).toLocaleString('en')} ${Math.abs(many) === 1 ? 'event' : 'events'}`
  const parts = [
    uncounted > 0 ? `${events(uncounted)} came out of the journal and are in no count` : '',
    uncounted < 0 ? `the counts hold ${events(uncounted)} more than came out of the journal` : '',
    skipped > 0 ? `the journal let ${events(skipped)} go that were never counted` : '',
    astray > 0 ? `${events(astray)} are said to be on their way and are not in the journal` : '',
    astray < 0 ? `the journal holds ${events(astray)} that nobody counts as on their way` : '',
  ].filter((part) => part !== '')
  return `The ledger does not add up: ${parts.join('; ')}.`
}
