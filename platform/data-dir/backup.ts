import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { refuseWhenLost } from './history.ts'

/** What a backup says of itself, written last: a folder without it is no backup but the beginning of one. */
const Contents = z.object({
  format: z.literal(1),
  at: z.string(),
  entries: z.array(z.object({ name: z.string(), files: z.number(), bytes: z.number(), sha256: z.string() })),
})
export type Contents = z.infer<typeof Contents>
type Entry = Contents['entries'][number]

const listName = 'backup.json'
/** Belongs to a process and not to the data: made anew by each start. */
const left = new Set([
  'lock',
  'lock-journal',
  'owner.json',
  'server.json',
  'postgres.socket',
  'engine.xml',
  'clickhouse-inbox',
  listName,
])

/**
 * Copies a data directory that nobody uses (the caller holds its lock). Where an entry is a link, what it points to is copied; links inside of
 * the engines' folders stay links, because ClickHouse lists its tables by them. The copy is read back: its sums are those of what lies there.
 * @param to a folder that does not exist or is empty
 * @throws when a database is missing, still running, or the target is not empty
 */
export function backUp(
  dataDir: string,
  to: string,
  now: Date,
  embedded: { postgres: boolean; clickhouse: boolean },
): Contents {
  if (`${to}/`.startsWith(`${dataDir}/`))
    throw new Error(`${to} lies in the data directory itself. Name a folder elsewhere, best on another disk.`)
  if (embedded.postgres) refuseWhenLost(dataDir, 'postgres')
  if (embedded.clickhouse) refuseWhenLost(dataDir, 'clickhouse')
  refuseRunning(join(dataDir, 'postgres', 'postmaster.pid'))
  const entries = intoEmpty(to, 0o700, (half) =>
    readdirSync(dataDir)
      .filter((name) => !left.has(name))
      .sort()
      .map((name): Entry => {
        copy(realpathSync(join(dataDir, name)), join(half, name))
        return { name, ...sumOf(join(half, name)) }
      }),
  )
  const contents: Contents = { format: 1, at: now.toISOString(), entries }
  writeFileSync(join(to, listName), JSON.stringify(contents, undefined, 2), { mode: 0o600, flush: true })
  return contents
}

/**
 * Makes a data directory of a backup, after both the backup and the copy were compared with the sums that were taken when it was made.
 * @param dataDir a folder that does not exist or is empty
 * @throws when the backup is not whole, or the target is not empty
 */
export function restore(from: string, dataDir: string): Contents {
  const list = join(from, listName)
  if (!existsSync(list))
    throw new Error(
      `${from} has no ${listName}: it is not a backup, or one that was not finished. Nothing was restored.`,
    )
  const contents = Contents.parse(JSON.parse(readFileSync(list, 'utf8')))
  // As the first start makes it (lock.ts): what is secret inside is closed by its own mode.
  intoEmpty(dataDir, 0o755, (half) => {
    for (const entry of contents.entries) {
      if (basename(entry.name) !== entry.name)
        throw new Error(`${list} names ${entry.name}, which is no entry of a backup.`)
      const copied = existsSync(join(from, entry.name))
        ? (copy(join(from, entry.name), join(half, entry.name)), sumOf(join(half, entry.name)))
        : undefined
      if (copied?.sha256 !== entry.sha256)
        throw new Error(
          `${join(from, entry.name)} is not what it was when the backup was made (${
            copied === undefined
              ? 'it is missing'
              : `${String(copied.files)} files with ${String(copied.bytes)} bytes, were ${String(entry.files)} with ${String(entry.bytes)}, or other contents`
          }). Nothing was restored: take another backup.`,
        )
    }
  })
  return contents
}

/** Works in a folder beside the target that takes its place when all went well. */
function intoEmpty<Result>(target: string, mode: number, work: (half: string) => Result): Result {
  if (existsSync(target) && (!statSync(target).isDirectory() || readdirSync(target).length > 0))
    throw new Error(`${target} is not empty. Name a folder that is not there yet; nothing is ever overwritten.`)
  const half = `${target}.half`
  rmSync(half, { recursive: true, force: true })
  mkdirSync(half, { recursive: true, mode })
  try {
    const result = work(half)
    // One for all of it: a call for each of thousands of files takes minutes on a busy disk.
    execFileSync('sync')
    if (existsSync(target)) rmdirSync(target)
    renameSync(half, target)
    const folder = openSync(dirname(target), 'r')
    fsyncSync(folder)
    closeSync(folder)
    return result
  } catch (error) {
    rmSync(half, { recursive: true, force: true })
    throw error
  }
}

/** Everything under a path, with modes, links as links. Sockets and pipes are no data. */
function copy(from: string, to: string): void {
  const found = lstatSync(from)
  if (found.isSymbolicLink()) symlinkSync(readlinkSync(from), to)
  else if (found.isDirectory()) {
    mkdirSync(to, { mode: 0o700 })
    for (const name of readdirSync(from)) copy(join(from, name), join(to, name))
  } else if (found.isFile()) {
    copyFileSync(from, to, constants.COPYFILE_FICLONE)
  }
}

/** One sum over names and contents of everything under a path, read in pieces. */
function sumOf(path: string): Omit<Entry, 'name'> {
  const whole = createHash('sha256')
  const piece = Buffer.alloc(1_048_576)
  let files = 0
  let bytes = 0
  const visit = (at: string, name: string) => {
    const found = lstatSync(at)
    whole.update(`${name}\u0000`)
    if (found.isSymbolicLink()) whole.update(`link ${readlinkSync(at)}\u0000`)
    else if (found.isDirectory()) for (const inner of readdirSync(at).sort()) visit(join(at, inner), `${name}/${inner}`)
    else {
      const file = openSync(at, 'r')
      for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) {
        whole.update(piece.subarray(0, read))
        bytes += read
      }
      closeSync(file)
      files += 1
      whole.update('\u0000')
    }
  }
  visit(path, '')
  return { files, bytes, sha256: whole.digest('hex') }
}

/** A PostgreSQL that outlived its owner by a moment still writes. */
function refuseRunning(note: string): void {
  if (!existsSync(note)) return
  const pid = Number(readFileSync(note, 'utf8').split('\n')[0])
  try {
    process.kill(pid, 0)
  } catch {
    return
  }
  throw new Error(
    `PostgreSQL (process ${String(pid)}) still runs on this directory. Wait until it has ended, then try again.`,
  )
}
