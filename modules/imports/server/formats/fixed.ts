import { beginsWithNames, columnsOf, detectEncoding } from '../../../../lib/csv/detect.ts'
import { createLineReader, longestLine } from '../../../../lib/csv/lines.ts'
import type { CsvRecord } from '../../../../lib/csv/records.ts'
import { behindHeader, firstOf, sampleOf, textOf, type Kind, type Records, type TableFile } from './table-file.ts'
import type { Format } from '../../contract.ts'

/** Lines of old systems: each column begins at the same character of every line, and spaces fill it. */
export const fixed: Kind = {
  suits(head) {
    const text = sampleOf({ head } as TableFile, detectEncoding(head))
    // A separator in every line says CSV, whatever else the lines have in common.
    const lines = linesOf(text)
    if (lines.length < 3 || text.includes('\u0000')) return false
    if ([',', ';', '\t', '|'].some((separator) => lines.every((line) => line.includes(separator)))) return false
    return guessStarts(text).length > 1
  },
  detect(file) {
    const encoding = detectEncoding(file.head)
    const text = sampleOf(file, encoding)
    const starts = guessStarts(text)
    const records = linesOf(text).map((line, at) => ({ line: at + 1, cells: cut(line, starts) }))
    return Promise.resolve({ encoding, starts, hasHeader: beginsWithNames(records) })
  },
  columns: async (file, format) =>
    columnsOf(
      await firstOf(
        all(file, format, () => undefined),
        1_000,
      ),
      format.hasHeader,
    ),
  records: (file, format, _names, seen) => behindHeader(all(file, format, seen), format.hasHeader),
}

async function* all(file: TableFile, format: Format, seen: (bytes: number) => void): Records {
  const reader = createLineReader()
  const starts = format.starts.length === 0 ? [0] : format.starts
  let line = 0
  const recordsOf = (lines: ReturnType<typeof reader.push>): CsvRecord[] =>
    lines.flatMap(({ text, tooLong }) => {
      line += 1
      if (tooLong)
        return [
          { line, cells: [text], problem: `the line is longer than ${longestLine.toLocaleString('en-GB')} characters` },
        ]
      return text.trim() === '' ? [] : [{ line, cells: cut(text, starts) }]
    })
  for await (const text of textOf(file, format.encoding, seen)) yield recordsOf(reader.push(text))
  yield recordsOf(reader.end())
}

const cut = (line: string, starts: readonly number[]) =>
  starts.map((start, at) => line.slice(start, starts[at + 1]).trim())
const linesOf = (text: string) =>
  text
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '')
    .slice(0, 500)

/** Columns begin behind the gaps that all lines share. */
export function guessStarts(text: string): number[] {
  const lines = linesOf(text)
  const width = Math.min(2_000, Math.max(0, ...lines.map((line) => line.length)))
  const blank = (at: number) => lines.every((line) => at >= line.length || line[at] === ' ')
  const starts: number[] = []
  for (let at = 0; at < width; at++) if (!blank(at) && (at === 0 || blank(at - 1))) starts.push(at)
  // A gap of one space may be the space between two words that happen to stand below each other: then every line has something on both sides, always.
  return starts.length > 100 ? [] : starts
}
