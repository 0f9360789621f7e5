import fastify from 'fastify'
import { Registry } from 'prom-client'
import { createCollectNode, readBrowserLibrary, trackingEndpoints } from '../../modules/collect/server/index.ts'
import type { Source } from '../../modules/sources/server/index.ts'
import { systemClock } from '../../platform/clock/clock.ts'
import { directoryFiles } from '../../platform/journal/files.ts'
import { openJournal } from '../../platform/journal/open-journal.ts'
import { createLog } from '../../platform/log/log.ts'
import { createPool } from '../../platform/postgres/pool.ts'
import { createIds, systemRandom } from '../../platform/random/random.ts'
import { createSecrets } from '../../platform/secrets/secrets.ts'
import { answers } from '../parts/child.ts'

/**
 * The door of this product with a scratch journal and nothing behind it, in a process of its own: what it takes is acknowledged as a node acknowledges it, and
 * no other part ever hears of it. `node bench/capacity/door.ts JOURNAL_DIR`; tells its parent `{ port, writeKey }` and answers `figures` and `stop`.
 */
const [folder = ''] = process.argv.slice(2)
const clock = systemClock
const log = createLog('error')
const writeKey = 'measurement'
const ids = createIds(clock, systemRandom)
const source: Source = {
  id: ids.next('source'),
  name: 'measurement',
  kind: 'server',
  writeKey,
  toolId: null,
  enabled: true,
  eventsPerSecond: null,
  createdAt: clock.now().toISOString(),
}
const journal = await openJournal({ files: await directoryFiles(folder), clock, random: systemRandom, log })
// Never connected to: nothing is turned away here, so nothing is parked or counted.
const postgres = createPool({ url: 'postgres://nobody@127.0.0.1:1/none' }, log, clock, 1)
const node = createCollectNode({
  postgres,
  journal,
  clock,
  log,
  registry: new Registry(),
  secrets: createSecrets(systemRandom.bytes(32), systemRandom),
  // It is never started, so it never hands on.
  post: () => Promise.reject(new Error('A measurement hands nothing on.')),
})
const app = fastify({ logger: false })
const known = (key: string) => (key === writeKey ? source : undefined)
await app.register(
  trackingEndpoints({
    collect: node,
    sources: { byWriteKey: known, lookUpWriteKey: (key) => Promise.resolve(known(key)) },
    now: () => clock.ms(),
    log,
    library: await readBrowserLibrary(),
  }),
)
await app.listen({ host: '127.0.0.1', port: 0 })
const address = app.server.address()

answers(
  { port: typeof address === 'object' ? address?.port : 0, writeKey },
  {
    figures: () => Promise.resolve({ flushes: journal.state().flushes }),
    async stop() {
      await app.close()
      await journal.close()
      await postgres.close()
      return {}
    },
  },
)
