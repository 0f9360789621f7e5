import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Refusal } from '../../lib/refusals/refusals.ts'

/** Files that people hand in, by id: no name from outside ever becomes a path. */
export interface Files {
  /** Writes what arrives, durably, and resolves with its length. @throws Refusal('too_large') past `maxBytes`; nothing is left behind then */
  write(id: string, content: Readable, maxBytes: number): Promise<number>
  /** The first bytes of a file. */
  head(id: string, bytes: number): Promise<Uint8Array>
  read(id: string): AsyncIterable<Uint8Array>
  /** The bytes from `from` up to (not including) `to`, fewer at the end of the file: formats whose table of contents is at their end. */
  part(id: string, from: number, to: number): Promise<Uint8Array>
  remove(id: string): Promise<void>
  list(): Promise<string[]>
}

export function createFiles(directory: string): Files {
  const pathOf = (id: string) => {
    if (!/^[a-z_]+_[0-9a-z]{26}$/.test(id)) throw new Error(`not an id: ${id}`)
    return join(directory, id)
  }
  return {
    async write(id, content, maxBytes) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const path = pathOf(id)
      let bytes = 0
      const guard = new Transform({
        transform(chunk: Uint8Array, _encoding, done) {
          bytes += chunk.byteLength
          if (bytes > maxBytes)
            done(new Refusal('too_large', `The file is larger than ${String(Math.floor(maxBytes / 1_048_576))} MiB.`))
          else done(null, chunk)
        },
      })
      try {
        await pipeline(content, guard, createWriteStream(path, { mode: 0o600, flush: true }))
      } catch (error) {
        await rm(path, { force: true })
        throw error
      }
      return bytes
    },
    head: (id, bytes) => partOf(pathOf(id), 0, bytes),
    part: (id, from, to) => partOf(pathOf(id), from, to),
    read: (id) => contentOf(pathOf(id)),
    remove: (id) => rm(pathOf(id), { force: true }),
    async list() {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      return readdir(directory)
    },
  }
}

/** One file that somebody named on the command line, read in place. */
export const fileAt = (path: string): Pick<Files, 'head' | 'read' | 'part'> => ({
  head: (_, bytes) => partOf(path, 0, bytes),
  part: (_, from, to) => partOf(path, from, to),
  read: () => contentOf(path),
})

const contentOf = (path: string) => createReadStream(path, { highWaterMark: 262_144 })

async function partOf(path: string, from: number, to: number): Promise<Uint8Array> {
  const file = await open(path)
  try {
    const buffer = new Uint8Array(Math.max(0, Math.min(to, (await file.stat()).size) - from))
    await file.read(buffer, 0, buffer.length, from)
    return buffer
  } finally {
    await file.close()
  }
}
