import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { createAudit } from '../../modules/audit/server/index.ts'
import {
  createCollectNode,
  readBrowserLibrary,
  trackerScript,
  trackingEndpoints,
} from '../../modules/collect/server/index.ts'
import { createSources, type Source } from '../../modules/sources/server/index.ts'
import { systemClock } from '../../platform/clock/clock.ts'
import type { Config } from '../../platform/config/config.ts'
import { secretKey } from '../../platform/data-dir/key.ts'
import { lockDataDir } from '../../platform/data-dir/lock.ts'
import { freeSpace } from '../../platform/data-dir/space.ts'
import { createEgress } from '../../platform/egress/open-egress.ts'
import { createHttp } from '../../platform/http/server.ts'
import { directoryFiles } from '../../platform/journal/files.ts'
import { openJournal } from '../../platform/journal/open-journal.ts'
import { createLog } from '../../platform/log/log.ts'
import { createPool } from '../../platform/postgres/pool.ts'
import { createIds, systemRandom } from '../../platform/random/random.ts'
import { createSecrets } from '../../platform/secrets/secrets.ts'
import { builtTracker } from './pages.ts'

export interface ServingNode {
  url: string
  /** Everything that was acknowledged here is on the disk of the process that stores. */
  drained(): Promise<void>
  stop(): Promise<void>
}

const relayTimeoutMs = 60_000
const leastFreeBytes = 512 * 1_048_576

/**
 * A process with the role `collect`: the tracking endpoints and a journal of its own, any number of them behind a balancer. It asks the shared PostgreSQL
 * for the write keys only, and goes on with those in memory while that is away; what it acknowledged it hands on to the process with the role `all`.
 * @throws DataDirTaken
 */
export async function serveNode(config: Config, print: (text: string) => void): Promise<ServingNode> {
  const log = createLog(config.log)
  const clock = systemClock
  const random = systemRandom
  const { relayUrl, databaseUrl } = config
  if (relayUrl === undefined || databaseUrl === undefined)
    throw new Error('The role collect needs a relay and a database.')
  const closers: (() => Promise<void> | void)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    print(`Opening ${config.dataDir}…`)
    const lock = lockDataDir(config.dataDir)
    closers.push(() => {
      lock.release()
    })
    const secrets = createSecrets(secretKey(lock.directory, config.secretKey), random)
    const postgres = createPool({ url: databaseUrl }, log, clock, 4)
    closers.push(() => postgres.close())
    const journal = await openJournal({
      files: await directoryFiles(join(lock.directory, 'journal')),
      clock,
      random,
      log,
    })
    closers.push(() => journal.close())
    const registry = new Registry()
    const relay = new URL(relayUrl)
    const port = relay.port === '' ? (relay.protocol === 'https:' ? 443 : 80) : Number(relay.port)
    const egress = createEgress({ allow: [`${relay.hostname}:${String(port)}`], registry })
    closers.push(() => egress.close())
    const sources = createSources({
      postgres,
      clock,
      ids: createIds(clock, random),
      random,
      log,
      audit: createAudit({ postgres, clock }),
      kept: keptSources(join(lock.directory, 'sources.json')),
    })
    const node = createCollectNode({
      postgres,
      journal,
      clock,
      log,
      registry,
      secrets,
      async post(path, request) {
        const answer = await egress.send({
          purpose: 'relay',
          url: new URL(path, relay).href,
          method: 'POST',
          timeoutMs: relayTimeoutMs,
          ...request,
        })
        return answer.status
      },
    })
    const http = await createHttp({
      config,
      log,
      metrics: registry,
      health: [
        {
          name: 'collect',
          check() {
            const { ok, finding } = node.health()
            return ok ? Promise.resolve() : Promise.reject(new Error(finding))
          },
        },
        {
          name: 'disk',
          async check() {
            const { free } = await freeSpace(lock.directory)
            if (free < leastFreeBytes) throw new Error(`${String(Math.round(free / 1_048_576))} MiB free`)
          },
        },
        // Without it the write keys in memory stay in force: no reason to take no events.
        { name: 'postgres', tellOnly: true, check: () => postgres.ping() },
        {
          name: 'relay',
          tellOnly: true,
          check() {
            const { inFlight, finding } = node.health()
            return inFlight < 100_000 ? Promise.resolve() : Promise.reject(new Error(finding))
          },
        },
      ],
      version: '0.1.0',
      pages: undefined,
      authorise: () => Promise.resolve(undefined),
    })
    await http.app.register(
      trackingEndpoints({
        collect: node,
        sources,
        now: () => clock.ms(),
        log,
        library: await readBrowserLibrary(),
        publicUrl: config.publicUrl,
      }),
    )
    await http.app.register(trackerScript(await builtTracker()))
    const starting = new AbortController()
    // Until the write keys are read, here or in the database, the answer is 503: an SDK comes again.
    const loading = (async () => {
      while (!starting.signal.aborted) {
        try {
          await sources.load()
          return
        } catch (error) {
          log.warn('The write keys cannot be read yet.', { error: String(error) })
          await clock.sleep(1000, starting.signal)
        }
      }
    })()
    node.start()
    closers.push(async () => {
      starting.abort()
      await loading
      sources.stop()
      await node.stop()
    })
    const address = await http.listen(config.host, config.port)
    closers.push(() => http.close())
    print(`\n  This node takes events in at ${address} and hands them on to ${relay.origin}.\n`)
    return { url: config.publicUrl ?? address, drained: () => node.drained(), stop: close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The table of write keys as it was last read: a node that starts while the database is away goes on with it. */
function keptSources(path: string): NonNullable<Parameters<typeof createSources>[0]['kept']> {
  return {
    async read() {
      // We wrote it, whole or not at all.
      return existsSync(path) ? (JSON.parse(await readFile(path, 'utf8')) as Source[]) : undefined
    },
    async write(all) {
      await writeFile(`${path}.new`, JSON.stringify(all), { mode: 0o600 })
      await rename(`${path}.new`, path)
    },
  }
}
