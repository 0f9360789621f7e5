import { normalise, type Identifier } from '../../../lib/identifiers/identifiers.ts'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { EventInFlight, PipelineStep, TrackedEvent } from '../../collect/server/index.ts'
import type { Explanation } from '../contract.ts'
import { createGraph, plan, type Node } from './graph.ts'
import { identityStore, isEmpty, nothingNew, type NewFacts } from './store.ts'

export interface Identity {
  /** Reads all identifiers into memory. Before the pipeline starts. */
  load(): Promise<void>
  /** Says of each event whose it is, and makes one profile of two when an event proves it. */
  step: PipelineStep
  profileOf(identifier: Identifier): Id<'profile'> | undefined
  /** The strongest identifier of an event that passed `step`: what its traits hang on. */
  anchorOf(event: EventInFlight): string | undefined
  /** The profile that this one is part of now; itself when it never merged; undefined when there is none. */
  canonical(profile: string): Promise<Id<'profile'> | undefined>
  explain(profile: Id<'profile'>): Promise<Explanation>
  /** How many identifiers are known. */
  readonly size: number
}

/** A browser that two people use: an event without a user id belongs to whoever used it last, within this time. */
const sessionMs = 30 * 60_000

export function createIdentity(needs: {
  postgres: Postgres
  clickhouse: ClickHouse
  clock: Clock
  ids: Ids
  log: Log
  /** The source whose events may name a profile of ours outright (`{ type: 'profile' }`): Interlock itself. */
  internalSource?: () => string
}): Identity {
  const { postgres, clickhouse, ids } = needs
  const graph = createGraph()
  const store = identityStore(postgres)
  const anchors = new WeakMap<EventInFlight, string>()
  const lastUser = new Map<string, { profile: string; atMs: number }>()
  const mergedAway = new Map<string, string>()

  async function load(): Promise<void> {
    graph.clear()
    for await (const nodes of store.everyIdentifier()) for (const node of nodes) graph.add(node)
  }

  /** Adds what one event says to memory and to `facts`. */
  function resolve(inFlight: EventInFlight, facts: NewFacts): void {
    const { event } = inFlight
    const at = new Date(event.timeMs)
    const identifiers = identifiersOf(event)
    if (identifiers.length === 0) return
    const origin = { sourceId: event.sourceId, messageId: event.messageId, at }
    const decided = plan(graph, identifiers)

    for (const { identifier, because } of decided.demoted) {
      const node = graph.find(identifier)
      facts.decisions.push({
        id: ids.next('decision'),
        kind: 'demote',
        identifiers: node === undefined ? [] : [node.id],
        because,
        ...origin,
      })
      // What was seen with two people is shared from now on, for good.
      if (node !== undefined && !node.shared && identifier.type !== 'user_id') {
        node.shared = true
        facts.shared.push({ id: node.id, at })
        facts.decisions.push({
          id: ids.next('decision'),
          kind: 'share',
          identifiers: [node.id],
          because: 'it was seen with two people, so it joins nobody from now on',
          ...origin,
        })
      }
    }

    let profile = decided.profile
    if (profile === undefined) profile = sliceOf(decided.links, event)
    if (profile === undefined) {
      profile = ids.next('profile')
      facts.profiles.push({ id: profile, at })
    }
    for (const gone of decided.absorb) {
      // A copy, because moving a node takes it out of what is walked here.
      for (const node of Array.from(graph.members(gone))) {
        graph.move(node, profile)
        facts.moved.push(node)
      }
      mergedAway.set(gone, profile)
      facts.merges.push({ from: gone, into: profile, at })
    }

    let anchor: Node | undefined
    for (const identifier of decided.links) {
      let node = graph.find(identifier)
      if (node === undefined) {
        node = { id: ids.next('identifier'), type: identifier.type, value: identifier.value, profile, shared: false }
        graph.add(node)
        facts.identifiers.push({ ...node, sourceId: event.sourceId, at })
        if (anchor !== undefined)
          facts.edges.push({
            a: anchor.id,
            b: node.id,
            rule: event.type === 'alias' ? 'said to be the same (alias)' : 'in one event',
            ...origin,
          })
      } else if (anchor !== undefined && decided.absorb.length > 0)
        facts.edges.push({
          a: anchor.id,
          b: node.id,
          rule: event.type === 'alias' ? 'said to be the same (alias)' : 'in one event',
          ...origin,
        })
      if (anchor === undefined && !node.shared) anchor = node
    }
    const device =
      decided.links.find((identifier) => identifier.type === 'anonymous_id') ??
      decided.demoted.find(({ identifier }) => identifier.type === 'anonymous_id')?.identifier
    if (device !== undefined && event.userId !== undefined) lastUser.set(device.value, { profile, atMs: event.timeMs })
    inFlight.profileId = profile as Id<'profile'>
    if (anchor !== undefined) anchors.set(inFlight, anchor.id)
  }

  /** Only shared identifiers: the person who used the device last, else the device's own profile. */
  function sliceOf(links: readonly Identifier[], event: TrackedEvent): string | undefined {
    for (const identifier of links) {
      const node = graph.find(identifier)
      if (node === undefined) continue
      const last = lastUser.get(identifier.value)
      if (last !== undefined && Math.abs(event.timeMs - last.atMs) < sessionMs) return follow(last.profile)
      return node.profile
    }
    return undefined
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
    canonical: async (profile) => (await store.canonical(profile)) as Id<'profile'> | undefined,
    async explain(profile) {
      const identifiers = await store.identifiersOf(profile)
      if (identifiers.length === 0) throw new Refusal('not_found', 'There is no such person.')
      const nodes = identifiers.map((row) => row.id)
      const label = new Map(identifiers.map((row) => [row.id, `${row.type} ${row.value}`]))
      return {
        profileId: profile,
        identifiers: identifiers.map((row) => ({
          type: row.type,
          value: row.value,
          shared: row.shared_at !== null,
          sourceId: row.source_id,
          firstSeenAt: row.created_at.toISOString(),
        })),
        links: (await store.edgesAmong(nodes)).map((row) => ({
          a: label.get(row.a) ?? '',
          b: label.get(row.b) ?? '',
          rule: row.rule,
          sourceId: row.source_id,
          messageId: row.message_id,
          at: row.at.toISOString(),
        })),
        decisions: (await store.decisionsOn(nodes)).map((row) => ({ ...row, at: row.at.toISOString() })),
        mergedFrom: (await store.mergedInto(profile)).map((row) => ({
          profileId: row.from_profile,
          at: row.at.toISOString(),
        })),
      }
    },
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
