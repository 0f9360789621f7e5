import { parse } from 'csv-parse/sync'

/** One record of a delimited file, or a line that could not be read as one. */
export interface CsvRecord {
  /** Line of the file on which it begins, from 1. */
  line: number
  cells: string[]
  /** Set when the line is broken: what is wrong, in words. Its cells are then whatever could be told apart. */
  problem?: string
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

/**
 * Reads records and survives a broken quote: an ordinary reader takes the rest of the file for one field. Here a record that does not
 * close within 50 lines costs only its first line, and reading goes on with the next. csv-parse does the parsing; this file only
 * decides which lines belong together.
 */
export function createRecordReader(delimiter: string): RecordReader {
  let rest = ''
  let waiting: string[] = []
  let line = 1
  let width: number | undefined

  // A lone line may hold a stray quote (5" pipe); a record over several lines must be quoted by the book, or lines would be glued together.
  const parseText = (text: string, relaxed: boolean): string[] | undefined => {
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
    const first = waiting[0] ?? ''
    if (first.trim() === '') {
      waiting.shift()
      line += 1
      return undefined
    }
    if (!first.includes('"')) return done(first.split(delimiter), 1)
    const alone = parseText(first, true)
    if (fits(alone)) return done(alone, 1)
    let characters = first.length
    for (let count = 2; count <= Math.min(waiting.length, maxLines); count++) {
      characters += (waiting[count - 1] ?? '').length
      if (characters > maxCharacters) break
      if (!(waiting[count - 1] ?? '').includes('"')) continue
      const together = parseText(waiting.slice(0, count).join('\n'), false)
      if (fits(together)) return done(together, count)
    }
    if (!final && waiting.length < maxLines && characters <= maxCharacters) return undefined
    if (alone !== undefined) return done(alone, 1)
    const record = broken(first)
    waiting.shift()
    line += 1
    return record
  }

  function done(cells: string[], lines: number): CsvRecord {
    width ??= cells.length
    const record: CsvRecord =
      cells.length === width
        ? { line, cells }
        : { line, cells, problem: `${String(cells.length)} columns where ${String(width)} are expected` }
    waiting.splice(0, lines)
    line += lines
    return record
  }

  function drain(final: boolean): CsvRecord[] {
    const records: CsvRecord[] = []
    while (waiting.length > 0) {
      const before = waiting.length
      const record = take(final)
      if (record !== undefined) records.push(record)
      else if (waiting.length === before) break
    }
    return records
  }

  return {
    push(text) {
      const all = rest + text
      // A carriage return at the very end may be half of a line end.
      const held = all.endsWith('\r') ? '\r' : ''
      const lines = all.slice(0, all.length - held.length).split(/\r\n|\n|\r/)
      rest = (lines.pop() ?? '') + held
      waiting = waiting.length === 0 ? lines : [...waiting, ...lines]
      return drain(false)
    },
    end() {
      if (rest.trim() !== '') waiting.push(rest.replace(/\r$/, ''))
      rest = ''
      return drain(true)
    },
  }
}
