import { isAlone, limitOf, priorityOf } from '../../../lib/identifiers/identifiers.ts'
import { isContact } from './standing.ts'

interface One {
  no: number
  type: string
  firstMs: number
}

interface Group {
  members: number[]
  /** Of each kind that one person has once: which people's they are. */
  alone: Map<string, Set<number>>
  /** Of each kind of address: when each was first seen. */
  contacts: Map<string, number[]>
  /** Sides of decisions: `decision * 2 + side`. */
  sides: Set<number>
  /** How often a person joined people here: each brings its addresses. */
  joins: number
}

const yearMs = 365 * 24 * 3_600_000

/** Identifiers put together one link at a time, and never what cannot be one person. */
export interface Groups {
  /** Makes one of the groups of two identifiers. @returns why not; undefined when they are one now */
  unite(a: number, b: number): string | undefined
  /** Makes one of two groups because a person said so, whatever the limits. */
  join(left: number, right: number): void
  /** Puts an identifier that joins nobody with a person. @returns false when it is with somebody already */
  lodge(no: number, home: number): boolean
  parts(): number[][]
}

/**
 * Every identifier in a group of its own.
 * @param apartOf the sides of decisions that an identifier is on
 * @param groupOf identifiers of one kind with the same answer may be one person's
 */
export function createGroups(
  known: Iterable<One>,
  apartOf: ReadonlyMap<number, readonly number[]>,
  groupOf: (no: number) => number,
): Groups {
  const groups = new Map<number, Group>()
  for (const { no, type, firstMs } of known)
    groups.set(no, {
      members: [no],
      alone: new Map(isAlone(type) ? [[type, new Set([groupOf(no)])]] : []),
      contacts: new Map(isContact({ type }) ? [[type, [firstMs]]] : []),
      sides: new Set(apartOf.get(no)),
      joins: 0,
    })

  function merge(one: Group, other: Group): void {
    const [into, from] = one.members.length >= other.members.length ? [one, other] : [other, one]
    for (const no of from.members) {
      into.members.push(no)
      groups.set(no, into)
    }
    for (const [type, people] of from.alone) {
      const some = into.alone.get(type)
      if (some === undefined) into.alone.set(type, people)
      else for (const no of people) some.add(no)
    }
    for (const [type, times] of from.contacts) into.contacts.set(type, [...(into.contacts.get(type) ?? []), ...times])
    for (const side of from.sides) into.sides.add(side)
    into.joins += from.joins
  }

  return {
    unite(a, b) {
      const [one, other] = [groups.get(a), groups.get(b)]
      if (one === undefined || other === undefined || one === other) return undefined
      for (const side of one.sides) if (other.sides.has(side ^ 1)) return 'a person decided that these are two people'
      const over = new Map<string, number>()
      for (const [type, people] of one.alone)
        if ([...(other.alone.get(type) ?? [])].some((no) => !people.has(no))) over.set(type, 2)
      for (const [type, times] of one.contacts) {
        const most = mostInAYear([...times, ...(other.contacts.get(type) ?? [])])
        if (most > limitOf(type) * (1 + one.joins + other.joins)) over.set(type, most)
      }
      // The strongest reason, whatever was put in first.
      const [first] = [...over].sort(([x], [y]) => priorityOf(x) - priorityOf(y) || (x < y ? -1 : 1))
      if (first !== undefined) return overLimit(...first)
      merge(one, other)
      return undefined
    },
    join(left, right) {
      const [one, other] = [groups.get(left), groups.get(right)]
      if (one === undefined || other === undefined || one === other) return
      merge(one, other)
      const now = groups.get(left)
      if (now !== undefined) now.joins += 1
    },
    lodge(no, home) {
      const [one, at] = [groups.get(no), groups.get(home)]
      if (one === undefined || at === undefined || one.members.length > 1) return false
      at.members.push(no)
      groups.set(no, at)
      return true
    },
    parts: () => [...new Set(groups.values())].map((group) => group.members),
  }
}

/** What is said when a person would have more of a kind than one person has. */
export function overLimit(type: string, many: number): string {
  const span = isContact({ type }) ? ' in a year' : ''
  return `one person has at most ${String(limitOf(type))} ${type.replaceAll('_', ' ')}${span}, and this would make ${String(many)}`
}

/** The most of these instants within any one year. */
export function mostInAYear(times: number[]): number {
  times.sort((one, other) => one - other)
  let most = 0
  let from = 0
  times.forEach((at, index) => {
    while ((times[from] ?? at) <= at - yearMs) from++
    most = Math.max(most, index - from + 1)
  })
  return most
}
