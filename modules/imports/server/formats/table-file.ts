import { createGunzip } from 'node:zlib'
import { Readable } from 'node:stream'
import iconv from 'iconv-lite'
import type { CsvColumn } from '../../../../lib/csv/detect.ts'
import type { CsvRecord } from '../../../../lib/csv/records.ts'
import { Refusal } from '../../../../lib/refusals/refusals.ts'
import type { Files } from '../../../../platform/files/files.ts'
import type { Format } from '../../contract.ts'

/** A file that was handed in, unpacked when it came packed with gzip. */
export interface TableFile {
  bytes: number
  gzip: boolean
  /** The first 128 KiB, unpacked. */
  head: Uint8Array
  /** Everything, unpacked; `seen` hears of the bytes of the file itself, for progress. */
  read(seen: (bytes: number) => void): AsyncIterable<Uint8Array>
  /** Of the file itself, where its table of contents is not at the beginning. */
  part(from: number, to: number): Promise<Uint8Array>
}

/** Records of a file as they come. */
export type Records = AsyncGenerator<CsvRecord[]>

/** One way in which files are written: a file of this folder and a line in `kinds.ts`. */
export interface Kind {
  /** Whether a file that begins like this is of this kind. */
  suits(head: Uint8Array): boolean
  /** How it is written. @throws Refusal('bad_input') when it is broken */
  detect(file: TableFile): Promise<Partial<Format>>
  /** Names, types and samples of its columns. @throws Refusal('bad_input') */
  columns(file: TableFile, format: Format): Promise<CsvColumn[]>
  /** Its rows, without the header. A row that cannot be read has a `problem`. @throws Refusal('bad_input') when the file is broken as a whole */
  records(file: TableFile, format: Format, names: readonly string[], seen: (bytes: number) => void): Records
}

const sampleBytes = 131_072
/** Text that is longer than this, unpacked, or more than 200 times as long as the packed file, is a bomb and no table. */
const mostUnpacked = 16 * 1024 ** 3
const mostRatio = 200

/** @throws Refusal('bad_input') for a packed file that is cut or none */
export async function tableFile(
  files: Pick<Files, 'head' | 'read' | 'part'>,
  id: string,
  bytes: number,
): Promise<TableFile> {
  const packed = await files.head(id, sampleBytes)
  const gzip = packed[0] === 0x1f && packed[1] === 0x8b
  const file: TableFile = {
    bytes,
    gzip,
    head: packed,
    part: (from, to) => files.part(id, from, to),
    async *read(seen) {
      const counted = (async function* () {
        for await (const chunk of files.read(id)) {
          seen(chunk.byteLength)
          yield chunk
        }
      })()
      if (!gzip) {
        yield* counted
        return
      }
      const most = Math.min(mostUnpacked, Math.max(64 * 1024 ** 2, bytes * mostRatio))
      let unpacked = 0
      const source = Readable.from(counted)
      const gunzip = createGunzip({ chunkSize: 262_144 })
      source.on('error', (error) => gunzip.destroy(error))
      try {
        for await (const chunk of source.pipe(gunzip) as AsyncIterable<Uint8Array>) {
          unpacked += chunk.byteLength
          if (unpacked > most)
            throw new Refusal(
              'bad_input',
              `The packed file unpacks to more than ${String(Math.floor(most / 1024 ** 2))} MiB, which no table of its size does.`,
            )
          yield chunk
        }
      } catch (error) {
        if (error instanceof Refusal) throw error
        throw new Refusal('bad_input', 'The packed file (gzip) is cut or damaged.', { cause: String(error) })
      } finally {
        source.destroy()
        gunzip.destroy()
      }
    },
  }
  if (gzip) file.head = await headOf(file)
  return file
}

async function headOf(file: TableFile): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of file.read(() => undefined)) {
    pieces.push(piece)
    length += piece.byteLength
    if (length >= sampleBytes) break
  }
  return Buffer.concat(pieces).subarray(0, sampleBytes)
}

/** The file as text, without a byte-order mark. */
export async function* textOf(file: TableFile, encoding: Format['encoding'], seen: (bytes: number) => void) {
  const decoder = iconv.getDecoder(encoding)
  let first = true
  for await (const chunk of file.read(seen)) {
    const text = decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    yield first ? text.replace(/^\uFEFF/, '') : text
    first = false
  }
  yield decoder.end() ?? ''
}

/** The beginning as text, whole lines only unless there is but one. */
export function sampleOf(file: TableFile, encoding: Format['encoding']): string {
  const text = iconv.decode(Buffer.from(file.head), encoding).replace(/^\uFEFF/, '')
  const last = text.lastIndexOf('\n')
  return file.head.length < sampleBytes || last <= 0 ? text : text.slice(0, last + 1)
}

/** Lets the header go by. */
export async function* behindHeader(records: Records, hasHeader: boolean): Records {
  let waits = hasHeader
  for await (const some of records) {
    if (!waits || some.length === 0) yield some
    else {
      waits = false
      yield some.slice(1)
    }
  }
}

/** The first records, for a look at the columns. */
export async function firstOf(records: Records, most: number): Promise<CsvRecord[]> {
  const found: CsvRecord[] = []
  for await (const some of records) {
    found.push(...some)
    if (found.length >= most) break
  }
  return found.slice(0, most)
}
