import { join } from 'node:path'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import { openClickHouse } from '../../platform/clickhouse/open.ts'
import { systemClock } from '../../platform/clock/clock.ts'
import type { Config } from '../../platform/config/config.ts'
import { secretKey } from '../../platform/data-dir/key.ts'
import { lockDataDir } from '../../platform/data-dir/lock.ts'
import { appendedLines, type Lines } from '../../platform/files/lines.ts'
import { prepareJobs } from '../../platform/jobs/worker.ts'
import { openDedupIndex, type DedupIndex } from '../../platform/journal/dedup-index.ts'
import { directoryFiles } from '../../platform/journal/files.ts'
import type { Journal } from '../../platform/journal/journal.ts'
import { openJournal } from '../../platform/journal/open-journal.ts'
import type { Log } from '../../platform/log/log.ts'
import { claimDatabase } from '../../platform/postgres/claim.ts'
import { whileNobodyMigrates } from '../../platform/postgres/migrate.ts'
import { openPostgres } from '../../platform/postgres/open.ts'
import type { PostgresAddress } from '../../platform/postgres/pool.ts'
import type { PostgresPool } from '../../platform/postgres/postgres.ts'
import { systemRandom } from '../../platform/random/random.ts'
import { createSecrets, type Secrets } from '../../platform/secrets/secrets.ts'

/** Where heads of the audit log are written down, outside the database. */
export const auditHeadsOf = (directory: string): Lines => appendedLines(join(directory, 'audit-heads'))

/** Everything that owns a process, a file or a socket, opened in order and closed in reverse. */
export interface Engines {
  /** The data directory with all links resolved, locked. */
  directory: string
  postgres: PostgresPool
  address: PostgresAddress
  clickhouse: ClickHouse
  journal: Journal
  index: DedupIndex
  secrets: Secrets
  /** Process ids of the embedded engines, for doctor and for tests that kill them. */
  pids: { postgres: number | undefined; clickhouse: number | undefined }
  /** Where heads of the audit log are written down, outside the database. */
  auditHeads: Lines
  close(): Promise<void>
}

/** @throws DataDirTaken, DatabaseTaken when another process has the directory or the database; DatabaseMissing when one was lost */
export async function openEngines(config: Config, log: Log): Promise<Engines> {
  const clock = systemClock
  const random = systemRandom
  const closers: (() => Promise<void> | void)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const lock = lockDataDir(config.dataDir)
    closers.push(() => {
      lock.release()
    })
    const { directory } = lock
    const secrets = createSecrets(secretKey(directory, config.secretKey), random)
    // Both begin at once, and both are waited for even when one fails: what opened late must be closed too.
    const openingPostgres = openPostgres(
      config.databaseUrl === undefined ? { dataDir: directory } : { url: config.databaseUrl },
      log,
      clock,
    )
    const openingClickHouse = openClickHouse(
      config.clickhouseUrl === undefined
        ? { dataDir: directory }
        : {
            url: config.clickhouseUrl,
            alone: async (migrate) => whileNobodyMigrates((await openingPostgres).address, migrate),
          },
      log,
      clock,
    )
    for (const settled of await Promise.allSettled([openingPostgres, openingClickHouse]))
      if (settled.status === 'fulfilled') closers.push(() => settled.value.close())
    const [postgres, clickhouse] = await Promise.all([openingPostgres, openingClickHouse])
    const claim = await claimDatabase(postgres.address, clock, log, () => {
      process.stderr.write(
        'Another Interlock process took the database while it could not be reached from here. Ending.\n',
      )
      process.exit(1)
    })
    closers.push(() => claim.release())
    await prepareJobs(postgres.address)
    const journal = await openJournal({ files: await directoryFiles(join(directory, 'journal')), clock, random, log })
    closers.push(() => journal.close())
    const index = await openDedupIndex(join(directory, 'seen.sqlite'), journal.id)
    closers.push(() => index.close())
    return {
      directory,
      postgres: postgres.pool,
      address: postgres.address,
      clickhouse: clickhouse.clickhouse,
      journal,
      index,
      secrets,
      pids: { postgres: postgres.pid(), clickhouse: clickhouse.pid() },
      auditHeads: auditHeadsOf(directory),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
