import { connect } from 'node:net'
import { openEngines } from '../../apps/server/engines.ts'
import { createAudit } from '../../modules/audit/server/index.ts'
import { createCollect } from '../../modules/collect/server/index.ts'
import { createPulls } from '../../modules/pulls/server/index.ts'
import { createSources } from '../../modules/sources/server/index.ts'
import { systemClock } from '../../platform/clock/clock.ts'
import { readConfig } from '../../platform/config/config.ts'
import { createEgress } from '../../platform/egress/open-egress.ts'
import type { Caller } from '../../platform/http/caller.ts'
import { createJobs } from '../../platform/jobs/worker.ts'
import { createLog } from '../../platform/log/log.ts'
import { createIds, systemRandom } from '../../platform/random/random.ts'
import { answers } from '../parts/child.ts'

/**
 * Our side of the bench in a process of its own: `node bench/pull/server.ts DATA_DIR SOCKET` pulls the table `kunder` of the PostgreSQL behind the
 * socket. `run` pulls once; the pipeline behind the journal stands still until `drained` is asked for.
 */
const [dataDir = '', socket = ''] = process.argv.slice(2)
const clock = systemClock
const log = createLog('error')
const engines = await openEngines(readConfig({}, { dataDir }), log)
const { postgres, clickhouse, journal, index, address, secrets } = engines
const ids = createIds(clock, systemRandom)
const audit = createAudit({ postgres, clock })
const sources = createSources({ postgres, clock, ids, random: systemRandom, log, audit })
await sources.load()
const source = await postgres.transaction((tx) =>
  sources.createAs(tx, { kind: 'system', id: 'bench' }, { name: 'bench', kind: 'crm', eventsPerSecond: null }),
)
const collect = createCollect({ postgres, clickhouse, journal, index, sources, audit, clock, log })
const jobs = createJobs({ postgres, address, log })
const egress = createEgress()
const dial = () => Promise.resolve(connect(socket))
const pulls = createPulls({ postgres, clock, ids, log, secrets, dial, egress, jobs, audit, sources, collect })
const caller: Caller = {
  kind: 'person',
  accountId: 'account_bench' as never,
  name: 'bench',
  side: 'it',
  roles: [],
  permissions: new Set(),
  sessionId: undefined,
  steppedUpAtMs: undefined,
}
const { id } = await pulls.create(caller, {
  name: 'bench',
  sourceId: source.id,
  connection: { kind: 'postgres', host: 'bench', port: 5432, database: 'postgres', user: 'interlock', tls: 'off' },
  password: '',
})
const { plan } = await pulls.look(id, { table: { schema: 'public', name: 'kunder' } })
await pulls.plan(caller, id, { ...plan, deletes: { by: 'nothing' } })

let mostRss = 0
let drawing = false
answers(
  {},
  {
    async run() {
      mostRss = 0
      const stop = clock.every(
        100,
        () => {
          mostRss = Math.max(mostRss, process.memoryUsage().rss)
        },
        () => undefined,
      )
      const began = performance.now()
      const before = process.cpuUsage()
      const run = await pulls.through(caller, id)
      stop()
      if (run.state !== 'done') throw new Error(run.because ?? run.state)
      const cpu = process.cpuUsage(before)
      return {
        rows: run.counts.rows,
        sent: run.counts.sent,
        seconds: (performance.now() - began) / 1000,
        cpuSeconds: (cpu.user + cpu.system) / 1e6,
        rssMb: Math.round(mostRss / 1e6),
      }
    },
    async drained() {
      const began = performance.now()
      if (!drawing) await collect.start([])
      drawing = true
      await collect.drained()
      const [row] = await clickhouse.query<{ events: string }>('SELECT count() AS events FROM event')
      return { events: Number(row?.events), seconds: (performance.now() - began) / 1000 }
    },
    async stop() {
      await collect.stop()
      sources.stop()
      await engines.close()
      return {}
    },
  },
)
