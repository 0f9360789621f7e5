import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createAudit } from '../../../modules/audit/server/index.ts'
import { lookAtClickHouse } from '../../../platform/clickhouse/open.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import type { Config } from '../../../platform/config/config.ts'
import { secretKey } from '../../../platform/data-dir/key.ts'
import { lockDataDir } from '../../../platform/data-dir/lock.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { lookAtPostgres } from '../../../platform/postgres/open.ts'
import { systemRandom } from '../../../platform/random/random.ts'
import { createSecrets } from '../../../platform/secrets/secrets.ts'
import { auditHeadsOf } from '../engines.ts'
import { finding, type Finding } from './finding.ts'

/** What mends a database that cannot be opened. */
const unopened = 'Nothing was changed. A backup is put back by npx interlock restore DIR.'

/**
 * No server has the data directory: starts the embedded engines as they are, looks, and stops them. No table, no migration and no file of ours is
 * made or changed; an engine that was killed recovers by itself as at any start.
 */
export async function stores(config: Config): Promise<Finding[]> {
  const at = (name: string) => join(config.dataDir, name)
  if (!existsSync(at('journal')))
    return [{ name: 'Data', ok: true, says: 'nothing here yet; the first start makes it' }]
  const lock = lockDataDir(config.dataDir)
  try {
    return [...(await postgres(config, lock.directory)), await clickhouse(config, lock.directory)]
  } finally {
    lock.release()
  }
}

const says = (error: unknown) => (error instanceof Error ? error.message : String(error))

async function postgres({ databaseUrl, secretKey: configured }: Config, directory: string): Promise<Finding[]> {
  const name = 'PostgreSQL'
  let opened: Awaited<ReturnType<typeof lookAtPostgres>>
  try {
    opened = await lookAtPostgres(
      databaseUrl === undefined ? { dataDir: directory } : { url: databaseUrl },
      silentLog,
      systemClock,
    )
  } catch (error) {
    return [
      {
        name,
        ok: false,
        says: says(error),
        mend: unopened,
      },
    ]
  }
  try {
    const [row] = await opened.pool.query<{ version: string }>(`SELECT current_setting('server_version') AS version`)
    const version = `version ${row?.version ?? '?'}, ${databaseUrl === undefined ? 'embedded' : 'a server of yours'}`
    const { pending, newer } = opened.migrations
    if (newer.length > 0)
      return [
        {
          name,
          ok: false,
          says: `${version}; the database is newer than this program (${newer.join(', ')})`,
          mend: 'Start the newer program; there is no way back.',
        },
      ]
    const found: Finding[] = [
      {
        name,
        ok: true,
        says: `${version}${pending.length === 0 ? '' : `; the next start applies ${String(pending.length)} migrations`}`,
      },
    ]
    if (pending.length === 0) {
      const secrets =
        configured !== undefined || existsSync(join(directory, 'secret.key'))
          ? createSecrets(secretKey(directory, configured), systemRandom)
          : undefined
      const verified = await createAudit({
        postgres: opened.pool,
        clock: systemClock,
        ...(secrets === undefined ? {} : { heads: { file: auditHeadsOf(directory), secrets } }),
      }).verify()
      found.push(auditFinding(verified))
    }
    return found
  } catch (error) {
    return [{ name, ok: false, says: says(error), mend: 'The log (INTERLOCK_LOG=debug) says more.' }]
  } finally {
    await opened.close()
  }
}

const clickhouse = ({ clickhouseUrl }: Config, directory: string): Promise<Finding> =>
  finding(
    'ClickHouse',
    async () => {
      const { clickhouse, close } = await lookAtClickHouse(
        clickhouseUrl === undefined ? { dataDir: directory } : { url: clickhouseUrl },
        silentLog,
        systemClock,
      )
      try {
        const [row] = await clickhouse.query<{ version: string; events: string }>(
          'SELECT version() AS version, toString(count()) AS events FROM event',
        )
        return `version ${row?.version ?? '?'}, ${row?.events ?? '0'} events, ${clickhouseUrl === undefined ? 'embedded' : 'a server of yours'}`
      } finally {
        await close()
      }
    },
    unopened,
  )

/** The end of the audit log as a line of the doctor. */
export function auditFinding(verified: { ok: boolean; entries?: number; seq?: number; because?: string }): Finding {
  return verified.ok
    ? { name: 'Audit log', ok: true, says: `${String(verified.entries ?? 0)} entries, whole` }
    : {
        name: 'Audit log',
        ok: false,
        says: `entry ${String(verified.seq ?? 0)}: ${verified.because ?? ''}`,
        mend: 'Somebody changed the log. Compare with a backup; nothing here puts it right, and nothing should.',
      }
}
