import { createInflateRaw } from 'node:zlib'
import { Readable } from 'node:stream'
import { Refusal } from '../../../../lib/refusals/refusals.ts'
import type { TableFile } from './table-file.ts'

const broken = (because: string) => new Refusal('bad_input', `The workbook is damaged: ${because}.`)
const mostEntries = 10_000
const mostDirectory = 4 * 1024 ** 2
const pieceBytes = 262_144

/** One file within an archive. Names are only compared, never opened: nothing is unpacked to the disk. */
interface Entry {
  offset: number
  packed: number
  method: number
}

/**
 * The files in a ZIP archive (APPNOTE 6.3.10 without ZIP64 and encryption), read from its directory at the end, each as a stream and up to a limit of
 * bytes that is counted while it is unpacked: what the archive says about its own sizes is not believed.
 */
export async function openZip(file: TableFile) {
  const tail = Buffer.from(await file.part(Math.max(0, file.bytes - 65_557), file.bytes))
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]))
  if (end === -1 || end + 22 > tail.length) throw broken('it has no end')
  const length = tail.readUInt32LE(end + 12)
  const start = tail.readUInt32LE(end + 16)
  if (length > mostDirectory || start + length > file.bytes) throw broken('its table of contents does not hold')
  const directory = Buffer.from(await file.part(start, start + length))
  const entries = new Map<string, Entry>()
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === 0x02014b50;) {
    const [name, extra, comment] = [28, 30, 32].map((where) => directory.readUInt16LE(at + where)) as [
      number,
      number,
      number,
    ]
    if (entries.size >= mostEntries) throw broken('it has more than 10,000 parts')
    if ((directory.readUInt16LE(at + 8) & 1) === 1)
      throw new Refusal(
        'bad_input',
        'The workbook is protected by a password. Save it without one and hand it in again.',
      )
    entries.set(directory.toString('utf8', at + 46, at + 46 + name), {
      method: directory.readUInt16LE(at + 10),
      packed: directory.readUInt32LE(at + 20),
      offset: directory.readUInt32LE(at + 42),
    })
    at += 46 + name + extra + comment
  }

  return {
    has: (name: string) => entries.has(name),
    /** Unpacks one part. @throws Refusal('bad_input') when there is none, it is damaged, or longer than `most` bytes */
    async *read(
      name: string,
      most: number,
      seen: (bytes: number) => void = () => undefined,
    ): AsyncGenerator<Uint8Array> {
      const entry = entries.get(name)
      if (entry === undefined) throw broken(`${name.slice(0, 60)} is missing`)
      const head = Buffer.from(await file.part(entry.offset, entry.offset + 30))
      if (head.length < 30 || head.readUInt32LE(0) !== 0x04034b50) throw broken('a part is not where it should be')
      const from = entry.offset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28)
      const packed = (async function* () {
        for (let at = from; at < from + entry.packed; at += pieceBytes) {
          const piece = await file.part(at, Math.min(at + pieceBytes, from + entry.packed))
          seen(piece.byteLength)
          if (piece.byteLength === 0) return
          yield piece
        }
      })()
      if (entry.method !== 0 && entry.method !== 8) throw broken('it is packed in a way that is not known here')
      const source = Readable.from(packed)
      const inflate = createInflateRaw({ chunkSize: pieceBytes })
      source.on('error', (error) => inflate.destroy(error))
      let bytes = 0
      try {
        for await (const piece of (entry.method === 0 ? source : source.pipe(inflate)) as AsyncIterable<Uint8Array>) {
          bytes += piece.byteLength
          if (bytes > most)
            throw new Refusal(
              'bad_input',
              `Unpacked, the workbook is larger than ${String(Math.floor(most / 1024 ** 2))} MiB, which no table of its size is.`,
            )
          yield piece
        }
      } catch (error) {
        if (error instanceof Refusal) throw error
        throw broken('a part cannot be unpacked')
      } finally {
        source.destroy()
        inflate.destroy()
      }
    },
  }
}
