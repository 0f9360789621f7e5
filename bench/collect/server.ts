import fastify from 'fastify'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { createAudit } from '../../modules/audit/server/index.ts'
import { createCollect, readBrowserLibrary, trackingEndpoints } from '../../modules/collect/server/index.ts'
import { createSources } from '../../modules/sources/server/index.ts'
import { openClickHouse } from '../../platform/clickhouse/open.ts'
import { systemClock } from '../../platform/clock/clock.ts'
import { lockDataDir } from '../../platform/data-dir/lock.ts'
import { openDedupIndex } from '../../platform/journal/dedup-index.ts'
import { directoryFiles } from '../../platform/journal/files.ts'
import { openJournal } from '../../platform/journal/open-journal.ts'
import { createLog } from '../../platform/log/log.ts'
import { openPostgres } from '../../platform/postgres/open.ts'
import { createIds, systemRandom } from '../../platform/random/random.ts'
import { answers } from '../parts/child.ts'

/**
 * Only what takes events in, on the embedded engines, in a process of its own: what the bench measures and the fault
 * programs kill. `node bench/collect/server.ts DATA_DIR PORT [--acknowledge-only] [--pace EVENTS_PER_SECOND]`; tells its parent `{ port, writeKey }` and
 * answers `figures`, `drained` and `stop`.
 */
const {
  positionals: [dataDir = '', port = '0'],
  values,
} = parseArgs({
  allowPositionals: true,
  options: { 'acknowledge-only': { type: 'boolean' }, pace: { type: 'string' } },
})
const clock = systemClock
const random = systemRandom
const log = createLog('error')
const lock = lockDataDir(dataDir)
const [postgres, clickhouse] = await Promise.all([
  openPostgres({ dataDir: lock.directory }, log, clock),
  openClickHouse({ dataDir: lock.directory }, log, clock),
])
const { pool } = postgres
const journal = await openJournal({ files: await directoryFiles(join(dataDir, 'journal')), clock, random, log })
const index = await openDedupIndex(join(dataDir, 'seen', 'seen.sqlite'), journal.id)
const audit = createAudit({ postgres: pool, clock })
const sources = createSources({ postgres: pool, clock, ids: createIds(clock, random), random, log, audit })
await sources.load()
const source =
  sources.list().find((one) => one.name === 'bench') ??
  (await pool.transaction((tx) =>
    sources.createAs(
      tx,
      { kind: 'system', id: 'bench' },
      { name: 'bench', kind: 'server', eventsPerSecond: values.pace === undefined ? null : Number(values.pace) },
    ),
  ))
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
if (values['acknowledge-only'] !== true) await collect.start([])
const app = fastify({ logger: false })
await app.register(
  trackingEndpoints({ collect, sources, now: () => clock.ms(), log, library: await readBrowserLibrary() }),
)
app.get('/health/ready', () => collect.health())
await app.listen({ host: '127.0.0.1', port: Number(port) })
const address = app.server.address()
const loop = monitorEventLoopDelay({ resolution: 5 })
loop.enable()

answers(
  { port: typeof address === 'object' ? address?.port : 0, writeKey: source.writeKey },
  {
    figures: () =>
      Promise.resolve({
        rssMb: Math.round(process.memoryUsage().rss / 1e6),
        mostRssMb: Math.round((process.resourceUsage().maxRSS * 1024) / 1e6),
        loopDelayP99Ms: Math.round(loop.percentile(99) / 1e5) / 10,
        flushes: journal.state().flushes,
        head: Number(journal.head),
        cpuMs: Math.round((process.cpuUsage().user + process.cpuUsage().system) / 1000),
      }),
    /** What is measured begins now. */
    begin() {
      loop.reset()
      return Promise.resolve({})
    },
    async drained() {
      await collect.drained()
      const [row] = await clickhouse.clickhouse.query<{ events: string; messages: string }>(
        'SELECT count() AS events, uniqExact(message_id) AS messages FROM event',
      )
      return { events: Number(row?.events), messages: Number(row?.messages), ledger: (await collect.ledger()).total }
    },
    async stop() {
      await app.close()
      await collect.stop()
      sources.stop()
      await journal.close()
      await index.close()
      await Promise.all([postgres.close(), clickhouse.close()])
      lock.release()
      return {}
    },
  },
)
