import type { FastifyInstance } from 'fastify'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterAll } from 'vitest'
import { createAudit } from '../../modules/audit/server/index.ts'
import {
  createCollect,
  readBrowserLibrary,
  trackerScript,
  trackingEndpoints,
  type Collect,
  type Listener,
  type PipelineStep,
} from '../../modules/collect/server/index.ts'
import { createSources, type Source, type Sources } from '../../modules/sources/server/index.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import { systemClock, type Clock } from '../../platform/clock/clock.ts'
import { openDedupIndex } from '../../platform/journal/dedup-index.ts'
import { directoryFiles } from '../../platform/journal/files.ts'
import type { Journal } from '../../platform/journal/journal.ts'
import { openJournal, type JournalOptions } from '../../platform/journal/open-journal.ts'
import { createHttp } from '../../platform/http/server.ts'
import type { Patience } from '../../platform/http/patience.ts'
import { silentLog, type Log } from '../../platform/log/log.ts'
import type { PostgresPool } from '../../platform/postgres/postgres.ts'
import { createIds, systemRandom } from '../../platform/random/random.ts'
import { aClickHouse, aPostgres } from './engines.ts'

/** What Fastify answers without a socket. */
export type Response = Awaited<ReturnType<FastifyInstance['inject']>>

/** Only what takes events in: sources, journal, collect and its endpoints, on real engines. */
export interface CollectServer {
  app: FastifyInstance
  collect: Collect
  sources: Sources
  source: Source
  journal: Journal
  postgres: PostgresPool
  clickhouse: ClickHouse
  folder: string
  /** Sends JSON with the write key of `source`. */
  send(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>
  /** Stops this life (as a restart would) and starts another on the same folder and engines. */
  again(changes?: Changes): Promise<CollectServer>
  close(): Promise<void>
}

export interface Changes {
  steps?: PipelineStep[]
  listeners?: Listener[]
  journal?: JournalOptions
  clickhouse?: ClickHouse
  postgres?: PostgresPool
  kind?: 'web' | 'app' | 'server'
  patience?: Patience
  /** What `/interlock.js` answers. */
  tracker?: Uint8Array | undefined
  /** Of collect and its endpoints; the journal keeps the machine's. Small batches do not wait for company then. */
  clock?: Clock
  registry?: Registry
  log?: Log
  /** Leaves the pipeline standing. */
  stands?: boolean
}

export async function aCollectServer(changes: Changes = {}): Promise<CollectServer> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-collect-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  const postgres = changes.postgres ?? (await aPostgres())
  const clickhouse = changes.clickhouse ?? (await aClickHouse())
  return start(folder, { ...changes, postgres, clickhouse })
}

async function start(
  folder: string,
  changes: Changes & { postgres: PostgresPool; clickhouse: ClickHouse },
): Promise<CollectServer> {
  const { postgres, clickhouse } = changes
  const clock = changes.clock ?? systemClock
  const random = systemRandom
  const ids = createIds(clock, random)
  const log = changes.log ?? silentLog
  const audit = createAudit({ postgres, clock })
  const journal = await openJournal(
    { files: await directoryFiles(join(folder, 'journal')), clock: systemClock, random, log },
    { minFreeBytes: 0, ...changes.journal },
  )
  const index = await openDedupIndex(join(folder, 'seen.sqlite'), journal.id)
  const sources = createSources({ postgres, clock, ids, random, log, audit })
  await sources.load()
  const name = 'Läden & “web”'
  const source =
    sources.list().find((one) => one.name === name) ??
    (await postgres.transaction((tx) =>
      sources.createAs(tx, { kind: 'system', id: 'test' }, { name, kind: changes.kind ?? 'server' }),
    ))
  const collect = createCollect({
    postgres,
    clickhouse,
    journal,
    index,
    sources,
    audit,
    clock,
    log,
    lingerMs: changes.clock === undefined ? 1 : 0,
    ...(changes.registry === undefined ? {} : { registry: changes.registry }),
  })
  const { app } = await createHttp({
    config: { trustProxy: [], publicUrl: undefined, allowedHosts: [] },
    log,
    metrics: new Registry(),
    health: [],
    version: '0',
    pages: undefined,
    authorise: () => Promise.resolve(undefined),
    ...(changes.patience === undefined ? {} : { patience: changes.patience }),
  })
  await app.register(
    trackingEndpoints({ collect, sources, now: () => clock.ms(), log, library: await readBrowserLibrary() }),
  )
  await app.register(trackerScript(changes.tracker))
  await app.ready()
  if (changes.stands !== true) await collect.start(changes.steps ?? [], changes.listeners ?? [])
  let closed = false
  const server: CollectServer = {
    app,
    collect,
    sources,
    source,
    journal,
    postgres,
    clickhouse,
    folder,
    send: (url, body, headers = {}) =>
      app.inject({
        method: 'POST',
        url,
        headers: {
          authorization: `Basic ${Buffer.from(`${source.writeKey}:`).toString('base64')}`,
          'content-type': 'application/json',
          ...headers,
        },
        payload: Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body),
      }),
    async again(next = {}) {
      await server.close()
      return start(folder, {
        ...changes,
        ...next,
        postgres: next.postgres ?? postgres,
        clickhouse: next.clickhouse ?? clickhouse,
      })
    },
    async close() {
      if (closed) return
      closed = true
      await app.close()
      await collect.stop()
      sources.stop()
      await journal.close()
      await index.close()
    },
  }
  return server
}
