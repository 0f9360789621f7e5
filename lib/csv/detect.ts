import { cellTypeOf, type CellType } from './cells.ts'
import { createRecordReader, type CsvRecord } from './records.ts'

/** How a delimited file is written. */
export interface CsvFormat {
  delimiter: ',' | ';' | '\t' | '|'
  encoding: 'utf-8' | 'utf-16le' | 'windows-1252' | 'windows-1251' | 'iso-8859-15'
  hasHeader: boolean
  /** How `03/04/2020` is to be read. */
  dateOrder: 'dmy' | 'mdy'
}

export interface CsvColumn {
  index: number
  name: string
  type: CellType
  /** Share of rows of the sample that have a value. */
  filled: number
  samples: string[]
}

/** Guesses the encoding from the first bytes: byte-order mark, else valid UTF-8, else the legacy code page whose letters make sense. */
export function detectEncoding(bytes: Uint8Array): CsvFormat['encoding'] {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8'
  try {
    // A sample may end inside a character, so `stream` keeps the last bytes open.
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return 'utf-8'
  } catch {
    // In Windows-1251 Cyrillic text nearly every letter is above 0xC0; in Western text hardly one in ten is.
    let letters = 0
    let high = 0
    for (const byte of bytes) {
      if ((byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)) letters += 1
      if (byte >= 0xc0) high += 1
    }
    return high > letters ? 'windows-1251' : 'windows-1252'
  }
}

/** Guesses everything else from a decoded sample. The guess is shown to a person, who may correct it. */
export function detectFormat(sample: string, encoding: CsvFormat['encoding']): CsvFormat {
  const text = sample.replace(/^\uFEFF/, '')
  const delimiter = detectDelimiter(text)
  const records = readAll(text, delimiter).slice(0, 200)
  const [, ...rest] = records
  const dates = rest
    .flatMap((record) => record.cells)
    .filter((cell) => /^\d{1,2}[./-]\d{1,2}[./-]\d{4}( \d{1,2}:\d{2}|$)/.test(cell))
  const secondOver12 = dates.some((cell) => Number(cell.split(/[./-]/)[1]) > 12)
  return { delimiter, encoding, hasHeader: beginsWithNames(records), dateOrder: secondOver12 ? 'mdy' : 'dmy' }
}

/** Whether the first record names columns rather than being a row like the others. */
export function beginsWithNames(records: readonly CsvRecord[]): boolean {
  const cells = records[0]?.cells ?? []
  const nameLike = cells.every((cell) => cell !== '' && !/^\d+([.,]\d+)?$/.test(cell) && cellTypeOf([cell]) === 'text')
  return nameLike && new Set(cells).size === cells.length
}

/** Names, types and samples of the columns, from the first rows. */
export function detectColumns(sample: string, format: CsvFormat): CsvColumn[] {
  const records = readAll(sample.replace(/^\uFEFF/, ''), format.delimiter)
  return columnsOf(records, format.hasHeader)
}

/** Names, types and samples of the columns of records that were read already. */
export function columnsOf(all: readonly CsvRecord[], hasHeader: boolean): CsvColumn[] {
  const records = all.filter((record) => record.problem === undefined)
  const header = hasHeader ? (records[0]?.cells ?? []) : []
  const rows = hasHeader ? records.slice(1) : records
  const width = Math.max(header.length, ...rows.map((row) => row.cells.length), 0)
  return Array.from({ length: width }, (_, index) => {
    const values = rows.map((row) => row.cells[index]?.trim() ?? '')
    const present = values.filter((value) => value !== '')
    return {
      index,
      name: header[index]?.trim() ?? `column ${String(index + 1)}`,
      type: cellTypeOf(present),
      filled: rows.length === 0 ? 0 : present.length / rows.length,
      samples: [...new Set(present)].slice(0, 3),
    }
  })
}

/** The candidate that cuts most lines into the same number (> 1) of cells. */
function detectDelimiter(text: string): CsvFormat['delimiter'] {
  const candidates = [',', ';', '\t', '|'] as const
  let best: { delimiter: CsvFormat['delimiter']; score: number } = { delimiter: ',', score: 0 }
  for (const delimiter of candidates) {
    const widths = readAll(text, delimiter)
      .slice(0, 100)
      .map((record) => record.cells.length)
    const width = widths[0] ?? 0
    if (width < 2) continue
    const score = (widths.filter((other) => other === width).length / widths.length) * Math.log(width + 1)
    if (score > best.score) best = { delimiter, score }
  }
  return best.delimiter
}

function readAll(text: string, delimiter: CsvFormat['delimiter']): CsvRecord[] {
  const reader = createRecordReader(delimiter)
  // The last line of a sample is cut somewhere, so it is left out unless it is the only one.
  const whole = text.lastIndexOf('\n') > 0 ? text.slice(0, text.lastIndexOf('\n') + 1) : text
  return [...reader.push(whole), ...reader.end()]
}
