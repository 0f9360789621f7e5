import type { Id } from '../../../lib/ids/ids.ts'
import { announcements, type Announcements } from '../../../lib/announce/announce.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids, Random } from '../../../platform/random/random.ts'
import type { Actor } from '../../audit/contract.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import { defaultEventsPerSecond, sourceKinds, type NewSource, type Source, type SourceChange } from '../contract.ts'
import * as store from './store.ts'

export interface Sources {
  /** Reads the table of keys into memory and makes the internal source; again whenever another server changed something. */
  load(): Promise<void>
  /**
   * The source of a write key, from memory; undefined for a key that nobody has.
   * @throws Refusal('busy') while the table is not loaded: a sender drops its events for ever on a 401
   */
  byWriteKey(key: string): Source | undefined
  /**
   * Asks the database, for a key that memory does not know: another server may have made it a second ago.
   * @throws Refusal('busy') when the database is away
   */
  lookUpWriteKey(key: string): Promise<Source | undefined>
  get(id: Id<'source'>): Promise<Source | undefined>
  /** From memory, without asking: undefined for one that is not known here yet. */
  peek(id: string): Source | undefined
  list(): Source[]
  /** Interlock itself: the source of message events. */
  internal(): Source
  create(caller: Caller, wanted: NewSource): Promise<Source>
  change(caller: Caller, id: Id<'source'>, change: SourceChange): Promise<Source>
  /** Made by the program: the demo company, imports. Inside the caller's transaction; in memory after it. */
  createAs(tx: Postgres, actor: Actor, wanted: NewSource): Promise<Source>
  changed: Announcements<Source>
  stop(): void
}

const reloadEveryMs = 5000

