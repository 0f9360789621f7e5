import { isAlone, limitOf, priorityOf, type Identifier } from '../../../lib/identifiers/identifiers.ts'
import type { EventInFlight } from '../../collect/server/index.ts'
import type { Graph } from './graph.ts'
import { mostInAYear } from './groups.ts'
import { identifiersOf } from './said.ts'
import { mostPartners } from './settle.ts'
import type { SettledPairs } from './settled-pairs.ts'
import { isContact, isDevice, unproven, type Standing } from './standing.ts'
import type { Decision, Observation } from './store.ts'

/** An identifier that was not known before this batch. */
export interface NewIdentifier extends Identifier {
  no: number
  sourceId: string
  at: Date
}

/** What one batch brings, and what it changed in memory. */
export interface Facts {
  /** By number. */
  identifiers: Map<number, NewIdentifier>
  observations: Map<string, Observation>
  refusals: Map<string, { a: number; b: number; because: string }>
  /** Pairs that are proven now, whatever was said of them before. */
  proven: { a: number; b: number }[]
  decisions: Decision[]
  /** Known identifiers whose first time or standing changed. */
  changed: Set<number>
  /** The profile that each known identifier had before, of those that have another one. */
  before: Map<number, string>
  homes: Map<number, number | undefined>
  /** Since when what is shared stays where it does. */
  homesSince: Map<number, number>
  /** Identifiers that gave their profile's id to another, or got one. */
  handedDown: Set<number>
  shared: Set<number>
  unshared: Set<number>
  /** Identifiers about whom the order matters of what was seen: they are worked out from everything that is known. */
  unsettled: Set<number>
  /** Shared identifiers that must be looked at again all the same. */
  again: Set<number>
  /** Shared devices whose turns are to be worked out anew. */
  turns: Set<number>
}

export const noFacts = (): Facts => ({
  identifiers: new Map(),
  observations: new Map(),
  refusals: new Map(),
  proven: [],
  decisions: [],
  changed: new Set(),
  before: new Map(),
  homes: new Map(),
  homesSince: new Map(),
  handedDown: new Set(),
  shared: new Set(),
  unshared: new Set(),
  unsettled: new Set(),
  again: new Set(),
  turns: new Set(),
})

/** Of whom an event is: the identifier that its traits hang on, if any may, and the one whose person it belongs to. */
export interface Whose {
  /** 0: none may. */
  traits: number
  event: number
}

/** What links by an alias are called. */
export const byAlias = 'said to be the same (alias)'

/** How many of one event's identifiers are paired with each other when none of them is one person's alone. */
const mostPaired = 5

/**
 * Takes in what events say, as long as the order of what was seen does not matter: new identifiers, people who turn out to be one and may be. All else is left
 * unsettled, and worked out from everything that is known (`settle`), so that the outcome is the same whatever came first.
 */
