import { beginsWithNames, columnsOf } from '../../../../lib/csv/detect.ts'
import type { CsvRecord } from '../../../../lib/csv/records.ts'
import { Refusal } from '../../../../lib/refusals/refusals.ts'
import type { Format } from '../../contract.ts'
import { behindHeader, firstOf, type Kind, type Records, type TableFile } from './table-file.ts'
import { attribute, tokensOf, unescape } from './xml.ts'
import { openZip } from './zip.ts'

/** Names, styles and the words that cells share are held in memory; a sheet only goes by. */
const mostHeld = 256 * 1024 ** 2
const mostSheet = 8 * 1024 ** 3
const mostColumns = 1_000
const recordsAtOnce = 1_000

/**
 * Excel workbooks, read straight from the archive in one pass: the usual library spills sheets into files outside of the data directory and holds what a
 * bomb unpacks to. Days and moments, which Excel writes as a number of days, become ISO 8601; formulas give their last result.
 */
export const xlsx: Kind = {
  suits: (head) => head[0] === 0x50 && head[1] === 0x4b && head[2] === 0x03 && head[3] === 0x04,
  async detect(file) {
    const book = await open(file)
    const sheets = [...book.sheets.keys()]
    const [sheet = ''] = sheets
    const rows = await firstOf(
      rowsOf(book, sheet, () => undefined),
      200,
    )
    return { encoding: 'utf-8', sheet, sheets, hasHeader: beginsWithNames(rows) }
  },
  async columns(file, format) {
    const book = await open(file)
    return columnsOf(
      await firstOf(
        rowsOf(book, sheetOf(book, format), () => undefined),
        1_000,
      ),
      format.hasHeader,
    )
  },
  async *records(file, format, _names, seen) {
    const book = await open(file)
    yield* behindHeader(rowsOf(book, sheetOf(book, format), seen), format.hasHeader)
  },
}

interface Book {
  zip: Awaited<ReturnType<typeof openZip>>
  /** Path in the archive, by name. */
  sheets: Map<string, string>
  words: string[]
  /** Of each cell style, whether its number is a moment. */
  moments: boolean[]
  from1904: boolean
}

const sheetOf = (book: Book, format: Format) =>
  book.sheets.has(format.sheet) ? format.sheet : ([...book.sheets.keys()][0] ?? '')

async function open(file: TableFile): Promise<Book> {
  if (file.gzip) throw new Refusal('bad_input', 'A workbook is packed already; hand it in without gzip around it.')
  const zip = await openZip(file)
  if (!zip.has('xl/workbook.xml'))
    throw new Refusal('bad_input', 'This archive is no Excel workbook (XLSX). Unpack it and hand in the table itself.')
  const paths = new Map<string, string>()
  for await (const tokens of tokensOf(zip.read('xl/_rels/workbook.xml.rels', mostHeld)))
    for (const one of tokens) {
      if (one.kind !== 'open' || one.name !== 'Relationship') continue
      const target = attribute(one.attributes, 'Target') ?? ''
      paths.set(attribute(one.attributes, 'Id') ?? '', target.startsWith('/') ? target.slice(1) : `xl/${target}`)
    }
  const sheets = new Map<string, string>()
  let from1904 = false
  for await (const tokens of tokensOf(zip.read('xl/workbook.xml', mostHeld)))
    for (const one of tokens) {
      if (one.kind !== 'open') continue
      if (one.name === 'workbookPr') from1904 = ['1', 'true'].includes(attribute(one.attributes, 'date1904') ?? '')
      if (one.name !== 'sheet') continue
      // `id` with its prefix: a sheet has a sheetId too.
      const path = paths.get(/\s[\w.-]+:id="([^"]*)"/.exec(one.attributes)?.[1] ?? '')
      if (path !== undefined && zip.has(path)) sheets.set((attribute(one.attributes, 'name') ?? '').slice(0, 100), path)
    }
  if (sheets.size === 0) throw new Refusal('bad_input', 'The workbook has no sheet with cells.')
  return { zip, sheets, from1904, words: await wordsOf(zip), moments: await momentsOf(zip) }
}

async function wordsOf(zip: Book['zip']): Promise<string[]> {
  const words: string[] = []
  if (!zip.has('xl/sharedStrings.xml')) return words
  let word = ''
  let inText = false
  let phonetic = false
  for await (const tokens of tokensOf(zip.read('xl/sharedStrings.xml', mostHeld)))
    for (const one of tokens) {
      if (one.kind === 'text') {
        if (inText && !phonetic) word += unescape(one.text)
      } else if (one.name === 't') inText = one.kind === 'open' && !one.alone
      // How Japanese names are read aloud stands beside them and is not part of them.
      else if (one.name === 'rPh') phonetic = one.kind === 'open' && !one.alone
      else if (one.name === 'si' && (one.kind === 'close' || one.alone)) {
        words.push(word)
        word = ''
      }
    }
  return words
}

