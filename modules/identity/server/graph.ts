import { limitOf, priorityOf, type Identifier } from '../../../lib/identifiers/identifiers.ts'
import { isContact, type Standing } from './standing.ts'

/** An identifier in memory. */
export interface Node {
  id: string
  type: string
  value: string
  profile: string
  shared: boolean
  /** How well it is proven that it is this person's. */
  standing: Standing
  /** When it was first seen. */
  atMs: number
}

/** The whole of who is who, in memory: one writer, so two events can never make two profiles of one new identifier. */
export interface Graph {
  find(identifier: Identifier): Node | undefined
  members(profile: string): readonly Node[]
  add(node: Node): void
  move(node: Node, profile: string): void
  clear(): void
  readonly size: number
}

/** An empty graph. */
export function createGraph(): Graph {
  const byKey = new Map<string, Node>()
  const byProfile = new Map<string, Node[]>()
  const keyOf = (identifier: Identifier) => `${identifier.type}\u0000${identifier.value}`
  const put = (node: Node) => {
    const list = byProfile.get(node.profile)
    if (list === undefined) byProfile.set(node.profile, [node])
    else list.push(node)
  }
  return {
    find: (identifier) => byKey.get(keyOf(identifier)),
    members: (profile) => byProfile.get(profile) ?? [],
    add(node) {
      byKey.set(keyOf(node), node)
      put(node)
    },
    move(node, profile) {
      const list = (byProfile.get(node.profile) ?? []).filter((other) => other !== node)
      if (list.length === 0) byProfile.delete(node.profile)
      else byProfile.set(node.profile, list)
      node.profile = profile
      put(node)
    },
    clear() {
      byKey.clear()
      byProfile.clear()
    },
    get size() {
      return byKey.size
    },
  }
}

/** What resolving one event's identifiers comes to, before anything is changed. */
export interface Plan {
  /** The profile it belongs to; undefined: a new one. */
  profile: string | undefined
  /** Profiles that turn out to be the same person, besides `profile`. */
  absorb: string[]
  /** Identifiers that link, strongest first. */
  links: Identifier[]
  /** Identifiers that would have joined two people, with why. They stay where they are. */
  demoted: { identifier: Identifier; because: string }[]
}

/** Addresses are limited by the year: people move, and may have more of them over a life. */
const windowMs = 365 * 24 * 3_600_000

/**
 * Decides what an event's identifiers come to. Merge protection after Segment's rules, made stricter: identifiers have limits per profile (one
 * user id and one customer number for ever; five e-mail addresses and telephones a year); over a limit the weakest identifier is left out and it is
 * tried again, and what was left out for nothing comes back; a shared identifier links nobody.
 */
export function plan(graph: Graph, identifiers: readonly Identifier[], atMs: number): Plan {
  const links = [...identifiers].sort((a, b) => priorityOf(a.type) - priorityOf(b.type))
  const left: Plan['demoted'] = []
  for (let over = whyNot(graph, links, atMs); over !== undefined; over = whyNot(graph, links, atMs)) {
    const weakest = links.pop()
    if (weakest === undefined) break
    left.unshift({ identifier: weakest, because: over })
  }
  const demoted: Plan['demoted'] = []
  for (const one of left) {
    const because = whyNot(graph, [...links, one.identifier], atMs)
    if (because === undefined) links.push(one.identifier)
    else demoted.push({ identifier: one.identifier, because })
  }
  const [profile, ...absorb] = oldestFirst(profilesOf(graph, links))
  return { profile, absorb, links, demoted }
}

function profilesOf(graph: Graph, links: readonly Identifier[]): string[] {
  const nodes = links.map((identifier) => graph.find(identifier))
  return [...new Set(nodes.flatMap((node) => (node === undefined || node.shared ? [] : [node.profile])))]
}

/** Why these identifiers cannot be one person's; undefined when they can. */
const whyNot = (graph: Graph, links: readonly Identifier[], atMs: number) =>
  overLimit(graph, profilesOf(graph, links), links, atMs)

/** Ids sort by age, and the older profile is the one that stays: the person was known under it first. */
function oldestFirst(profiles: readonly string[]): string[] {
  return [...profiles].sort()
}

/** Why these profiles with these identifiers cannot be one person; undefined when they can. */
export function overLimit(
  graph: Graph,
  profiles: readonly string[],
  links: readonly Identifier[],
  atMs: number,
): string | undefined {
  const values = new Map<string, Set<string>>()
  const note = ({ type, value }: Identifier) => {
    const set = values.get(type)
    if (set === undefined) values.set(type, new Set([value]))
    else set.add(value)
  }
  for (const profile of profiles)
    for (const node of graph.members(profile))
      if (!node.shared && !(isContact(node) && node.atMs < atMs - windowMs)) note(node)
  for (const identifier of links) if (graph.find(identifier)?.shared !== true) note(identifier)
  for (const [type, set] of values)
    if (set.size > limitOf(type)) {
      const span = isContact({ type }) ? ' in a year' : ''
      return `one person has at most ${String(limitOf(type))} ${type.replaceAll('_', ' ')}${span}, and this would make ${String(set.size)}`
    }
  return undefined
}
