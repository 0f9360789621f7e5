import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { aPostgres } from '../../test/make/engines.ts'
import { systemClock } from '../clock/clock.ts'
import { silentLog } from '../log/log.ts'
import { claimDatabase, DatabaseTaken } from './claim.ts'
import { connectionOf } from './pool.ts'

describe('the claim on a database', () => {
  it('is one process’s at a time, and its successor’s as soon as it is given back', async () => {
    const { address } = await aPostgres()
    const never = () => {
      throw new Error('lost')
    }
    const first = await claimDatabase(address, systemClock, silentLog, never)
    await expect(claimDatabase(address, systemClock, silentLog, never, 0)).rejects.toThrow(DatabaseTaken)
    await first.release()
    await (await claimDatabase(address, systemClock, silentLog, never, 0)).release()
  })

  it('stops who lost it while the database could not be reached', async () => {
    const { address } = await aPostgres()
    const lost = Promise.withResolvers<void>()
    const first = await claimDatabase(address, systemClock, silentLog, lost.resolve)
    // A successor waits in PostgreSQL's own queue for the lock, so it has it before the first one can be back.
    const successor = new pg.Client(connectionOf(address))
    await successor.connect()
    const waiting = successor.query('SELECT pg_advisory_lock(7411903)')
    const admin = new pg.Client(connectionOf(address))
    await admin.connect()
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'interlock claim' AND datname = current_database()`,
    )
    await waiting
    await lost.promise
    await first.release()
    await admin.end()
    await successor.end()
  })
})
