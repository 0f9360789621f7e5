import type { CsvColumn } from '../../../lib/csv/detect.ts'
import type { Files } from '../../../platform/files/files.ts'
import type { Format } from '../contract.ts'
import { columnsOfTable, detectTable, kinds } from './formats/kinds.ts'
import { tableFile, type Records } from './formats/table-file.ts'

/** A file whose way of being written was found out. */
export interface Table {
  format: Format
  columns: CsvColumn[]
  /** Its rows, in pieces. One that cannot be read has a `problem`. */
  records(): Records
}

/** Opens a table of any kind that imports read. @throws Refusal('bad_input') for what is none */
export async function openTable(file: Pick<Files, 'head' | 'read' | 'part'>, bytes: number): Promise<Table> {
  const opened = await tableFile(file, '', bytes)
  const format = await detectTable(opened)
  const columns = await columnsOfTable(opened, format)
  const names = columns.map((column) => column.name)
  return { format, columns, records: () => kinds[format.kind].records(opened, format, names, () => undefined) }
}
