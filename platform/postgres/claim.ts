import pg from 'pg'
import type { Clock } from '../clock/clock.ts'
import type { Log } from '../log/log.ts'
import { connectionOf, type PostgresAddress } from './pool.ts'

/** The exclusive right to one database, held until `release` or the death of the process. */
export interface DatabaseClaim {
  release(): Promise<void>
}

/** Another process works on this database; the message says what to do. */
export class DatabaseTaken extends Error {}

/** Any number but that of the migrations. */
const advisoryLock = 7_411_903
const retryMs = 1_000

/**
 * What the lock of the data directory is for the files, for a database that several machines can reach: who is who is kept in memory with one
 * writer, and jobs of other workers are taken to be dead, so one process works on a database at a time. PostgreSQL ends the claim with its
 * connection, so the successor of a killed process gets it at once, and that of one whose machine went away when PostgreSQL notices.
 * @param patienceMs how long to wait for a predecessor that is still ending
 * @param lost another process took the claim while this one could not reach the database: stop at once
 * @throws DatabaseTaken
 */
export async function claimDatabase(
  address: PostgresAddress,
  clock: Clock,
  log: Log,
  lost: () => void,
  patienceMs = 60_000,
): Promise<DatabaseClaim> {
  let released = false
  let holding: pg.Client | undefined

  /** @returns whether the claim is ours now; throws when the server cannot be reached */
  async function take(): Promise<boolean> {
    const client = new pg.Client({
      ...connectionOf(address),
      application_name: 'interlock claim',
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
    })
    let ended = false
    client.on('error', () => undefined)
    client.on('end', () => {
      ended = true
      if (holding === client && !released) void again()
    })
    await client.connect()
    const { rows } = await client.query<{ ours: boolean }>('SELECT pg_try_advisory_lock($1) AS ours', [advisoryLock])
    if (rows[0]?.ours === true && !ended) {
      holding = client
      return true
    }
    await client.end()
    return false
  }

  async function again(): Promise<void> {
    holding = undefined
    while (!released) {
      try {
        if (await take()) return
        log.error('another process took the database', new DatabaseTaken('the claim on the database was lost'))
        lost()
        return
      } catch {
        // The server is away for both of us.
        await clock.sleep(retryMs)
      }
    }
  }

  for (let waitedMs = 0; !(await take()); waitedMs += retryMs) {
    if (waitedMs >= patienceMs)
      throw new DatabaseTaken(
        'Another Interlock process works on this database. One process serves everything: stop that one, or give this one a database of its own (INTERLOCK_DATABASE_URL).',
      )
    await clock.sleep(retryMs)
  }
  return {
    async release() {
      released = true
      await holding?.end()
    },
  }
}
