import type { Id } from '../../lib/ids/ids.ts'
import { createIdentity, type Identity } from '../../modules/identity/server/index.ts'
import { createProfiles, type Profiles } from '../../modules/profiles/server/index.ts'
import type { Source } from '../../modules/sources/server/index.ts'
import { systemClock } from '../../platform/clock/clock.ts'
import { silentLog } from '../../platform/log/log.ts'
import { createIds, systemRandom } from '../../platform/random/random.ts'
import { aCollectServer, type CollectServer } from './collect-server.ts'
import { aClickHouse, aPostgres } from './engines.ts'

/** `own`: Interlock itself, which tells what it sent to whom. */
type Kind = 'web' | 'server' | 'crm' | 'newsletter' | 'own'

/** Events that become people: collect with the steps of identity and profiles behind it, and a source of each kind. */
export interface PeopleHouse {
  server: CollectServer
  identity: Identity
  profiles: Profiles
  /** Takes events of one source and waits until they are stored. */
  say(kind: Kind, ...events: object[]): Promise<void>
  /** The profile that an identifier belongs to. */
  of(type: string, value: string): Id<'profile'>
  traits(type: string, value: string): Promise<Record<string, unknown>>
  /** The same company after a restart: memory is empty. */
  again(): Promise<PeopleHouse>
}

export async function aPeopleHouse(engines?: Pick<CollectServer, 'postgres' | 'clickhouse'>): Promise<PeopleHouse> {
  const postgres = engines?.postgres ?? (await aPostgres())
  const clickhouse = engines?.clickhouse ?? (await aClickHouse())
  const clock = systemClock
  let server: CollectServer | undefined
  const kindOf = (id: string) => server?.sources.peek(id)?.kind
  const identity = createIdentity({
    postgres,
    clickhouse,
    clock,
    ids: createIds(clock, systemRandom),
    log: silentLog,
    internalSource: () => server?.sources.internal().id ?? '',
    isOnDevice: (id) => ['web', 'app', undefined].includes(kindOf(id)),
  })
  const profiles = createProfiles({
    postgres,
    clickhouse,
    clock,
    identity,
    sources: { peek: (id) => server?.sources.peek(id) },
  })
  await identity.load()
  server = await aCollectServer({
    postgres,
    clickhouse,
    steps: [identity.step, profiles.step],
    listeners: [identity.listener],
  })
  const { collect, sources } = server
  const bySort = new Map<Kind, Source>([['own', sources.internal()]])
  for (const kind of ['web', 'server', 'crm', 'newsletter'] as const) {
    const name = `Quelle “${kind}”`
    const source =
      sources.list().find((one) => one.name === name) ??
      (await postgres.transaction((tx) => sources.createAs(tx, { kind: 'system', id: 'test' }, { name, kind })))
    bySort.set(kind, source)
  }
  const house: PeopleHouse = {
    server,
    identity,
    profiles,
    async say(kind, ...events) {
      const source = bySort.get(kind)
      if (source === undefined) throw new Error(`There is no ${kind}.`)
      for (const event of events) await collect.accept(source, [event], 'test')
      await collect.drained()
    },
    of(type, value) {
      const found = identity.profileOf({ type, value })
      if (found === undefined) throw new Error(`Nobody has ${type} ${value}.`)
      return found
    },
    async traits(type, value) {
      const profile = house.of(type, value)
      return (await profiles.traitsOf([profile])).get(profile)?.traits ?? {}
    },
    async again() {
      await server.close()
      return aPeopleHouse({ postgres, clickhouse })
    },
  }
  return house
}
