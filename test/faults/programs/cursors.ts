import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngines } from '../../../apps/server/engines.ts'
import { createAudit } from '../../../modules/audit/server/index.ts'
import { createCollect } from '../../../modules/collect/server/index.ts'
import { createSources } from '../../../modules/sources/server/index.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { readConfig } from '../../../platform/config/config.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { createIds, systemRandom } from '../../../platform/random/random.ts'
import { mariadbPath } from '../../make/mariadb.ts'
import { aLegacyMariaDb, aLegacyPostgres } from '../parts/legacy.ts'
import { held, storm, type Stormed } from '../parts/pull-storm.ts'
import { removeDataDirs } from '../../../platform/data-dir/remove.ts'

export const summary =
  'A hundred pulls each from a PostgreSQL and a MariaDB while writers commit late, update and delete; every third is killed.'

const rounds = 100
const holdMs = 3000

export async function run(say: (line: string) => void): Promise<boolean> {
  const dataDir = mkdtempSync(join(tmpdir(), 'interlock-cursors-'))
  const engines = await openEngines(readConfig({}, { dataDir }), silentLog)
  try {
    const { postgres, clickhouse, journal, index } = engines
    const clock = systemClock
    const audit = createAudit({ postgres, clock })
    const ids = createIds(clock, systemRandom)
    const sources = createSources({ postgres, clock, ids, random: systemRandom, log: silentLog, audit })
    await sources.load()
    const source = await postgres.transaction((tx) =>
      sources.createAs(tx, { kind: 'system', id: 'faults' }, { name: 'Old shop', kind: 'crm' }),
    )
    const collect = createCollect({ postgres, clickhouse, journal, index, sources, audit, clock, log: silentLog })
    await collect.start([])
    const results: Stormed[] = []
    try {
      for (const [at, open] of [aLegacyPostgres, aLegacyMariaDb].entries()) {
        if (open === aLegacyMariaDb && mariadbPath === undefined) {
          say('✕ MariaDB is not installed: apt-get install -y mariadb-server')
          return false
        }
        const legacy = await open()
        say(`${legacy.kind === 'postgres' ? 'PostgreSQL' : 'MariaDB'}: ${String(rounds)} rounds …`)
        try {
          results.push(
            await storm(legacy, { postgres, clickhouse, audit, sources, source, collect }, rounds, at + 1, holdMs),
          )
        } finally {
          await legacy.stop()
        }
      }
    } finally {
      await collect.stop()
      sources.stop()
    }
    say(table(results))
    const ok = results.every(held)
    say(
      ok
        ? 'Every row of the other side is here as it is there, said once for each value, and what is gone is said to be gone.'
        : '✕ A promise was broken.',
    )
    return ok
  } finally {
    await engines.close()
    await removeDataDirs(dataDir)
  }
}

function table(results: readonly Stormed[]): string {
  const head = [
    'database',
    'rounds',
    'kills',
    'changes',
    'committed late',
    'rows there',
    'missing',
    'doubled',
    'wrong',
    'deletes said',
    'deletes unseen',
  ]
  const rows = results.map((one) =>
    [
      one.database,
      one.rounds,
      one.kills,
      one.written,
      one.late,
      one.rows,
      one.missing,
      one.doubled,
      one.wrong,
      one.deleted,
      one.deletesUnseen,
    ].map(String),
  )
  const widths = head.map((word, at) => Math.max(word.length, ...rows.map((row) => row[at]?.length ?? 0)))
  return [head, ...rows].map((row) => row.map((cell, at) => cell.padStart(widths[at] ?? 0)).join('  ')).join('\n')
}
