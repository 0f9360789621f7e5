import { isAlone, priorityOf } from '../../../lib/identifiers/identifiers.ts'
import { createGroups } from './groups.ts'
import { isContact, isDevice, unproven, type Standing } from './standing.ts'

/** An identifier, by its number. */
export interface Known {
  no: number
  type: string
  value: string
  /** When it was first seen: addresses are limited by the year. */
  firstMs: number
  /** How well it was ever proven, alone or with another. */
  standing: Standing
  /** Found shared before, and not looked at again: it stays with `home`, whatever else it was seen with. */
  settled?: {
    home: number | undefined
    /** It stays with somebody who is not looked at: it is no part of anybody here. */
    elsewhere?: boolean
  }
}

/** Two identifiers that came in one event, once for each standing; `firstMs` is the earliest event that said it. */
export interface Pair {
  a: number
  b: number
  standing: Standing
  firstMs: number
}

/** What a person decided: that these are two people, or one (of each side the strongest identifier first). In the order in which they were decided. */
export interface Said {
  kind: 'split' | 'join'
  left: readonly number[]
  right: readonly number[]
}

/** Who is who. */
export interface Settled {
  /** The identifiers of each person, each in one. */
  parts: number[][]
  /**
   * What joins nobody, and the identifier at whose person it stays: undefined, it is on its own. `homeMs`: only an event before that could say that it stays with
   * somebody else.
   */
  shared: Map<number, { home: number | undefined; homeMs: number; because: string }>
  /** Pairs that count for nothing, and why; not those of an identifier that joins nobody. */
  refused: { a: number; b: number; because: string }[]
}

/** An identifier that was seen with more others than this stands for many people: a user id that a program sends for everybody. */
export const mostPartners = 1_000

const byPerson = 'a person decided that these are two people'
export const shared = 'it was seen with two people, so it joins nobody'
const overused = `it was seen with more than ${String(mostPartners)} others, so it stands for many people and joins nobody`

interface Link extends Pair {
  /** Lower is stronger: what the stronger end is. */
  strength: number
}

/**
 * Who is who, from all that was seen and decided; the order of `pairs` does not matter, nor the numbers. Links are taken strongest first (better
 * proven, then the stronger identifier, then the earlier), and one that would make a person who cannot be is left out: two user ids or customer numbers,
 * more than five addresses of a kind in a year, two that a person told apart. Greedy constrained clustering, as Kruskal's algorithm with a guard.
 */
export function settle(known: ReadonlyMap<number, Known>, pairs: readonly Pair[], said: readonly Said[]): Settled {
  const name = (no: number) => {
    const one = known.get(no)
    return one === undefined ? '' : `${one.type}\u0000${one.value}`
  }
  const decided = standingDecisions(said, known)
  const refused: Settled['refused'] = []

  let links = best(pairs, known)
  links = sift(links, (link) => (decided.apart(link.a, link.b) ? byPerson : undefined), refused)
  links.sort(
    (x, y) =>
      y.standing - x.standing ||
      x.strength - y.strength ||
      x.firstMs - y.firstMs ||
      compare(ends(x, name), ends(y, name)),
  )
  const joinless = findShared(links, name, known, decided)
  // What is shared says so itself.
  links = links.filter((link) => !joinless.has(link.a) && !joinless.has(link.b))
  links = proven(links, name, known, refused)
  const here = [...known.values()].filter((one) => one.settled?.elsewhere !== true)
  const groups = createGroups(here, decided.apartOf, (no) => decided.groupOf(no))
  for (const { left, right } of decided.joined) {
    const [one, other] = [left[0], right[0]]
    if (one !== undefined && other !== undefined) groups.join(one, other)
  }
  for (const link of links) {
    const because = groups.unite(link.a, link.b)
    if (because !== undefined) refused.push({ a: link.a, b: link.b, because })
  }
  for (const [no, found] of joinless) {
    let { home } = found
    // A customer number may be shared itself: then with whom it stays. Each step is to a stronger kind, so there is an end.
    while (home !== undefined && joinless.has(home)) home = joinless.get(home)?.home
    // A person may have said whose it is.
    if (home !== undefined && !groups.lodge(no, home)) home = undefined
    joinless.set(no, { ...found, home })
  }
  return {
    parts: groups.parts(),
    shared: joinless,
    refused: refused.filter(({ a, b }) => !joinless.has(a) && !joinless.has(b)),
  }
}

const compare = (x: string, y: string) => (x < y ? -1 : x > y ? 1 : 0)
const ends = (link: Pair, name: (no: number) => string) => [name(link.a), name(link.b)].sort().join('\u0000')

/** One link for each two identifiers: the best proven. */
function best(pairs: readonly Pair[], known: ReadonlyMap<number, Known>): Link[] {
  const links = new Map<string, Link>()
  for (const pair of pairs) {
    const [a, b] = [known.get(pair.a), known.get(pair.b)]
    if (a === undefined || b === undefined) continue
    const key = pair.a < pair.b ? `${String(pair.a)} ${String(pair.b)}` : `${String(pair.b)} ${String(pair.a)}`
    const before = links.get(key)
    const better =
      before === undefined ||
      pair.standing > before.standing ||
      (pair.standing === before.standing && pair.firstMs < before.firstMs)
    if (better) links.set(key, { ...pair, strength: Math.min(priorityOf(a.type), priorityOf(b.type)) })
  }
  return [...links.values()]
}

