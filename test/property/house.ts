import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngines } from '../../apps/server/engines.ts'
import { createAudit } from '../../modules/audit/server/index.ts'
import { createCollect, type PipelineStep } from '../../modules/collect/server/index.ts'
import { createIdentity, type Identity } from '../../modules/identity/server/index.ts'
import { createProfiles, type Profiles } from '../../modules/profiles/server/index.ts'
import { createSources, type Source } from '../../modules/sources/server/index.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import { systemClock } from '../../platform/clock/clock.ts'
import { readConfig } from '../../platform/config/config.ts'
import { removeDataDirs } from '../../platform/data-dir/remove.ts'
import { createLog } from '../../platform/log/log.ts'
import type { Postgres } from '../../platform/postgres/postgres.ts'
import { createIds, systemRandom } from '../../platform/random/random.ts'

/** `public`: a web site; `trusted` and `list`: sources whose keys nobody can read. */
export type Kind = 'public' | 'trusted' | 'list'

/** Journal, pipeline, identity and profiles of a company that is gone afterwards, on engines of its own. */
export interface PropertyHouse {
  identity: Identity
  profiles: Profiles
  postgres: Postgres
  clickhouse: ClickHouse
  /** Milliseconds that events spent in the step of identity so far. */
  readonly identityMs: number
  numberOf(identifier: { type: string; value: string }): Promise<number | undefined>
  /** Takes events, those of one source in this order, and waits until all are stored. */
  say(events: readonly { from: Kind; event: object }[]): Promise<void>
  close(): Promise<void>
}

/** @param through what events pass: without `everything` no person is made of them */
export async function aPropertyHouse(through: 'everything' | 'nothing' = 'everything'): Promise<PropertyHouse> {
  const dataDir = await mkdtemp(join(tmpdir(), 'interlock-property-'))
  const clock = systemClock
  const engines = await openEngines(readConfig({}, { dataDir }), createLog('error'))
  const { postgres, clickhouse, journal, index } = engines
  const ids = createIds(clock, systemRandom)
  const log = createLog('warn')
  const audit = createAudit({ postgres, clock })
  const sources = createSources({ postgres, clock, ids, random: systemRandom, log, audit })
  await sources.load()
  const kinds = new Map<Kind, Source>()
  for (const [name, kind] of [
    ['public', 'web'],
    ['trusted', 'server'],
    ['list', 'newsletter'],
  ] as const)
    kinds.set(
      name,
      await postgres.transaction((tx) =>
        sources.createAs(tx, { kind: 'system', id: 'property' }, { name, kind, eventsPerSecond: null }),
      ),
    )
  const isOnDevice = (id: string) => id === kinds.get('public')?.id
  const identity = createIdentity({ postgres, clickhouse, clock, ids, log, isOnDevice })
  await identity.load()
  const profiles = createProfiles({ postgres, clickhouse, clock, identity, sources })
  const collect = createCollect({ postgres, clickhouse, journal, index, sources, audit, clock, log, lingerMs: 1 })
  let identityMs = 0
  const timed: PipelineStep = {
    name: identity.step.name,
    async run(batch) {
      const began = performance.now()
      await identity.step.run(batch)
      identityMs += performance.now() - began
    },
  }
  if (through === 'everything') await collect.start([timed, profiles.step], [identity.listener])
  else await collect.start([])
  return {
    identity,
    profiles,
    postgres,
    clickhouse,
    get identityMs() {
      return identityMs
    },
    async say(events) {
      const of = Map.groupBy(events, ({ from }) => from)
      for (const [from, some] of of) {
        const source = kinds.get(from)
        if (source === undefined) throw new Error(`There is no source ${from}.`)
        await collect.accept(
          source,
          some.map(({ event }) => event),
          'property',
        )
      }
      await collect.drained()
    },
    async numberOf({ type, value }) {
      const rows = await postgres.query<{ no: number }>(
        'SELECT no FROM identity.identifier WHERE type = $1 AND value = $2',
        [type, value],
      )
      return rows[0]?.no
    },
    async close() {
      await collect.stop()
      sources.stop()
      await engines.close()
      await removeDataDirs(dataDir)
    },
  }
}
