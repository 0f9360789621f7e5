import { normalise, type Identifier } from '../../../lib/identifiers/identifiers.ts'
import { wordsOf, type Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { EventInFlight, Explainer, Listener, PipelineStep, TrackedEvent } from '../../collect/server/index.ts'
import type { Explanation } from '../contract.ts'
import { createBatch, pairKey, strongest, type Batch, type Whose } from './batch.ts'
import { explainEvent } from './event-way.ts'
import { explain } from './explain.ts'
import { finish, profileIdOf } from './finish.ts'
import { createGraph } from './graph.ts'
import { createLastUsers } from './last-users.ts'
import { resettle } from './resettle.ts'
import { identifiersOf } from './said.ts'
import { createSettledPairs } from './settled-pairs.ts'
import { isDevice, type Standing } from './standing.ts'
import { identityStore, mostTold, type Decision } from './store.ts'
import { tellTurns, workOutTurns } from './turns.ts'

/** Two groups of identifiers, and what a person decided about them. */
export interface Verdict {
  kind: 'split' | 'join'
  left: readonly number[]
  right: readonly number[]
  because: string
  by: string
}

/** Of an event: by what it says, not by what became of it, so that it does not depend on what came first. */
export interface Named {
  /** The identifier that its traits hang on; undefined when it proves nobody's. */
  traits: number | undefined
  /** The identifier that was seen, and its profile: on a device that people share the device, whoever used it then. */
  seen: number
  profile: Id<'profile'>
}

export interface Identity {
  /** Reads all identifiers into memory. Before the pipeline starts. */
  load(): Promise<void>
  /** Says of each event whose it is, and makes one profile of two when an event proves it. */
  step: PipelineStep
  /** Hears of what was stored: works out who used a device that turned out to be shared. */
  listener: Listener
  profileOf(identifier: Identifier): Id<'profile'> | undefined
  /** What the traits of an event which passed `step` hang on, and who was seen. */
  namedBy(event: EventInFlight): Named | undefined
  /** How well what an event says is proven. */
  standingOf(event: TrackedEvent): Standing
  /** The profile that this one is part of now; itself when it never merged; undefined when there is none. */
  canonical(profile: string): Promise<Id<'profile'> | undefined>
  explain(profile: Id<'profile'>): Promise<Explanation>
  /** What one event named, what it was the first to prove, and what was decided against. */
  explainEvent: Explainer
  /**
   * Does what a person decided, in the transaction that notes it elsewhere too: tells two groups of identifiers apart, or makes one person of them, and
   * works out who everybody is from all that was seen. It stays so, whatever is seen later.
   * @throws Refusal not_found when one of them is not known
   */
  decide(verdict: Verdict, also?: (tx: Postgres) => Promise<void>): Promise<void>
  /** How many identifiers are known. */
  readonly size: number
}

/** Who is who: the step of the pipeline that gives each event its profile, and what undoes it. */
export function createIdentity(needs: {
  postgres: Postgres
  clickhouse: ClickHouse
  clock: Clock
  ids: Ids
  log: Log
  /** The source whose events may name a profile of ours outright (`{ type: 'profile' }`): Interlock itself. */
  internalSource?: () => string
  /** Whether a source's write key is public: web sites and apps. */
  isOnDevice: (sourceId: string) => boolean
}): Identity {
  const { postgres, clickhouse, clock, ids, log } = needs
  const graph = createGraph()
  const store = identityStore(postgres)
  const namedBy = new WeakMap<EventInFlight, Named>()
  const lastUsers = createLastUsers()
  const settled = createSettledPairs()
  const profileOf = (no: number) => profileIdOf(graph, no)
  let line: Promise<unknown> = Promise.resolve()

  /** One writer: events and decisions take turns. */
  function alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = line.then(work, work)
    line = mine.catch(() => undefined)
    return mine
  }

  async function load(): Promise<void> {
    graph.clear()
    lastUsers.clear()
    settled.clear()
    for await (const rows of store.everyIdentifier())
      for (const row of rows)
        graph.load(row.no, row, {
          owner: row.owner ?? row.no,
          profile: row.born_as === null ? undefined : wordsOf(row.born_as),
          standing: row.standing,
          shared: row.shared_at !== null,
          atMs: row.created_at.getTime(),
        })
    graph.loaded()
    for (const no of await store.contended()) if (graph.ownerOf(no) !== 0) graph.setContended(graph.ownerOf(no), true)
  }

  function standingOf(event: TrackedEvent): Standing {
    if (!needs.isOnDevice(event.sourceId)) return 2
    const named = event.userId !== undefined && normalise({ type: 'user_id', value: event.userId }) !== undefined
    return named ? 1 : 0
  }

  /** Changes memory and the store together, or neither. */
  async function change(work: (batch: Batch, tx: Postgres) => Promise<void>): Promise<Batch> {
    graph.begin()
    const batch = createBatch(graph, settled, profileOf)
    try {
      const at = clock.now()
      await postgres.transaction(async (tx) => {
        const inside = identityStore(tx)
        await work(batch, tx)
        await inside.putObservations([...batch.facts.observations.values()])
        const newDecision = { decision: () => ids.next('decision') }
        await resettle({ graph, batch, store: inside, log, ids: newDecision, at })
        const { facts } = batch
        await finish({ graph, facts, store: inside, newProfile: () => ids.next('profile'), at })
      })
    } catch (error) {
      // Memory must not know what the database does not.
      graph.rollback()
      throw error
    }
    graph.commit()
    for (const [no, ms] of batch.facts.homesSince) settled.setHome(no, ms)
    return batch
  }

  /** Only shared identifiers: the person who used the device last, else the device's own profile. */
  function userOf(device: number, event: TrackedEvent, batch: Batch): number {
    lastUsers.unnamed(device, event.timeMs)
    if (!graph.isShared(device) || !isDevice({ type: graph.typeOf(device) })) return device
    const user = lastUsers.userAt(device, event.timeMs)
    // Somebody may have used it before this one did, and after: that is worked out from all of its events.
    if (user === 'unknown') batch.facts.turns.add(device)
    return typeof user === 'number' ? user : device
  }

  /** Events of our own that name a profile: what it is part of now. From any other source such a name counts for nothing. */
  async function profilesNamed(events: readonly EventInFlight[]) {
    const internal = needs.internalSource?.()
    const named = new Map<EventInFlight, string>()
    for (const inFlight of events) {
      const profile = inFlight.event.externalIds.find((one) => one.type === 'profile')?.value
      if (inFlight.event.sourceId === internal && profile !== undefined) named.set(inFlight, profile)
    }
    if (named.size === 0) return new Map<EventInFlight, number>()
    const now = await store.canonicals([...new Set(named.values())])
    return new Map(
      [...named].flatMap(([inFlight, profile]) => {
        const nos = now.get(profile)?.nos ?? []
        if (nos.length === 0) return []
        // What was sent to an address goes where the address goes, should the person be taken apart.
        const address = inFlight.event.externalIds.find((one) => one.type === 'email')
        const known = address === undefined ? undefined : normalise(address)
        const no = known === undefined ? 0 : graph.find(known)
        return [[inFlight, nos.includes(no) ? no : strongest(graph, nos)] as const]
      }),
    )
  }

  /** Tells ClickHouse what became of what. What was committed and not told (a crash in between) is told the next time. */
  async function tell(): Promise<void> {
    for (let rows = await store.untold(); rows.length > 0; rows = rows.length < mostTold ? [] : await store.untold()) {
      const version = rows.at(-1)?.seq ?? 0
      const token = `${String(rows[0]?.seq)} ${String(version)}`
      const whole = rows.filter((row) => row.identifier_no === null)
      const single = rows.flatMap(({ seq, identifier_no: no, to_profile: to }) => (no === null ? [] : { seq, no, to }))
      if (whole.length > 0)
        await clickhouse.insert(
          'profile_override',
          whole.map((row) => ({ from_profile: row.from_profile, to_profile: row.to_profile, version: row.seq })),
          { token: `override ${token}` },
        )
      if (single.length > 0) {
        await clickhouse.insert(
          'anchor_override',
          single.map(({ seq, no, to }) => ({
            anchor: no,
            since: '1970-01-01T00:00:00.000Z',
            to_profile: to,
            version: seq,
          })),
          { token: `anchor ${token}` },
        )
        const turns = await store.turnsOf(single.map(({ no }) => no))
        await tellTurns(
          { clickhouse },
          turns.map((turn) => ({ ...turn, to: profileOf(turn.holder) })),
        )
      }
      await store.told(rows.map((row) => row.seq))
    }
  }

  async function run(events: readonly EventInFlight[]): Promise<void> {
    const outright = await profilesNamed(events)
    const whose = new Map<EventInFlight, Whose>()
    for (const [inFlight, no] of outright) whose.set(inFlight, { traits: 0, event: no })
    const batch = await change(async (open) => {
      for (const inFlight of events) {
        if (inFlight.outcome !== undefined || outright.has(inFlight)) continue
        const { event } = inFlight
        const found = open.take(inFlight, standingOf(event))
        if (found === undefined) continue
        whose.set(inFlight, found)
        // That a device was somebody's before does not say who uses it now.
        if (event.userId === undefined || event.type === 'alias') continue
        const user = graph.find(normalise({ type: 'user_id', value: event.userId }) ?? { type: '', value: '' })
        for (const identifier of identifiersOf(event)) {
          const device = isDevice(identifier) ? graph.find(identifier) : 0
          if (device === 0 || user === 0) continue
          if (!lastUsers.used(device, user, event.timeMs) && graph.isShared(device)) open.facts.turns.add(device)
        }
      }
      await Promise.resolve()
    })
    for (const [inFlight, { traits, event: no }] of whose) {
      namedBy.set(inFlight, {
        traits: traits === 0 ? undefined : traits,
        seen: no,
        profile: profileOf(no) as Id<'profile'>,
      })
      const anchor = outright.has(inFlight) ? no : userOf(no, inFlight.event, batch)
      inFlight.anchor = anchor
      inFlight.profileId = profileOf(anchor) as Id<'profile'>
    }
    await store.turnsAreDue([...batch.facts.turns])
    for (const { a, b, standing, firstMs } of batch.facts.observations.values())
      settled.add(pairKey([a, b], standing), firstMs)
    await tell()
  }

  return {
    load,
    step: { name: 'identity', run: ({ events }) => alone(() => run(events)) },
    listener: { name: 'identity', hear: () => alone(() => workOutTurns({ graph, store, clickhouse, lastUsers })) },
    profileOf(identifier) {
      const found = normalise(identifier)
      const no = found === undefined ? 0 : graph.find(found)
      return no === 0 ? undefined : (profileOf(no) as Id<'profile'>)
    },
    namedBy: (event) => namedBy.get(event),
    standingOf,
    canonical: async (profile) => (await store.canonical(profile)) as Id<'profile'> | undefined,
    explain: (profile) => explain(store, profile),
    explainEvent: explainEvent({
      store,
      identifiersOf,
      find: (identifier) => {
        const no = graph.find(identifier)
        return no === 0 ? undefined : { no, ...identifier, shared: graph.isShared(no), profile: profileOf(no) }
      },
      canonical: (profile) => store.canonical(profile),
    }),
    async decide(verdict, also) {
      await alone(async () => {
        const all = [...verdict.left, ...verdict.right]
        if (all.some((no) => graph.ownerOf(no) === 0)) throw new Refusal('not_found', 'There is no such identifier.')
        const decision: Decision = {
          id: ids.next('decision'),
          kind: verdict.kind,
          identifiers: [...verdict.left],
          others: [...verdict.right],
          because: verdict.because,
          sourceId: '',
          messageId: '',
          decidedBy: verdict.by,
          at: clock.now(),
        }
        await change(async (batch, tx) => {
          const inside = identityStore(tx)
          await inside.putDecisions([decision])
          // Whether something is shared depends on who is one person: what these people were seen with is looked at again too.
          const people = all.flatMap((no) => [...graph.members(no)])
          const around = (await inside.pairsOf(people)).flatMap(({ a, b }) => [a, b])
          for (const no of new Set([...all, ...[...people, ...around].filter((one) => graph.isShared(one))])) {
            batch.unsettle([no])
            batch.facts.again.add(no)
          }
          await also?.(tx)
        })
        settled.clear()
      })
      // In a turn of its own, so that many who decide at once are told together.
      await alone(async () => {
        await tell()
        await workOutTurns({ graph, store, clickhouse, lastUsers })
      })
    },
    get size() {
      return graph.size
    },
  }
}
