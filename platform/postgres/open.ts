import { join } from 'node:path'
import type { Clock } from '../clock/clock.ts'
import type { Log } from '../log/log.ts'
import { startPostgres } from './child.ts'
import { ensureDatabase, migratePostgres, migrationState, readMigrations, type MigrationState } from './migrate.ts'
import { createPool, type PostgresAddress } from './pool.ts'
import type { PostgresPool } from './postgres.ts'

export interface OpenedPostgres {
  pool: PostgresPool
  address: PostgresAddress
  /** Pid of the embedded server's guard; undefined for a server elsewhere. */
  pid(): number | undefined
  /** Closes the pool and stops the embedded server. */
  close(): Promise<void>
}

const migrations = join(import.meta.dirname, '../../migrations/postgres')

/** Opens the state store as it is, changing nothing: for a look at an installation whose server is stopped. The database must be there. */
export async function lookAtPostgres(
  where: { url: string } | { dataDir: string },
  log: Log,
  clock: Clock,
): Promise<Pick<OpenedPostgres, 'pool' | 'close'> & { migrations: MigrationState }> {
  const child = 'dataDir' in where ? await startPostgres(where.dataDir, log, clock) : undefined
  const address: PostgresAddress =
    child === undefined
      ? { url: 'url' in where ? where.url : '' }
      : { socketDirectory: child.socketDirectory, database: 'interlock' }
  const pool = createPool(address, log, clock, 2)
  const close = async () => {
    await pool.close()
    await child?.stop()
  }
  try {
    return { pool, close, migrations: await migrationState(pool, readMigrations(migrations)) }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * Opens the state store, migrated. With a `url` a server of yours (15 or later); else the embedded PostgreSQL of the data directory,
 * whose lock the caller holds.
 */
export async function openPostgres(
  where: { url: string } | { dataDir: string },
  log: Log,
  clock: Clock,
): Promise<OpenedPostgres> {
  const child = 'dataDir' in where ? await startPostgres(where.dataDir, log, clock) : undefined
  try {
    const address: PostgresAddress =
      child === undefined
        ? { url: 'url' in where ? where.url : '' }
        : { socketDirectory: child.socketDirectory, database: 'interlock' }
    if (child !== undefined) await ensureDatabase(child.socketDirectory, 'interlock')
    const applied = await migratePostgres(address, readMigrations(migrations), clock.now())
    if (applied.length > 0) log.info('migrated PostgreSQL', { applied: applied.length })
    const pool = createPool(address, log, clock)
    await pool.ping()
    return {
      pool,
      address,
      pid: () => child?.pid(),
      async close() {
        await pool.close()
        await child?.stop()
      },
    }
  } catch (error) {
    await child?.stop()
    throw error
  }
}
