import { normalise, type Identifier } from '../../../lib/identifiers/identifiers.ts'
import type { Id } from '../../../lib/ids/ids.ts'
import { bridgesOf } from '../../../lib/links/links.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { EventInFlight, Explainer, PipelineStep, TrackedEvent } from '../../collect/server/index.ts'
import type { Explanation } from '../contract.ts'
import { explainEvent } from './event-way.ts'
import { createGraph, overLimit, plan, type Node } from './graph.ts'
import { createLastUsers } from './last-users.ts'
import { isContact, isDevice, type Standing } from './standing.ts'
import { identityStore, isEmpty, nothingNew, type NewFacts } from './store.ts'

export interface Identity {
  /** Reads all identifiers into memory. Before the pipeline starts. */
  load(): Promise<void>
  /** Says of each event whose it is, and makes one profile of two when an event proves it. */
  step: PipelineStep
  profileOf(identifier: Identifier): Id<'profile'> | undefined
  /** The strongest identifier of an event that passed `step`: what its traits hang on. */
  anchorOf(event: EventInFlight): string | undefined
  /** How well what an event says is proven. */
  standingOf(event: TrackedEvent): Standing
  /** Profiles that lost or got an identifier without an event of their own, and when; whoever sums profiles up takes them out when it has. */
  changed: Map<string, Date>
  /** The profile that this one is part of now; itself when it never merged; undefined when there is none. */
  canonical(profile: string): Promise<Id<'profile'> | undefined>
  explain(profile: Id<'profile'>): Promise<Explanation>
  /** What one event named, what it was the first to prove, and what was decided against. */
  explainEvent: Explainer
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
  const { postgres, clickhouse, ids } = needs
  const graph = createGraph()
  const store = identityStore(postgres)
  const anchors = new WeakMap<EventInFlight, string>()
  const lastUsers = createLastUsers()
  const changed = new Map<string, Date>()
  const decided = new Set<string>()
  const mergedAway = new Map<string, string>()

  async function load(): Promise<void> {
    graph.clear()
    lastUsers.clear()
    for await (const nodes of store.everyIdentifier()) for (const node of nodes) graph.add(node)
  }

  function standingOf(event: TrackedEvent): Standing {
    if (!needs.isOnDevice(event.sourceId)) return 2
    const named = event.userId !== undefined && normalise({ type: 'user_id', value: event.userId }) !== undefined
    return named ? 1 : 0
  }

  /** Adds what one event says to memory and to `facts`. */
  function resolve(inFlight: EventInFlight, facts: NewFacts): void {
    const { event } = inFlight
    const at = new Date(event.timeMs)
    const standing = standingOf(event)
    const { linking, claimed, left } = sorted(identifiersOf(event), standing)
    if (linking.length + claimed.length + left.length === 0) return
    const origin = { sourceId: event.sourceId, messageId: event.messageId, at }
    const found = plan(graph, linking, event.timeMs)

    for (const { identifier, because } of found.demoted) {
      const node = graph.find(identifier)
      decide(facts, 'demote', identifier, because, origin)
      // What was seen with two people is shared from now on, for good. A public key can say so of devices only.
      if (node !== undefined && !node.shared && (standing === 2 ? node.type !== 'user_id' : isDevice(node)))
        share(node, origin, facts)
    }
    for (const identifier of left)
      decide(facts, 'demote', identifier, 'a device that names no user id does not say whose address it is', origin)

    let profile = found.profile ?? sliceOf(found.links, event)
    if (profile === undefined && linking.length + claimed.length === 0)
      profile = left.map((identifier) => graph.find(identifier)?.profile).find((one) => one !== undefined)
    profile ??= newProfile(facts, at)
    for (const gone of found.absorb) {
      // A copy, because moving a node takes it out of what is walked here.
      for (const node of Array.from(graph.members(gone))) {
        graph.move(node, profile)
        facts.moved.push(node)
      }
      mergedAway.set(gone, profile)
      facts.merges.push({ from: gone, into: profile, at })
    }
    const taken = claimed.filter((identifier) => takeOver(identifier, profile, origin, facts))

    const rule = event.type === 'alias' ? 'said to be the same (alias)' : 'in one event'
    let anchor: Node | undefined
    for (const identifier of [...found.links, ...taken]) {
      let node = graph.find(identifier)
      const known = node !== undefined
      if (node === undefined) {
        const { type, value } = identifier
        node = { id: ids.next('identifier'), type, value, profile, shared: false, standing, atMs: event.timeMs }
        graph.add(node)
        facts.identifiers.push({ ...node, sourceId: event.sourceId, at })
      } else if (node.standing < standing && node.profile === profile) {
        node.standing = standing
        facts.proven.push(node)
      }
      if (anchor !== undefined && (!known || found.absorb.length > 0 || taken.includes(identifier)))
        facts.edges.push({ a: anchor.id, b: node.id, rule, ...origin })
      // Traits never hang on an address that is not proven: they would go where it goes.
      if (anchor === undefined && !node.shared && (standing > 0 || !isContact(node))) anchor = node
    }
    const others = [...found.links, ...taken, ...found.demoted.map((one) => one.identifier), ...left]
    if (anchor !== undefined) observe(anchor, others, inFlight, facts)
    const named = found.links.find(({ type }) => type === 'user_id')
    const user = named === undefined ? undefined : graph.find(named)
    for (const identifier of others) {
      const node = isDevice(identifier) ? graph.find(identifier) : undefined
      if (node !== undefined && user !== undefined) lastUsers.used(node.id, user, event.timeMs)
    }
    inFlight.profileId = profile as Id<'profile'>
    if (anchor !== undefined) anchors.set(inFlight, anchor.id)
  }

