import { parse } from 'csv-parse/sync'
import { createLineReader, longestLine, type Line } from './lines.ts'
import { splitByTheBook } from './split.ts'

/** One record of a delimited file, or a line that could not be read as one. */
export interface CsvRecord {
  /** Line of the file on which it begins, from 1. */
  line: number
  cells: string[]
  /** Set when the line is broken: what is wrong, in words. Its cells are then whatever could be told apart. */
  problem?: string
  /** Values of which the reader has no column: named, so that nothing disappears in silence. */
  left?: readonly string[]
}

export interface RecordReader {
  /** Text as it arrives; gives the records that are complete. */
  push(text: string): CsvRecord[]
  /** The end of the file; gives what was still open. */
  end(): CsvRecord[]
}

/** A quoted field may run over this many lines or characters; beyond it, its opening quote is taken for a slip. */
const maxLines = 50
const maxCharacters = 65_536
const quotesIn = (text: string): number => {
  let count = 0
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) count += 1
  return count
}

/**
 * Reads records and survives a broken quote: an ordinary reader takes the rest of the file for one field. Here a record that does not
 * close within 50 lines costs only its first line, and reading goes on with the next. csv-parse does the parsing; this file only
 * decides which lines belong together. Work and memory are bounded for any file: each line is parsed at most twice.
 */
export function createRecordReader(delimiter: string): RecordReader {
  const lines = createLineReader()
  let waiting: Line[] = []
  /** Of `waiting`, so many are taken already: to shift each off the front would move all the others. */
  let taken = 0
  let line = 1
  let width: number | undefined

  // A lone line may hold a stray quote (5" pipe); a record over several lines must be quoted by the book, or lines would be glued together.
  const parseText = (text: string, relaxed: boolean): string[] | undefined => {
    const cells = splitByTheBook(text, delimiter)
    if (cells !== undefined) return cells
    try {
      const rows = parse(text, {
        delimiter,
        relax_quotes: relaxed,
        relax_column_count: true,
        skip_empty_lines: true,
        bom: false,
        record_delimiter: [] as string[],
      })
      return rows.length === 1 ? rows[0] : undefined
    } catch {
      return undefined
    }
  }
  const fits = (cells: readonly string[] | undefined): cells is string[] =>
    cells !== undefined && (width === undefined || cells.length === width)
  const broken = (text: string): CsvRecord => ({
    line,
    cells: text.split(delimiter),
    problem: 'a quote is opened and never closed',
  })

  /** Takes lines from the front of `waiting` as one record; undefined when more lines are needed to tell. */
  function take(final: boolean): CsvRecord | undefined {
    const { text: first, tooLong } = waiting[taken] ?? { text: '', tooLong: false }
    if (tooLong)
      return asItIs({
        line,
        cells: [first],
        problem: `the line is longer than ${longestLine.toLocaleString('en-GB')} characters`,
      })
    if (first.trim() === '') {
      taken += 1
      line += 1
      return undefined
    }
    if (!first.includes('"')) return done(first.split(delimiter), 1)
    const alone = parseText(first, true)
    if (fits(alone)) return done(alone, 1)
    let characters = first.length
    let quotes = quotesIn(first)
    let ended = quotes % 2 === 0
    for (let count = 2; !ended && count <= Math.min(waiting.length - taken, maxLines); count++) {
      const next = waiting[taken + count - 1]
      if (next === undefined) break
      ended = next.tooLong
      if (ended) break
      characters += next.text.length
      if (characters > maxCharacters) break
      quotes += quotesIn(next.text)
      // By the book a record ends at the first line end outside of quotes, which is where their number is even: more lines cannot help.
      ended = quotes % 2 === 0
      if (!ended) continue
      const together = parseText(
        waiting
          .slice(taken, taken + count)
          .map((one) => one.text)
          .join('\n'),
        false,
      )
      if (fits(together)) return done(together, count)
    }
    if (!ended && !final && waiting.length - taken < maxLines && characters <= maxCharacters) return undefined
    if (alone !== undefined) return done(alone, 1)
    return asItIs(broken(first))
  }

  /** The first line is this record, however it reads. */
  function asItIs(record: CsvRecord): CsvRecord {
    taken += 1
    line += 1
    return record
  }

  function done(cells: string[], lines: number): CsvRecord {
    width ??= cells.length
    const record: CsvRecord =
      cells.length === width
        ? { line, cells }
        : { line, cells, problem: `${String(cells.length)} columns where ${String(width)} are expected` }
    taken += lines
    line += lines
    return record
  }

  function drain(final: boolean): CsvRecord[] {
    const records: CsvRecord[] = []
    while (taken < waiting.length) {
      const before = taken
      const record = take(final)
      if (record !== undefined) records.push(record)
      else if (taken === before) break
    }
    waiting = waiting.slice(taken)
    taken = 0
    return records
  }

  return {
    push(text) {
      waiting = waiting.length === 0 ? lines.push(text) : [...waiting, ...lines.push(text)]
      return drain(false)
    },
    end() {
      waiting.push(...lines.end())
      return drain(true)
    },
  }
}
