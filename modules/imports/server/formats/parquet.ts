import { parquetMetadataAsync, parquetReadObjects, parquetSchema, type AsyncBuffer, type FileMetaData } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { Refusal } from '../../../../lib/refusals/refusals.ts'
import { flatten, recordOf, textOfValue } from './flat.ts'
import { columnsOfCells } from './ndjson.ts'
import type { Kind, TableFile } from './table-file.ts'

/** A group of rows is read at once; writers make them of 64 to 128 MB. */
const mostGroupBytes = 512 * 1024 ** 2

/** Parquet with any of its codecs. Moments come as ISO 8601, days as days, decimals as numbers. */
export const parquet: Kind = {
  suits: (head) => Buffer.from(head.subarray(0, 4)).toString('latin1') === 'PAR1',
  async detect(file) {
    await open(file)
    return { encoding: 'utf-8', hasHeader: false }
  },
  async columns(file) {
    const opened = await open(file)
    const rows = await rowsOf(opened, 0, Math.min(1_000, Number(opened.metadata.row_groups[0]?.num_rows ?? 0)))
    const names = parquetSchema(opened.metadata).children.map((child) => child.element.name)
    const found = columnsOfCells(rows.flatMap((row) => row ?? []))
    // A column that is empty in the sample is a column too.
    return names.every((name) => found.some((one) => one.name === name || one.name.startsWith(`${name}.`)))
      ? found
      : columnsOfCells([...rows.flatMap((row) => row ?? []), new Map(names.map((name) => [name, '']))])
  },
  async *records(file, _format, names, seen) {
    const opened = await open(file, seen)
    let from = 0
    for (const group of opened.metadata.row_groups) {
      const to = from + Number(group.num_rows)
      const rows = await rowsOf(opened, from, to)
      yield rows.map((cells, at) => recordOf(from + at + 1, cells, names))
      from = to
    }
  },
}

interface Opened {
  buffer: AsyncBuffer
  metadata: FileMetaData
  days: ReadonlySet<string>
}

async function open(file: TableFile, seen: (bytes: number) => void = () => undefined): Promise<Opened> {
  if (file.gzip) throw new Refusal('bad_input', 'A Parquet file is packed already; hand it in without gzip around it.')
  const buffer: AsyncBuffer = {
    byteLength: file.bytes,
    async slice(from, to = file.bytes) {
      const bytes = await file.part(from < 0 ? file.bytes + from : from, to)
      seen(bytes.byteLength)
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    },
  }
  const metadata = await readable(() => parquetMetadataAsync(buffer))
  const large = metadata.row_groups.find((group) => Number(group.total_byte_size) > mostGroupBytes)
  if (large !== undefined)
    throw new Refusal('bad_input', 'A row group of the Parquet file has more than 512 MiB. Write it in smaller groups.')
  if (metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0) !== Number(metadata.num_rows))
    throw new Refusal('bad_input', 'The Parquet file does not say the same about its rows twice; it is damaged.')
  const days = parquetSchema(metadata).children.flatMap(({ element }) =>
    element.converted_type === 'DATE' || element.logical_type?.type === 'DATE' ? [element.name] : [],
  )
  return { buffer, metadata, days: new Set(days) }
}

async function rowsOf({ buffer: file, metadata, days }: Opened, rowStart: number, rowEnd: number) {
  if (rowEnd <= rowStart) return []
  const rows = await readable(() => parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors }))
  return rows.map((row) => {
    const cells = flatten(row)
    if (cells !== undefined)
      for (const name of days) {
        const day = row[name] as unknown
        if (day instanceof Date) cells.set(name, textOfValue(day).slice(0, 10))
      }
    return cells
  })
}

async function readable<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw new Refusal('bad_input', 'The Parquet file is cut or damaged, or packed in a way that is not known here.', {
      cause: String(error),
    })
  }
}
