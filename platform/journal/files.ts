import { constants } from 'node:fs'
import { access, mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The few things the journal asks of a disk, in one directory. Everything it does goes through here, so that a test can
 * put a simulated disk in its place that loses or tears what was not synced (test/make/simulated-disk.ts).
 */
export interface JournalFiles {
  /** Where this is, for sentences to people. */
  readonly path: string
  /** Names of the files, unordered. */
  list(): Promise<string[]>
  /** Opens for reading and writing; `create` demands that the file is new. */
  open(name: string, how: 'create' | 'existing'): Promise<JournalFile>
  /** The whole file (segments have a bounded size). */
  read(name: string): Promise<Uint8Array>
  size(name: string): Promise<number>
  rename(from: string, to: string): Promise<void>
  remove(name: string): Promise<void>
  /** Makes creations, renames and removals durable. */
  syncDirectory(): Promise<void>
  /** What is left for us on this disk, in bytes. */
  space(): Promise<{ free: number; total: number }>
  /** @throws when the directory cannot be written */
  writable(): Promise<void>
}

export interface JournalFile {
  write(bytes: Uint8Array, at: number): Promise<void>
  /** Fills `into` as far as the file goes and gives the number of bytes read. */
  read(into: Uint8Array, at: number): Promise<number>
  truncate(size: number): Promise<void>
  /** fdatasync: resolves when the bytes (and the size) are on the disk. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** A directory of the real file system, made (for its owner only) when it is missing. */
export async function directoryFiles(path: string): Promise<JournalFiles> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  return {
    path,
    list: () => readdir(path),
    async open(name, how) {
      const handle = await open(join(path, name), how === 'create' ? 'wx+' : 'r+', 0o600)
      return {
        async write(bytes, at) {
          let done = 0
          while (done < bytes.length) {
            const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done)
            if (bytesWritten === 0) throw new Error(`The disk took none of ${bytes.length - done} bytes for ${name}`)
            done += bytesWritten
          }
        },
        async read(into, at) {
          let done = 0
          while (done < into.length) {
            const { bytesRead } = await handle.read(into, done, into.length - done, at + done)
            if (bytesRead === 0) break
            done += bytesRead
          }
          return done
        },
        truncate: (size) => handle.truncate(size),
        sync: () => handle.datasync(),
        close: () => handle.close(),
      }
    },
    read: (name) => readFile(join(path, name)),
    size: async (name) => (await stat(join(path, name))).size,
    rename: (from, to) => rename(join(path, from), join(path, to)),
    remove: (name) => rm(join(path, name)),
    async syncDirectory() {
      const handle = await open(path, constants.O_RDONLY)
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
    },
    async space() {
      const { bavail, blocks, bsize } = await statfs(path)
      return { free: bavail * bsize, total: blocks * bsize }
    },
    writable: () => access(path, constants.W_OK | constants.R_OK | constants.X_OK),
  }
}