  /**
   * What links, what does not. A device that names no user id links no address that another profile has (`left`). An address that only such a device
   * ever named (`claimed`) does not pull that device's profile in: whoever proves it takes it over.
   */
  function sorted(identifiers: readonly Identifier[], standing: Standing) {
    const linking: Identifier[] = []
    const claimed: Identifier[] = []
    const left: Identifier[] = []
    const home = new Set(identifiers.flatMap((one) => (isContact(one) ? [] : [graph.find(one)?.profile])))
    for (const identifier of identifiers) {
      const node = isContact(identifier) ? graph.find(identifier) : undefined
      if (node === undefined || node.shared || home.has(node.profile)) linking.push(identifier)
      else if (standing === 0) left.push(identifier)
      else if (node.standing === 0) claimed.push(identifier)
      else linking.push(identifier)
    }
    return { linking, claimed, left }
  }

  interface Origin {
    sourceId: string
    messageId: string
    at: Date
  }

  /** Moves an address that was only claimed to the profile that proves it. @returns whether it did */
  function takeOver(identifier: Identifier, profile: string, origin: Origin, facts: NewFacts): boolean {
    const node = graph.find(identifier)
    if (node === undefined || node.profile === profile) return true
    const because = overLimit(graph, [profile], [identifier], origin.at.getTime())
    if (because !== undefined) {
      decide(facts, 'demote', identifier, because, origin)
      return false
    }
    leave(node, profile, origin.at, facts)
    return true
  }

  /** Takes one identifier out of its profile. */
  function leave(node: Node, profile: string, at: Date, facts: NewFacts): void {
    changed.set(node.profile, at)
    changed.set(profile, at)
    graph.move(node, profile)
    facts.moved.push(node)
    facts.cut.push({ id: node.id, at })
  }

  /** From now on it joins nobody; a device that belonged to the first of two people is its own from now on. */
  function share(node: Node, origin: Origin, facts: NewFacts): void {
    node.shared = true
    facts.shared.push({ id: node.id, at: origin.at })
    decide(facts, 'share', node, 'it was seen with two people, so it joins nobody from now on', origin)
    if (isDevice(node) && graph.members(node.profile).length > 1)
      leave(node, newProfile(facts, origin.at), origin.at, facts)
  }

  function newProfile(facts: NewFacts, at: Date): string {
    const id = ids.next('profile')
    facts.profiles.push({ id, at })
    return id
  }

