import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startClickHouse } from '../platform/clickhouse/child.ts'
import { systemClock } from '../platform/clock/clock.ts'
import { removeDataDirs } from '../platform/data-dir/remove.ts'
import { createLog } from '../platform/log/log.ts'
import { prepareJobs } from '../platform/jobs/worker.ts'
import { startPostgres } from '../platform/postgres/child.ts'
import { ensureDatabase, migratePostgres, readMigrations } from '../platform/postgres/migrate.ts'

/** One PostgreSQL and one ClickHouse engine for the whole run; every test file gets databases of its own (test/make/engines.ts). */

declare module 'vitest' {
  interface ProvidedContext {
    postgres: { socketDirectory: string }
    clickhouse: { url: string; secret: string }
  }
}

/** The database that every test database is a copy of. */
export const template = 'interlock_template'

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'il-test-'))
  const log = createLog('warn')
  const [postgres, clickhouse] = await Promise.all([
    startPostgres(directory, log, systemClock),
    startClickHouse(directory, log, systemClock),
  ])
  const stop = async () => {
    await Promise.all([postgres.stop(), clickhouse.stop()])
    await removeDataDirs(directory)
  }
  try {
    await ensureDatabase(postgres.socketDirectory, template)
    const address = { socketDirectory: postgres.socketDirectory, database: template }
    await migratePostgres(address, readMigrations(join(import.meta.dirname, '../migrations/postgres')), new Date())
    await prepareJobs(address)
  } catch (error) {
    await stop()
    throw error
  }
  project.provide('postgres', { socketDirectory: postgres.socketDirectory })
  project.provide('clickhouse', { url: clickhouse.url(), secret: clickhouse.secret })
  return stop
}
