import { columnsOf, type CsvColumn } from '../../../../lib/csv/detect.ts'
import { createLineReader, longestLine } from '../../../../lib/csv/lines.ts'
import type { CsvRecord } from '../../../../lib/csv/records.ts'
import { Refusal } from '../../../../lib/refusals/refusals.ts'
import { flatten, recordOf } from './flat.ts'
import { sampleOf, textOf, type Kind } from './table-file.ts'

/** One JSON object a line (NDJSON, JSON Lines); what is nested gets names with dots. */
export const ndjson: Kind = {
  suits: (head) => /^(?:\xef\xbb\xbf)?\s*[{[]/.test(Buffer.from(head.subarray(0, 4_096)).toString('latin1')),
  detect(file) {
    const [first] = sampleOf(file, 'utf-8')
      .trimStart()
      .split(/\r\n|\n|\r/)
    if (objectOf(first ?? '') === undefined)
      throw new Refusal(
        'bad_input',
        'The file begins like JSON, but its first line is not one whole object. Write one object a line (NDJSON), without a list around them.',
      )
    return Promise.resolve({ encoding: 'utf-8', hasHeader: false })
  },
  columns(file) {
    const rows = sampleOf(file, 'utf-8')
      .split(/\r\n|\n|\r/)
      .flatMap((line) => flatten(objectOf(line)) ?? [])
      .filter((cells) => cells.size > 0)
    return Promise.resolve(columnsOfCells(rows))
  },
  async *records(file, _format, names, seen) {
    const reader = createLineReader()
    let line = 0
    const one = ({ text, tooLong }: { text: string; tooLong: boolean }): CsvRecord[] => {
      line += 1
      if (tooLong)
        return [
          { line, cells: [text], problem: `the line is longer than ${longestLine.toLocaleString('en-GB')} characters` },
        ]
      if (text.trim() === '') return []
      const value = objectOf(text)
      if (value === undefined) return [{ line, cells: [text.slice(0, 200)], problem: 'the line is not a JSON object' }]
      return [recordOf(line, flatten(value), names)]
    }
    for await (const text of textOf(file, 'utf-8', seen)) yield reader.push(text).flatMap(one)
    yield reader.end().flatMap(one)
  },
}

/** Names, types and samples of rows that name their cells, in the order in which the names first come. */
export function columnsOfCells(rows: readonly Map<string, string>[]): CsvColumn[] {
  const names = [...new Set(rows.flatMap((cells) => [...cells.keys()]))].slice(0, 1_001)
  const records = rows.map((cells, at) => recordOf(at + 2, cells, names))
  return columnsOf([{ line: 1, cells: names }, ...records], true)
}

/** Numbers that a double cannot hold stay as they are written: an id of 20 digits must not become another person's. */
function objectOf(text: string): object | undefined {
  try {
    const parse = JSON.parse as (
      text: string,
      reviver?: (key: string, one: unknown, from: { source?: string }) => unknown,
    ) => unknown
    const value = /\d{16}/.test(text)
      ? parse(text, (_key, one, { source }) =>
          typeof one === 'number' && source !== undefined && /^-?\d{16,}$/.test(source) ? source : one,
        )
      : parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