  /** Writes a decision down, once for each identifier and source as long as memory serves: events can repeat it a thousand times a second. */
  function decide(facts: NewFacts, kind: 'demote' | 'share', of: Identifier, because: string, origin: Origin): void {
    const key = `${kind} ${of.type} ${of.value} ${origin.sourceId}`
    if (decided.has(key)) return
    if (decided.size >= 10_000) decided.clear()
    decided.add(key)
    const node = graph.find(of)
    const identifiers = node === undefined ? [] : [node.id]
    facts.decisions.push({ id: ids.next('decision'), kind, identifiers, because, ...origin })
  }

  /** Counts that identifiers were seen together. */
  function observe(anchor: Node, others: readonly Identifier[], inFlight: EventInFlight, facts: NewFacts): void {
    const { event, position } = inFlight
    for (const identifier of others) {
      const node = graph.find(identifier)
      if (node === undefined || node === anchor) continue
      const key = `${anchor.id} ${node.id} ${event.sourceId}`
      const seen = facts.observations.get(key)
      if (seen === undefined) {
        const { timeMs, sourceId } = event
        const pair = { a: anchor.id, b: node.id, sourceId }
        facts.observations.set(key, { ...pair, events: 1, firstMs: timeMs, lastMs: timeMs, lastPosition: position })
      } else {
        seen.events += 1
        seen.firstMs = Math.min(seen.firstMs, event.timeMs)
        seen.lastMs = Math.max(seen.lastMs, event.timeMs)
        seen.lastPosition = position
      }
    }
  }

  /** Only shared identifiers: the person who used the device last, else the device's own profile. */
  function sliceOf(links: readonly Identifier[], event: TrackedEvent): string | undefined {
    for (const identifier of links) {
      const node = graph.find(identifier)
      if (node !== undefined) return lastUsers.profileAt(node.id, event.timeMs) ?? node.profile
    }
    return undefined
  }

  /** Shared devices that come without a user id and that memory has forgotten: the store knows who used them last. */
  async function rememberUsers(events: readonly EventInFlight[]): Promise<void> {
    const wanted = new Set<string>()
    for (const { event } of events) {
      if (event.userId !== undefined || event.anonymousId === undefined) continue
      const found = normalise({ type: 'anonymous_id', value: event.anonymousId })
      const node = found === undefined ? undefined : graph.find(found)
      if (node?.shared === true && !lastUsers.knows(node.id)) wanted.add(node.id)
    }
    if (wanted.size === 0) return
    for (const row of await store.lastUsersOf([...wanted])) {
      const user = graph.find({ type: 'user_id', value: row.user_id })
      if (user !== undefined) lastUsers.used(row.device, user, row.last_at.getTime())
    }
  }
  const follow = (profile: string): string => {
    const next = mergedAway.get(profile)
    return next === undefined ? profile : follow(next)
  }

  /** Events of our own that name a profile: what it is part of now. From any other source such a name counts for nothing. */
  async function profilesNamed(events: readonly EventInFlight[]): Promise<Map<EventInFlight, Id<'profile'>>> {
    const internal = needs.internalSource?.()
    const named = new Map<EventInFlight, string>()
    for (const inFlight of events) {
      const profile = inFlight.event.externalIds.find((one) => one.type === 'profile')?.value
      if (inFlight.event.sourceId === internal && profile !== undefined) named.set(inFlight, profile)
    }
    if (named.size === 0) return new Map()
    const now = await store.canonicals([...new Set(named.values())])
    return new Map(
      [...named].flatMap(([inFlight, profile]) => {
        const found = now.get(profile)
        return found === undefined ? [] : [[inFlight, found as Id<'profile'>] as const]
      }),
    )
  }

  /** Tells ClickHouse of merges. What was committed and not told (a crash in between) is told the next time. */
  async function tellMerges(): Promise<void> {
    const rows = await store.untold()
    if (rows.length === 0) return
    const seqs = [...new Set(rows.map((row) => row.seq))]
    await clickhouse.insert(
      'profile_override',
      rows.map((row) => ({ from_profile: row.from_profile, to_profile: row.into_profile, version: seqs.at(-1) ?? 0 })),
      { token: `override ${String(seqs[0])} ${String(seqs.at(-1))}` },
    )
    await store.told(seqs)
  }

