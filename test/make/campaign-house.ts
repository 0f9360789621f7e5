import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, vi } from 'vitest'
import { build, type App, type BuildNeeds } from '../../apps/server/build.ts'
import type { Engines } from '../../apps/server/engines.ts'
import type { Broadcast } from '../../modules/journeys/contract.ts'
import { systemClock, type Clock } from '../../platform/clock/clock.ts'
import { readConfig } from '../../platform/config/config.ts'
import { openDedupIndex } from '../../platform/journal/dedup-index.ts'
import { directoryFiles } from '../../platform/journal/files.ts'
import { openJournal } from '../../platform/journal/open-journal.ts'
import { silentLog } from '../../platform/log/log.ts'
import { systemRandom } from '../../platform/random/random.ts'
import { createSecrets } from '../../platform/secrets/secrets.ts'
import { ask, giveKeys, letIn, moveIn, type Asked, type Customer, type Staff } from './campaign.ts'
import { aClickHouse, aPostgres } from './engines.ts'
import { aMailSink, type Fault, type MailSink } from './mail-sink.ts'

/** The whole product on real engines, with a mail server that does what it is told. */
export interface CampaignHouse {
  app: App
  /** Its data directory. */
  directory: string
  /** Where it answers, when it was given pages. */
  url: string
  /** Runs by itself, and can be moved ahead. */
  clock: Clock & { ahead(ms: number): void }
  sink: MailSink
  /** What happens to mail for an address, by turn (1 is the first try). */
  faults: Map<string, (turn: number) => Fault | undefined>
  staff: Staff
  /** Customers of one cohort come in; by default all agreed to the topic and have an address of their own. */
  customers(cohort: string, count: number, each?: (index: number) => Partial<Customer>): Promise<void>
  ask(cohort: string, more?: Partial<Parameters<typeof ask>[2]>): Promise<Asked>
  /** Every key that is needed, and off it goes. */
  launch(asked: Asked): Promise<void>
  /** Addresses of the cohort in the order in which mail for them was taken. */
  mailed(cohort: string): string[]
  /** Waits until a broadcast is in this state. */
  becomes(asked: Asked, state: Broadcast['state']): Promise<Broadcast>
}

const publicUrl = 'https://il.example'

export async function aCampaignHouse(
  options: {
    connections?: number
    pages?: string
    demo?: BuildNeeds['demo']
    patience?: BuildNeeds['patience']
    /** `host:port` of this machine that may be called. */
    egressAllow?: string[]
  } = {},
): Promise<CampaignHouse> {
  const folder = await mkdtemp(join(tmpdir(), 'il-campaign-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  let offset = 0
  let url = publicUrl
  const clock = {
    ...systemClock,
    ms: () => systemClock.ms() + offset,
    now: () => new Date(systemClock.ms() + offset),
    ahead(ms: number) {
      offset += ms
    },
  }
  const faults: CampaignHouse['faults'] = new Map()
  const sink = await aMailSink({ fault: (to, turn) => faults.get(to)?.(turn) })
  const [postgres, clickhouse] = await Promise.all([aPostgres(), aClickHouse()])
  const journal = await openJournal(
    { files: await directoryFiles(join(folder, 'journal')), clock, random: systemRandom, log: silentLog },
    { minFreeBytes: 0 },
  )
  const index = await openDedupIndex(join(folder, 'seen.sqlite'), journal.id)
  const engines: Engines = {
    directory: folder,
    postgres,
    address: postgres.address,
    clickhouse,
    journal,
    index,
    secrets: createSecrets(systemRandom.bytes(32), systemRandom),
    pids: { postgres: undefined, clickhouse: undefined },
    auditHeads: { read: () => [], append: () => undefined },
    close: () => Promise.resolve(),
  }
  const app = await build({
    engines,
    config: readConfig({}, { dataDir: folder, smtpUrl: sink.url, egressAllow: options.egressAllow ?? [] }),
    clock,
    random: systemRandom,
    log: silentLog,
    publicUrl: () => url,
    catcherUrl: () => sink.url,
    pages: options.pages,
    ...(options.demo === undefined ? {} : { demo: options.demo }),
    ...(options.patience === undefined ? {} : { patience: options.patience }),
    ...(options.connections === undefined ? {} : { connections: options.connections }),
  })
  await app.start()
  if (options.pages !== undefined) url = await app.http.listen('127.0.0.1', 0)
  afterAll(async () => {
    await app.stop()
    await sink.close()
    await journal.close()
    await index.close()
  })
  const { staff, senderId } = await moveIn(app, clock)
  return {
    app,
    directory: folder,
    url,
    clock,
    sink,
    faults,
    staff,
    customers: (cohort, count, each) =>
      letIn(
        app,
        Array.from({ length: count }, (_, at) => {
          const { traits, ...rest } = each?.(at) ?? {}
          return {
            userId: `${cohort}-${String(at)}`,
            agreed: true,
            ...rest,
            traits: { email: `p${String(at)}@${cohort}.example`, firstName: `Åsa ${String(at)}`, cohort, ...traits },
          }
        }),
      ),
    ask: (cohort, more) => ask(app, staff, { senderId, cohort, ...more }),
    async launch(asked) {
      const ready = await giveKeys(app, staff, clock, asked.request)
      await app.requests.launch(staff.author, ready.id, ready.releaseHash)
    },
    mailed: (cohort) => sink.mails.map((mail) => mail.to).filter((to) => to.endsWith(`@${cohort}.example`)),
    async becomes(asked, state) {
      await vi.waitFor(
        async () => {
          expect((await app.journeys.get(asked.broadcastId)).state).toBe(state)
        },
        { timeout: 30_000, interval: 50 },
      )
      return app.journeys.get(asked.broadcastId)
    },
  }
}
