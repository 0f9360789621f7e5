import { join } from 'node:path'
import type * as Sqlite from 'node:sqlite'
import { InterlockError } from './errors.ts'

/**
 * Makes this process the only one that has the spool. Node has no lock on files, but its SQLite has: the kernel's own, which ends with the process
 * however it ends, so nothing stale is ever left and no process id is compared. The database stays empty.
 * @returns lets it go
 * @throws InterlockError `spool_in_use`, `spool_failed`
 */
export function holdSpool(folder: string): () => void {
  let lock: Sqlite.DatabaseSync | undefined
  try {
    // Asked for here and not imported, because some versions of Node warn about it, and who has no spool need not hear that.
    const sqlite = process.getBuiltinModule('node:sqlite') as typeof Sqlite | undefined
    if (sqlite === undefined) throw new Error('a spool needs Node 22.13 or later')
    lock = new sqlite.DatabaseSync(join(folder, 'lock'))
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock?.close()
    if (/locked|busy/i.test(String(cause)))
      throw new InterlockError(
        'spool_in_use',
        `Another process, or another client in this one, has the spool ${folder}. Give each process a folder of its own.`,
        { cause },
      )
    throw new InterlockError(
      'spool_failed',
      `The spool ${folder} cannot be locked: ${cause instanceof Error ? cause.message : String(cause)}.`,
      { cause },
    )
  }
  const held = lock
  return () => {
    held.close()
  }
}
