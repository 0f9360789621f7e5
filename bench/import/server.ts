import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { serve } from '../../apps/server/main.ts'
import { createAudit } from '../../modules/audit/server/index.ts'
import { createCollect, type Collect } from '../../modules/collect/server/index.ts'
import type { Import } from '../../modules/imports/contract.ts'
import { createImports, type Imports } from '../../modules/imports/server/index.ts'
import { createSources, type Source } from '../../modules/sources/server/index.ts'
import { openClickHouse } from '../../platform/clickhouse/open.ts'
import { systemClock } from '../../platform/clock/clock.ts'
import { readConfig } from '../../platform/config/config.ts'
import { lockDataDir } from '../../platform/data-dir/lock.ts'
import { createFiles } from '../../platform/files/files.ts'
import { createJobs } from '../../platform/jobs/worker.ts'
import { openDedupIndex } from '../../platform/journal/dedup-index.ts'
import { directoryFiles } from '../../platform/journal/files.ts'
import { openJournal } from '../../platform/journal/open-journal.ts'
import { createLog } from '../../platform/log/log.ts'
import { openPostgres } from '../../platform/postgres/open.ts'
import { createIds, systemRandom } from '../../platform/random/random.ts'
import { answers } from '../parts/child.ts'

/**
 * What reads files in, in a process of its own: `node bench/import/server.ts journal|product DATA_DIR FILE`. `journal` ends at the journal (nothing takes
 * events out of it), `product` is the whole product. Tells its parent `{ pid }` and answers `read` (one run of FILE into a source of its own) and `stop`.
 */
const [mode = 'journal', dataDir = '', file = ''] = process.argv.slice(2)
const by = { kind: 'person' as const, accountId: 'account_bench' as never, name: 'bench' }
interface Parts {
  imports: Imports
  collect: Pick<Collect, 'drained'> | undefined
  source(name: string): Promise<Source>
  stop(): Promise<void>
}

async function product(): Promise<Parts> {
  const { app, stop } = await serve(readConfig({ INTERLOCK_LOG: 'error' }, { dataDir, port: 0 }), {
    demo: false,
    print: () => undefined,
    pages: false,
  })
  return {
    imports: app.imports,
    collect: app.collect,
    source: (name) =>
      app.postgres.transaction((tx) =>
        app.sources.createAs(tx, { kind: 'system', id: 'bench' }, { name, kind: 'crm', eventsPerSecond: null }),
      ),
    stop,
  }
}

async function upToTheJournal(): Promise<Parts> {
  const clock = systemClock
  const random = systemRandom
  const log = createLog('error')
  const ids = createIds(clock, random)
  const lock = lockDataDir(dataDir)
  const [postgres, clickhouse] = await Promise.all([
    openPostgres({ dataDir: lock.directory }, log, clock),
    openClickHouse({ dataDir: lock.directory }, log, clock),
  ])
  const { pool } = postgres
  const journal = await openJournal({ files: await directoryFiles(join(dataDir, 'journal')), clock, random, log })
  const index = await openDedupIndex(join(dataDir, 'seen', 'seen.sqlite'), journal.id)
  const audit = createAudit({ postgres: pool, clock })
  const sources = createSources({ postgres: pool, clock, ids, random, log, audit })
  await sources.load()
  const collect = createCollect({
    postgres: pool,
    clickhouse: clickhouse.clickhouse,
    journal,
    index,
    sources,
    audit,
    clock,
    log,
  })
  const jobs = createJobs({ postgres: pool, address: postgres.address, log })
  const files = createFiles(join(dataDir, 'files'))
  const imports = createImports({ postgres: pool, clock, ids, log, files, jobs, audit, sources, collect })
  return {
    imports,
    collect: undefined,
    source: (name) =>
      pool.transaction((tx) =>
        sources.createAs(tx, { kind: 'system', id: 'bench' }, { name, kind: 'crm', eventsPerSecond: null }),
      ),
    async stop() {
      sources.stop()
      await journal.close()
      await index.close()
      await Promise.all([postgres.close(), clickhouse.close()])
      lock.release()
    },
  }
}

const parts = mode === 'product' ? await product() : await upToTheJournal()
let runs = 0
async function read() {
  const source = await parts.source(`bench ${String((runs += 1))}`)
  const { id } = await parts.imports.upload(by, source.id, 'bench.csv', createReadStream(file))
  const before = process.memoryUsage().rss
  let most = before
  const watching = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 100)
  const began = performance.now()
  const cpu = process.cpuUsage()
  const done: Import = await parts.imports.through(id, 'run')
  const { user, system } = process.cpuUsage(cpu)
  const readSeconds = (performance.now() - began) / 1000
  await parts.collect?.drained()
  clearInterval(watching)
  const { counts } = done
  return {
    state: done.state,
    rows: counts?.rows ?? 0,
    sent: counts?.sent ?? 0,
    unchanged: counts?.unchanged ?? 0,
    rejected: counts?.rejected ?? 0,
    readSeconds,
    seconds: (performance.now() - began) / 1000,
    cpuMicros: user + system,
    rssMb: Math.round(most / 1e6),
    grownMb: Math.round((most - before) / 1e6),
  }
}

answers({ pid: process.pid }, { read, stop: () => parts.stop().then(() => ({})) })