  return {
    load,
    step: {
      name: 'identity',
      async run({ events }) {
        const facts = nothingNew()
        const named = await profilesNamed(events)
        await rememberUsers(events)
        for (const inFlight of events) {
          if (inFlight.outcome !== undefined) continue
          const profile = named.get(inFlight)
          if (profile === undefined) resolve(inFlight, facts)
          else inFlight.profileId = profile
        }
        // A profile that was found early in the batch may have become part of another later in it.
        for (const inFlight of events)
          if (inFlight.profileId !== undefined) inFlight.profileId = follow(inFlight.profileId) as Id<'profile'>
        mergedAway.clear()
        if (!isEmpty(facts)) {
          try {
            await postgres.transaction((tx) => identityStore(tx).write(facts))
          } catch (error) {
            // Memory must not know what the database does not.
            await load()
            throw error
          }
        }
        await tellMerges()
      },
    },
    profileOf(identifier) {
      const found = normalise(identifier)
      return found === undefined ? undefined : (graph.find(found)?.profile as Id<'profile'> | undefined)
    },
    anchorOf: (event) => anchors.get(event),
    standingOf,
    changed,
    canonical: async (profile) => (await store.canonical(profile)) as Id<'profile'> | undefined,
    async explain(profile) {
      const identifiers = await store.identifiersOf(profile)
      if (identifiers.length === 0) throw new Refusal('not_found', 'There is no such person.')
      const nodes = identifiers.map((row) => row.id)
      const together = new Map((await store.observationsAmong(nodes)).map((row) => [`${row.a} ${row.b}`, row]))
      const label = new Map(identifiers.map((row) => [row.id, `${row.type} ${row.value}`]))
      const edges = await store.edgesAmong(nodes)
      const holds = new Map(bridgesOf(edges).map(({ link, side }) => [link, side.map((id) => label.get(id) ?? '')]))
      return {
        profileId: profile,
        identifiers: identifiers.map((row) => ({
          type: row.type,
          value: row.value,
          shared: row.shared_at !== null,
          sourceId: row.source_id,
          firstSeenAt: row.created_at.toISOString(),
        })),
        links: edges.map((row, at) => ({
          a: label.get(row.a) ?? '',
          b: label.get(row.b) ?? '',
          rule: row.rule,
          sourceId: row.source_id,
          messageId: row.message_id,
          at: row.at.toISOString(),
          events: Number(together.get(`${row.a} ${row.b}`)?.events ?? 1),
          lastAt: (together.get(`${row.a} ${row.b}`)?.last_at ?? row.at).toISOString(),
          holds: holds.get(at) ?? null,
        })),
        decisions: (await store.decisionsOn(nodes)).map((row) => ({ ...row, at: row.at.toISOString() })),
        mergedFrom: (await store.mergedInto(profile)).map((row) => ({
          profileId: row.from_profile,
          at: row.at.toISOString(),
        })),
      }
    },
    explainEvent: explainEvent({
      store,
      identifiersOf,
      find: (identifier) => graph.find(identifier),
      canonical: (profile) => store.canonical(profile),
    }),
    get size() {
      return graph.size
    },
  }
}

/** What an event says of who it is about, normalised, blocked values left out, each once. */
function identifiersOf(event: TrackedEvent): Identifier[] {
  const traits = { ...objectOf(event.context['traits']), ...event.traits }
  const country = textOf(objectOf(traits['address'])['country']) ?? undefined
  const said: Identifier[] = [
    ...(event.userId === undefined ? [] : [{ type: 'user_id', value: event.userId }]),
    ...(event.anonymousId === undefined ? [] : [{ type: 'anonymous_id', value: event.anonymousId }]),
    ...(event.type === 'alias' && event.previousId !== undefined
      ? [{ type: 'anonymous_id', value: event.previousId }]
      : []),
    ...event.externalIds.filter((identifier) => identifier.type !== 'profile'),
  ]
  // Traits of a group call are the group's; those of everything else the person's.
  if (event.type !== 'group')
    for (const type of ['email', 'phone']) {
      const value = textOf(traits[type])
      if (value !== null) said.push({ type, value })
    }
  const seen = new Set<string>()
  return said.flatMap((identifier) => {
    const found = normalise(identifier, country)
    const key = found === undefined ? '' : `${found.type} ${found.value}`
    if (found === undefined || seen.has(key)) return []
    seen.add(key)
    return [found]
  })
}
function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : null
}