function sift(links: readonly Link[], why: (link: Link) => string | undefined, refused: Settled['refused']): Link[] {
  return links.filter((link) => {
    const because = why(link)
    if (because !== undefined) refused.push({ a: link.a, b: link.b, because })
    return because === undefined
  })
}

/** A device that names no user id proves nothing about an address: it counts only while nobody better named the address, and of such devices the first. */
function proven(
  links: readonly Link[],
  name: (no: number) => string,
  known: ReadonlyMap<number, Known>,
  refused: Settled['refused'],
): Link[] {
  const taken = new Set<number>()
  const contactsOf = (link: Link) => [link.a, link.b].filter((no) => isContact(known.get(no) ?? { type: '' }))
  for (const one of known.values()) if (one.standing > 0 && isContact(one)) taken.add(one.no)
  const counting = new Set<Link>()
  const weak = links.filter((link) => link.standing === 0 && contactsOf(link).length > 0)
  for (const link of weak.sort((x, y) => x.firstMs - y.firstMs || compare(ends(x, name), ends(y, name)))) {
    const [contact, second] = contactsOf(link)
    if (contact === undefined || second !== undefined || taken.has(contact)) continue
    taken.add(contact)
    counting.add(link)
  }
  const claims = new Set(weak)
  return sift(links, (link) => (claims.has(link) && !counting.has(link) ? unproven : undefined), refused)
}

/**
 * What joins nobody. A device that two user ids used; an address or customer number that a trusted source named with two; what was seen with so many that
 * it stands for nobody. An address stays with the person whom it was proven for first, a device is on its own.
 */
function findShared(
  links: readonly Link[],
  name: (no: number) => string,
  known: ReadonlyMap<number, Known>,
  decided: Decided,
): Settled['shared'] {
  const found: Settled['shared'] = new Map()
  const near = new Map<number, Link[]>()
  for (const link of links)
    for (const no of [link.a, link.b]) {
      const some = near.get(no)
      if (some === undefined) near.set(no, [link])
      else some.push(link)
    }
  for (const one of known.values()) {
    if (one.settled !== undefined) {
      found.set(one.no, { home: one.settled.home, homeMs: 0, because: shared })
      continue
    }
    const around = near.get(one.no) ?? []
    if (around.length > mostPartners) {
      found.set(one.no, { home: undefined, homeMs: 0, because: overused })
      continue
    }
    if (one.type === 'user_id') continue
    const of = new Map<string, Set<number>>()
    let first: { no: number; ms: number } | undefined
    for (const link of around) {
      const other = known.get(link.a === one.no ? link.b : link.a)
      if (other === undefined || !isAlone(other.type) || priorityOf(other.type) >= priorityOf(one.type)) continue
      if (link.standing < (isDevice(one) ? 1 : 2)) continue
      const earlier =
        first === undefined || link.firstMs < first.ms || (link.firstMs === first.ms && name(other.no) < name(first.no))
      if (earlier) first = { no: other.no, ms: link.firstMs }
      const some = of.get(other.type) ?? new Set()
      of.set(other.type, some.add(decided.groupOf(other.no)))
    }
    if ([...of.values()].some((people) => people.size > 1))
      found.set(
        one.no,
        isDevice(one)
          ? { home: undefined, homeMs: 0, because: shared }
          : { home: first?.no, homeMs: first?.ms ?? 0, because: shared },
      )
  }
  return found
}

interface Decided {
  apart(a: number, b: number): boolean
  /** The decisions that an identifier is a side of, as `decision * 2 + side`. */
  apartOf: Map<number, number[]>
  joined: Said[]
  /** Identifiers of one kind that a person said are one person's have one number. */
  groupOf(no: number): number
}

/** What still stands of what people decided: the later word undoes an earlier one about the same two. */
function standingDecisions(said: readonly Said[], known: ReadonlyMap<number, Known>): Decided {
  const standing: Said[] = []
  const across = (one: Said, other: Said) => {
    const [left, right] = [new Set(other.left), new Set(other.right)]
    const meets = (side: readonly number[], of: Set<number>) => side.some((no) => of.has(no))
    return (meets(one.left, left) && meets(one.right, right)) || (meets(one.left, right) && meets(one.right, left))
  }
  for (const one of said) {
    for (let at = standing.length - 1; at >= 0; at--) {
      const before = standing[at]
      if (before !== undefined && before.kind !== one.kind && across(one, before)) standing.splice(at, 1)
    }
    standing.push(one)
  }
  const apartOf = new Map<number, number[]>()
  const joined: Decided['joined'] = []
  const parent = new Map<number, number>()
  const groupOf = (no: number): number => {
    const up = parent.get(no)
    return up === undefined || up === no ? no : groupOf(up)
  }
  standing.forEach((one, at) => {
    if (one.kind === 'join') {
      joined.push(one)
      const first = new Map<string, number>()
      for (const no of [...one.left, ...one.right]) {
        const type = known.get(no)?.type
        if (type === undefined || !isAlone(type)) continue
        const root = first.get(type)
        if (root === undefined) first.set(type, groupOf(no))
        else parent.set(groupOf(no), root)
      }
      return
    }
    one.left.forEach((no) => apartOf.set(no, [...(apartOf.get(no) ?? []), at * 2]))
    one.right.forEach((no) => apartOf.set(no, [...(apartOf.get(no) ?? []), at * 2 + 1]))
  })
  return {
    apart: (a, b) => (apartOf.get(a) ?? []).some((side) => (apartOf.get(b) ?? []).includes(side ^ 1)),
    apartOf,
    joined,
    groupOf,
  }
}