export function createBatch(
  graph: Graph,
  /** Pairs that were settled with an event as early as this. */
  settled: Pick<SettledPairs, 'has' | 'homeSince'>,
  profileOf: (no: number) => string,
) {
  const facts = noFacts()

  function take(inFlight: EventInFlight, standing: Standing): Whose | undefined {
    const { event } = inFlight
    const said = identifiersOf(event).filter((one) => graph.canHold(one.type))
    if (said.length === 0) return undefined
    const at = new Date(event.timeMs)
    const fresh = new Set<number>()
    const late = new Set<number>()
    const better = new Set<number>()
    const nos = said.map((one) => {
      let no = graph.find(one)
      if (no === 0) {
        no = graph.add(one, undefined, standing, event.timeMs)
        facts.identifiers.set(no, { ...one, no, sourceId: event.sourceId, at })
        fresh.add(no)
        return no
      }
      if (event.timeMs < graph.firstMsOf(no)) {
        late.add(no)
        graph.setFirstMs(no, event.timeMs)
        note(no)
      }
      if (standing > graph.standingOf(no)) {
        if (graph.standingOf(no) === 0 && isContact(one)) better.add(no)
        graph.setStanding(no, standing)
        note(no)
      }
      return no
    })
    const pairs = pairsOf(nos)
    for (const [a, b] of pairs) observe(a, b, standing, inFlight)
    const counting = sift(pairs, { standing, atMs: event.timeMs, fresh })
    const crowded = [...late].some((no) => !fits(no))
    if (counting === undefined || better.size > 0 || crowded) unsettle(nos)
    else link(counting, standing, event.timeMs)
    return whose(nos, standing)
  }

  function note(no: number): void {
    if (!facts.identifiers.has(no)) facts.changed.add(no)
  }
  function unsettle(nos: readonly number[]): void {
    for (const no of nos) {
      facts.unsettled.add(no)
      graph.setContended(graph.ownerOf(no), true)
    }
  }

  /** Each with the strongest; and, when that may turn out to be many people's, each with each. */
  function pairsOf(nos: readonly number[]): [number, number][] {
    const [first, ...rest] = nos
    if (first === undefined) return []
    const pairs = rest.map((no): [number, number] => [first, no])
    if (graph.typeOf(first) === 'user_id') return pairs
    for (let one = 0; one < rest.length && one < mostPaired; one++)
      for (let other = one + 1; other < rest.length && other < mostPaired; other++)
        pairs.push([rest[one] ?? 0, rest[other] ?? 0])
    return pairs
  }

  /** The pairs that link, when that can be said without looking at what was seen before; undefined when it cannot. */
  function sift(
    pairs: readonly [number, number][],
    of: { standing: Standing; atMs: number; fresh: ReadonlySet<number> },
  ): [number, number][] | undefined {
    const counting: [number, number][] = []
    const claimed = new Set<number>()
    for (const pair of pairs) {
      const sharedOnes = pair.filter((no) => graph.isShared(no))
      if (sharedOnes.length > 0) {
        // An earlier event may say that a shared address stays with somebody else.
        const moved = sharedOnes.filter(
          (no) => of.standing === 2 && !isDevice({ type: graph.typeOf(no) }) && of.atMs <= settled.homeSince(no),
        )
        if (moved.length === 0 || settled.has(pairKey(pair, of.standing), of.atMs)) continue
        for (const no of moved) facts.again.add(no)
        return undefined
      }
      const contacts = pair.filter((no) => isContact({ type: graph.typeOf(no) }))
      const [contact] = contacts
      const known = settled.has(pairKey(pair, of.standing), of.atMs)
      if (of.standing > 0 || contact === undefined) {
        counting.push(pair)
        if (contact !== undefined && !of.fresh.has(contact) && !known) facts.proven.push(sorted(pair))
        continue
      }
      const contended = pair.some((no) => graph.isContended(graph.ownerOf(no)))
      if (contended && !known) return undefined
      if (contacts.length > 1 || graph.standingOf(contact) > 0) refuse(pair)
      else if (of.fresh.has(contact) && !claimed.has(contact)) {
        claimed.add(contact)
        counting.push(pair)
      } else if (!known) return undefined
    }
    return counting
  }
  function refuse(pair: readonly [number, number]): void {
    const { a, b } = sorted(pair)
    facts.refusals.set(`${String(a)} ${String(b)}`, { a, b, because: unproven })
  }

  function link(pairs: readonly [number, number][], standing: Standing, atMs: number): void {
    for (const pair of pairs) {
      const [one, other] = [graph.ownerOf(pair[0]), graph.ownerOf(pair[1])]
      const contended = graph.isContended(one) || graph.isContended(other)
      if (contended ? settled.has(pairKey(pair, standing), atMs) : one === other) continue
      if (contended || !mayBeOne(one, other)) unsettle(pair)
      else unite(one, other)
    }
  }

  /** Whether all identifiers of two people can be one person's. */
  function mayBeOne(one: number, other: number): boolean {
    const alone = new Map<string, number>()
    const contacts = new Map<string, number[]>()
    let size = 0
    for (const owner of [one, other])
      for (const no of graph.members(owner)) {
        size += 1
        if (graph.isShared(no)) continue
        const type = graph.typeOf(no)
        if (isAlone(type)) {
          if (alone.has(type)) return false
          alone.set(type, no)
        } else if (isContact({ type })) contacts.set(type, [...(contacts.get(type) ?? []), graph.firstMsOf(no)])
        if (size > mostPartners) return false
      }
    for (const [type, times] of contacts)
      if (times.length > limitOf(type) && mostInAYear(times) > limitOf(type)) return false
    return true
  }

  /** Whether a person's addresses still fit into the years, now that this one was seen earlier than was known. */
  function fits(no: number): boolean {
    const type = graph.typeOf(no)
    if (!isContact({ type })) return true
    const times = [...graph.members(no)]
      .filter((other) => graph.typeOf(other) === type)
      .map((one) => graph.firstMsOf(one))
    return mostInAYear(times) <= limitOf(type)
  }

  /** The older profile stays: the person was known under it first. */
  function unite(one: number, other: number): void {
    const [stays, goes] = isOlder(graph, one, other) ? [one, other] : [other, one]
    for (const no of graph.members(goes)) remember(no)
    graph.unite(stays, goes)
  }
  function remember(no: number): void {
    if (!facts.identifiers.has(no) && !facts.before.has(no)) facts.before.set(no, profileOf(no))
  }

  function observe(a: number, b: number, standing: Standing, { event, position }: EventInFlight): void {
    const [low, high] = a < b ? [a, b] : [b, a]
    const key = `${String(low)} ${String(high)} ${event.sourceId} ${String(standing)}`
    const seen = facts.observations.get(key)
    const rule = event.type === 'alias' ? byAlias : 'in one event'
    if (seen === undefined) {
      facts.observations.set(key, {
        a: low,
        b: high,
        sourceId: event.sourceId,
        standing,
        rule,
        messageId: event.messageId,
        events: 1,
        firstMs: event.timeMs,
        lastMs: event.timeMs,
        lastPosition: position,
      })
      return
    }
    seen.events += 1
    seen.lastMs = Math.max(seen.lastMs, event.timeMs)
    seen.lastPosition = position
    if (event.timeMs < seen.firstMs) Object.assign(seen, { firstMs: event.timeMs, rule, messageId: event.messageId })
  }

  /** By what an identifier is, not by what became of it: so it does not depend on what came first. */
  function whose(nos: readonly number[], standing: Standing): Whose {
    const traits = nos.find((no) => standing > 0 || !isContact({ type: graph.typeOf(no) })) ?? 0
    return { traits, event: traits === 0 ? (nos[0] ?? 0) : traits }
  }

  return { facts, take, remember, unsettle }
}
const sorted = ([a, b]: readonly [number, number]) => (a < b ? { a, b } : { a: b, b: a })
export type Batch = ReturnType<typeof createBatch>

export const pairKey = ([a, b]: readonly [number, number], standing: number) =>
  a < b ? `${String(a)} ${String(b)} ${String(standing)}` : `${String(b)} ${String(a)} ${String(standing)}`

/** Whether the profile of the first came into being before that of the second; one that brought none is younger than any. */
export function isOlder(graph: Graph, one: number, other: number): boolean {
  const [first, second] = [graph.bornOf(one), graph.bornOf(other)]
  if (first === undefined || second === undefined)
    return first === undefined && second === undefined ? one < other : first !== undefined
  for (let at = 0; at < 4; at++) {
    const [x, y] = [first[at] ?? 0, second[at] ?? 0]
    if (x !== y) return x < y
  }
  return one <= other
}

/** The strongest of these: what names a person before what a person has. */
export function strongest(graph: Graph, nos: readonly number[]): number {
  const strength = (no: number) => (graph.isShared(no) ? 1_000 : 0) + priorityOf(graph.typeOf(no))
  return nos.reduce(
    (best, no) => (strength(no) < strength(best) || (strength(no) === strength(best) && no < best) ? no : best),
    nos[0] ?? 0,
  )
}