/** ECMA-376 18.8.30: these built-in number formats are days or times. */
const isBuiltIn = (id: number) =>
  (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58)
/** Letters of days and times, outside of quotes, brackets and what a backslash protects. */
const isMoment = (code: string) =>
  /[dmyhs]/i.test(code.replace(/"[^"]*"|\[[^\]]*\]|\\.|_.|\*./g, '').replace(/general/i, ''))

async function momentsOf(zip: Book['zip']): Promise<boolean[]> {
  const moments: boolean[] = []
  if (!zip.has('xl/styles.xml')) return moments
  const own = new Map<number, boolean>()
  let inCells = false
  for await (const tokens of tokensOf(zip.read('xl/styles.xml', mostHeld)))
    for (const one of tokens) {
      if (one.kind === 'text') continue
      if (one.name === 'cellXfs') inCells = one.kind === 'open'
      if (one.kind !== 'open') continue
      if (one.name === 'numFmt')
        own.set(Number(attribute(one.attributes, 'numFmtId')), isMoment(attribute(one.attributes, 'formatCode') ?? ''))
      if (one.name !== 'xf' || !inCells) continue
      const id = Number(attribute(one.attributes, 'numFmtId') ?? '0')
      moments.push(own.get(id) ?? isBuiltIn(id))
    }
  return moments
}

async function* rowsOf(book: Book, sheet: string, seen: (bytes: number) => void): Records {
  let records: CsvRecord[] = []
  let cells: string[] = []
  let line = 0
  let column = -1
  let type = ''
  let style = 0
  let text = ''
  let takes = false
  let wide = false
  for await (const tokens of tokensOf(book.zip.read(book.sheets.get(sheet) ?? '', mostSheet, seen))) {
    for (const one of tokens) {
      if (one.kind === 'text') {
        if (takes) text += unescape(one.text)
      } else if (one.name === 'row') {
        if (one.kind === 'open') {
          line = Number(attribute(one.attributes, 'r') ?? line + 1)
          cells = []
          column = -1
          wide = false
        }
        if (one.kind === 'close' && cells.some((cell) => cell !== ''))
          records.push(wide ? { line, cells, problem: 'the row has a value beyond column 1,000' } : { line, cells })
      } else if (one.name === 'c') {
        if (one.kind === 'open') {
          column = columnOf(attribute(one.attributes, 'r')) ?? column + 1
          type = attribute(one.attributes, 't') ?? 'n'
          style = Number(attribute(one.attributes, 's') ?? '0')
          text = ''
        } else if (text !== '') {
          // Cells without a value are only style, a million of them too.
          if (column >= mostColumns) wide = true
          else {
            while (cells.length < column) cells.push('')
            cells[column] = valueOf(book, type, style, text)
          }
        }
      } else if (one.name === 'v' || one.name === 't') takes = one.kind === 'open' && !one.alone
    }
    if (records.length < recordsAtOnce) continue
    yield records
    records = []
  }
  yield records
}

/** `AB12` is 27. */
function columnOf(reference: string | undefined): number | undefined {
  const letters = /^[A-Z]{1,4}/.exec(reference ?? '')?.[0]
  if (letters === undefined) return undefined
  let column = 0
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64
  return column - 1
}

function valueOf(book: Book, type: string, style: number, text: string): string {
  switch (type) {
    case 's':
      return book.words[Number(text)] ?? ''
    case 'b':
      return text === '1' ? 'true' : 'false'
    // An error (#N/A) is no value.
    case 'e':
      return ''
    case 'str':
    case 'inlineStr':
    case 'd':
      return text
    default:
      return book.moments[style] === true ? momentOf(Number(text), book.from1904) : plainNumber(text)
  }
}

/** 1.7E+2 is written 170; what a double cannot hold stays as it is. */
function plainNumber(text: string): string {
  const number = Number(text)
  return Number.isFinite(number) && Math.abs(number) < 1e15 ? String(number) : text
}

/**
 * Excel's days since 31 December 1899, with a 29 February 1900 that never was (Lotus 1-2-3), or since 1 January 1904. A number of whole days is a day, one
 * below 1 a time of day, anything else a moment without a zone, taken for UTC.
 */
export function momentOf(days: number, from1904: boolean): string {
  if (!Number.isFinite(days) || days < 0 || days > 2_958_466) return String(days)
  const since1970 = from1904 ? days - 24_107 : days - 25_569 + (days < 60 ? 1 : 0)
  const iso = new Date(Math.round(since1970 * 86_400) * 1_000).toISOString()
  if (days < 1 && !from1904) return iso.slice(11, 19)
  return iso.endsWith('T00:00:00.000Z') ? iso.slice(0, 10) : iso
}