export function createSources(needs: {
  postgres: Postgres
  clock: Clock
  ids: Ids
  random: Random
  log: Log
  audit: Pick<Audit, 'write'>
  /** Where the table is kept on this machine's disk, for a start while the database is away. */
  kept?: { read(): Promise<Source[] | undefined>; write(all: readonly Source[]): Promise<void> } | undefined
  /** Enters a feed into the register of tools and gives its id. */
  registerTool?: (tx: Postgres, actor: Actor, tool: { name: string; kind: string }) => Promise<Id<'tool'>>
}): Sources {
  const { postgres, clock, ids, random, log, audit, registerTool } = needs
  const changed = announcements<Source>()
  let byId = new Map<string, Source>()
  let byKey = new Map<string, Source>()
  let loaded = false
  let version = ''
  let stopReloading = () => {}

  const notLoaded = () => new Refusal('busy', 'The write keys are not loaded yet.', { retryAfterSeconds: 2 })

  async function reload(): Promise<void> {
    const now = await store.sourcesVersion(postgres)
    if (loaded && now === version) return
    const all = await store.everySource(postgres)
    hold(all)
    version = now
    await needs.kept?.write(all)
  }

  function hold(all: readonly Source[]): void {
    byId = new Map(all.map((source) => [source.id, source]))
    byKey = new Map(all.filter((source) => source.kind !== 'internal').map((source) => [source.writeKey, source]))
    loaded = true
  }

  /** 120 bits, in characters that survive being read aloud. */
  function newWriteKey(): string {
    const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
    return `il_src_${Array.from(random.bytes(24), (byte) => alphabet.charAt(byte & 31)).join('')}`
  }

  async function add(
    tx: Postgres,
    actor: Actor,
    wanted: Pick<Source, 'name' | 'kind'> & Pick<NewSource, 'toolId' | 'eventsPerSecond'>,
  ): Promise<Source> {
    const id = ids.next('source')
    const taken = () => new Refusal('conflict', `There is a source named “${wanted.name}” already.`)
    // Before a tool of this name is registered for it, which would be refused in the words of the register.
    if (await store.nameTaken(tx, wanted.name, id)) throw taken()
    const toolId =
      wanted.toolId ??
      (wanted.kind === 'internal'
        ? null
        : ((await registerTool?.(tx, actor, { name: wanted.name, kind: wanted.kind })) ?? null))
    const at = clock.now()
    const source: Source = {
      id,
      name: wanted.name,
      kind: wanted.kind,
      writeKey: newWriteKey(),
      toolId,
      enabled: true,
      eventsPerSecond: wanted.eventsPerSecond === undefined ? defaultEventsPerSecond : wanted.eventsPerSecond,
      createdAt: at.toISOString(),
    }
    if (!(await store.addSource(tx, source, at))) throw taken()
    await audit.write(tx, {
      actor,
      deed: 'source.created',
      object: { kind: 'source', id: source.id },
      summary: `Added the source “${source.name}” (${sourceKinds[source.kind]})`,
      facts: { kind: source.kind, toolId: source.toolId },
    })
    tx.afterCommit(() => {
      byId.set(source.id, source)
      if (source.kind !== 'internal') byKey.set(source.writeKey, source)
    })
    return source
  }

  const sources: Sources = {
    changed,
    async load() {
      await reload().catch(async (error: unknown) => {
        const kept = loaded ? undefined : await needs.kept?.read()
        if (kept !== undefined) hold(kept)
        throw error
      })
      if (![...byId.values()].some((source) => source.kind === 'internal')) {
        const actor = { kind: 'system' as const, id: 'sources' }
        await postgres
          .transaction((tx) => add(tx, actor, { name: 'Interlock', kind: 'internal', eventsPerSecond: null }))
          .catch(async (error: unknown) => {
            // Another server was first.
            loaded = false
            await reload()
            if (![...byId.values()].some((source) => source.kind === 'internal')) throw error
          })
      }
      stopReloading()
      stopReloading = clock.every(reloadEveryMs, reload, (error) => {
        log.warn('The write keys could not be read again; those in memory stay in force.', { error: String(error) })
      })
    },
    byWriteKey(key) {
      if (!loaded) throw notLoaded()
      return byKey.get(key)
    },
    async lookUpWriteKey(key) {
      if (!loaded) throw notLoaded()
      // What no key can look like is not asked for: the database would refuse a NUL in it, and that is not its being away.
      if (!/^[\x21-\x7e]{1,200}$/.test(key)) return undefined
      try {
        const found = await store.sourceWithKey(postgres, key)
        if (found === undefined || found.kind === 'internal') return undefined
        loaded = false
        await reload()
        return byKey.get(key)
      } catch (error) {
        loaded = true
        throw new Refusal('busy', 'The write key cannot be checked now: the database is away.', {
          retryAfterSeconds: 5,
          cause: error instanceof Error ? error.name : 'unknown',
        })
      }
    },
    async get(id) {
      if (!byId.has(id)) await reload()
      return byId.get(id)
    },
    peek: (id) => byId.get(id),
    list: () => [...byId.values()],
    internal() {
      const source = [...byId.values()].find((one) => one.kind === 'internal')
      if (source === undefined) throw notLoaded()
      return source
    },
    async create(caller, wanted) {
      const source = await postgres.transaction((tx) => add(tx, actorOf(caller), wanted))
      await changed.announce(source)
      return source
    },
    createAs: (tx, actor, wanted) => add(tx, actor, wanted),
    async change(caller, id, change) {
      const source = await postgres.transaction(async (tx) => {
        const before = await sources.get(id)
        if (before === undefined) throw new Refusal('not_found', 'There is no such source.')
        if (before.kind === 'internal') throw new Refusal('not_now', 'Interlock’s own source cannot be changed.')
        const after: Source = {
          ...before,
          name: change.name ?? before.name,
          enabled: change.enabled ?? before.enabled,
          eventsPerSecond: change.eventsPerSecond === undefined ? before.eventsPerSecond : change.eventsPerSecond,
        }
        if (await store.nameTaken(tx, after.name, id)) {
          throw new Refusal('conflict', `There is a source named “${after.name}” already.`)
        }
        await store.changeSource(tx, after, clock.now())
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'source.changed',
          object: { kind: 'source', id },
          summary: summaryOf(before, after),
          facts: { enabled: after.enabled, eventsPerSecond: after.eventsPerSecond },
        })
        tx.afterCommit(() => {
          byId.set(id, after)
          byKey.set(after.writeKey, after)
        })
        return after
      })
      await changed.announce(source)
      return source
    },
    stop() {
      stopReloading()
    },
  }
  return sources
}

function summaryOf(before: Source, after: Source): string {
  if (before.enabled !== after.enabled) return `Switched the source “${after.name}” ${after.enabled ? 'on' : 'off'}`
  if (before.eventsPerSecond !== after.eventsPerSecond) {
    const limit =
      after.eventsPerSecond === null ? 'without a limit' : `at most ${after.eventsPerSecond} events a second`
    return `Lets the source “${after.name}” send ${limit}`
  }
  return `Renamed the source “${before.name}” to “${after.name}”`
}
