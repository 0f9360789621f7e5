import type { CsvColumn } from '../../../../lib/csv/detect.ts'
import { Refusal } from '../../../../lib/refusals/refusals.ts'
import type { FileKind, Format } from '../../contract.ts'
import { csv } from './csv.ts'
import { fixed } from './fixed.ts'
import { ndjson } from './ndjson.ts'
import { parquet } from './parquet.ts'
import type { Kind, TableFile } from './table-file.ts'
import { xlsx } from './xlsx.ts'

/** Every kind of file that is read, in the order in which they are asked whether a file is theirs. */
export const kinds: Readonly<Record<FileKind, Kind>> = { xlsx, parquet, ndjson, fixed, csv }

/** A table with more columns than this is none: a wrong separator, or one endless line. */
const mostColumns = 1_000

const plainFormat: Format = {
  kind: 'csv',
  gzip: false,
  delimiter: ',',
  encoding: 'utf-8',
  hasHeader: true,
  dateOrder: 'dmy',
  sheet: '',
  sheets: [],
  starts: [],
  rows: 'people',
}

/** Finds out how a file is written. @throws Refusal('bad_input') for what is no table */
export async function detectTable(file: TableFile): Promise<Format> {
  const [kind, reader] = (Object.entries(kinds) as [FileKind, Kind][]).find(([, one]) => one.suits(file.head)) ?? [
    'csv',
    csv,
  ]
  return { ...plainFormat, ...(await reader.detect(file)), kind, gzip: file.gzip }
}

/** @throws Refusal('bad_input') for a table of more than 1,000 columns */
export async function columnsOfTable(file: TableFile, format: Format): Promise<CsvColumn[]> {
  const columns = await kinds[format.kind].columns(file, format)
  if (columns.length <= mostColumns) return columns
  throw new Refusal(
    'bad_input',
    `The first lines have ${columns.length.toLocaleString('en-GB')} columns; a table of people has at most ${mostColumns.toLocaleString('en-GB')}.`,
  )
}
