import { chmodSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** The exclusive right to one data directory, held until `release` or the death of the process. */
export interface DataDirLock {
  /** The directory with all links resolved. */
  directory: string
  release(): void
}

/** The directory belongs to somebody else; the message says to whom and what to do. */
export class DataDirTaken extends Error {}

/**
 * Nobody else reads the directory. Started as root, the embedded PostgreSQL runs as another user and walks through it to its own folder, so
 * there it may be walked through, not listed.
 */
function keepToOwner(directory: string): void {
  const root = process.getuid?.() === 0
  if (root || statSync(directory).uid === process.getuid?.()) chmodSync(directory, root ? 0o711 : 0o700)
}

/**
 * Takes the directory. An operating-system lock on one file in it: it dies with its process, and because it is on the inode it
 * also stops an owner that comes by a link or another mount. SQLite holds it for us (`BEGIN EXCLUSIVE` is a POSIX record lock),
 * because Node has no lock call of its own.
 * @throws DataDirTaken with the process that has it
 */
export function lockDataDir(path: string): DataDirLock {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const directory = realpathSync(path)
  keepToOwner(directory)
  const owner = join(directory, 'owner.json')
  const lock = new DatabaseSync(join(directory, 'lock'))
  try {
    lock.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    let who = 'another process'
    try {
      const { pid, since } = JSON.parse(readFileSync(owner, 'utf8')) as { pid: number; since: string }
      who = `process ${String(pid)} (since ${since})`
    } catch {
      // The owner has not written its name yet; the refusal stands without it.
    }
    throw new DataDirTaken(
      `The data directory ${directory} is in use by ${who}. Stop that one, or choose another directory with --data.`,
      { cause: error },
    )
  }
  writeFileSync(owner, JSON.stringify({ pid: process.pid, since: new Date().toISOString() }), { mode: 0o600 })
  return {
    directory,
    release() {
      lock.close()
    },
  }
}
