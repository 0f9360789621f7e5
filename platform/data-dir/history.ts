import { existsSync, lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The directory has a past and the database of that past is not there; the message says how to mend it. */
export class DatabaseMissing extends Error {}

/** What only a directory has that was used before: PostgreSQL's database is there before the first of these is made. The key is none, because it may be put there beforehand. */
const traces = ['journal', 'seen.sqlite', 'audit-heads', 'clickhouse']

/**
 * Before an engine makes a new, empty database: is this the first start, or did one get lost? A copied link that points nowhere, a disk that is
 * not mounted and a half-finished copy all look like a first start to an engine, and a new database beside a full journal would hide the loss.
 * @param name the engine's folder in the data directory
 * @throws DatabaseMissing when the directory has a past
 */
export function refuseWhenLost(dataDir: string, name: 'postgres' | 'clickhouse'): void {
  const path = join(dataDir, name)
  const mend = `Put the folder back from a backup (npx interlock restore DIR copies a whole one), or mount what is missing. To begin anew with nothing, choose another data directory.`
  const link = lstatSync(path, { throwIfNoEntry: false })
  if (link?.isSymbolicLink() === true && statSync(path, { throwIfNoEntry: false }) === undefined)
    throw new DatabaseMissing(
      `${path} is a link to ${readlinkSync(path)}, and nothing is there: only the link was copied, or the disk behind it is missing. No new database is made in its place. ${mend}`,
    )
  if (link !== undefined && filled(path)) return
  const past = traces.filter((trace) => trace !== name && filled(join(dataDir, trace)))
  if (past.length > 0)
    throw new DatabaseMissing(
      `${dataDir} was used before (it has ${past.join(', ')}), but its database ${path} is missing. No new one is made in its place. ${mend}`,
    )
}

function filled(path: string): boolean {
  if (!existsSync(path)) return false
  if (!statSync(path).isDirectory()) return true
  try {
    return readdirSync(path).length > 0
  } catch {
    // A folder that only its engine may read is not empty.
    return true
  }
}
