import type { CsvRecord } from '../../../lib/csv/records.ts'
import { bitsOf, createKeyTable } from './keys.ts'
import type { Row } from './rows.ts'

/** What was last said for a key: by its nth row in the file that had it last. */
export interface LastRow {
  key: string
  nth: number
  /** '' when that file was followed by one with fewer rows of the key. */
  hash: string
  generation: number
  run: string
  /** It was put aside when it came. */
  aside: boolean
}

/** One row with what is to be done: sent under a generation, or nothing because it is here. */
export interface Decided {
  record: CsvRecord
  row: Row
  known: boolean
  /** It was put aside before this run was stopped. */
  aside?: boolean
  /** To be sent, and then written down. Absent for what is here, or went in before this run was stopped. */
  send?: LastRow
}

const none: readonly LastRow[] = []
/** Keys of one file that are remembered; of a longer file, the rest of the rows count as the first of their key. */
const mostKeys = 1_000_000

/**
 * Compares the rows of a file with what was last said for the same key. A row that says the same is known; one that says something else is sent
 * as a new generation, so what was said before can be said again. Rows of one key are compared in their order: once one was sent, those behind it
 * are sent too, because the last one must be the last word. A file that has fewer rows of a key than the one before it says its last one again.
 * @param run of this reading; rows that it wrote before it was stopped count as sent by it
 */
export function createComparison(run: string) {
  const inFile = createKeyTable(mostKeys)
  /** Keys of which an earlier file had more rows, with the row that is known unless nothing follows. */
  const open = new Map<string, { nth: number; held?: Decided & { last: LastRow } }>()

  function next(record: CsvRecord, row: Row, last: ReadonlyMap<string, readonly LastRow[]>): Decided[] {
    const { key, hash } = row
    const before = inFile.get(key)
    const bits = bitsOf(hash)
    if (before !== undefined && before.hash[0] === bits[0] && before.hash[1] === bits[1])
      return [{ record, row, known: true }]
    const nth = before === undefined ? 0 : before.nth + 1
    const rows = last.get(key) ?? none
    const stored = rows.find((one) => one.nth === nth)
    const decided: Decided[] = []
    const held = open.get(key)?.held
    if (held !== undefined) decided.push(held)
    const same = stored?.hash === hash
    const mine = same && stored.run === run
    const send = !mine && (!same || before?.sent === true)
    inFile.set(key, { nth, hash: bits, sent: mine || send || before?.sent === true })
    const one: Decided = {
      record,
      row,
      known: !mine && !send,
      ...(mine && stored.aside ? { aside: true } : {}),
      ...(send
        ? { send: { key, nth, hash, generation: stored === undefined ? 0 : stored.generation + 1, run, aside: false } }
        : {}),
    }
    const more = rows.some((other) => other.nth > nth && other.hash !== '' && other.run !== run)
    if (!more) open.delete(key)
    if (more && one.known && stored !== undefined) open.set(key, { nth, held: { ...one, last: stored } })
    else {
      if (more) open.set(key, { nth })
      decided.push(one)
    }
    return decided
  }

  return {
    next,
    /** At the end of the file: rows that are the last word now, and beyond which nothing of their key holds any more. */
    end(): { decided: Decided[]; beyond: { key: string; nth: number }[] } {
      const left = [...open]
      open.clear()
      return {
        decided: left.flatMap(([, { held }]) =>
          held === undefined
            ? []
            : [
                {
                  record: held.record,
                  row: held.row,
                  known: false,
                  send: { ...held.last, generation: held.last.generation + 1, run, aside: false },
                },
              ],
        ),
        beyond: left.map(([key, { nth }]) => ({ key, nth })),
      }
    },
  }
}
