import { describe, expect, it } from 'vitest'
import { settle, type Known, type Said } from './settle.ts'
import type { Standing } from './standing.ts'

const hourMs = 3_600_000
const compare = (one: string, other: string) => (one < other ? -1 : 1)
const sorted = (names: string[]) => names.sort(compare)

/** Identifiers by name, such as `email e1`, and pairs of them as `a b`; each pair an hour after the one before. */
function world(pairs: [string, string, Standing][], said: [Said['kind'], string[], string[]][] = []) {
  const names = [...new Set(pairs.flatMap(([a, b]) => [a, b]))]
  const no = (name: string) => names.indexOf(name) + 1
  const known = new Map<number, Known>()
  for (const name of names) {
    const [type = '', value = ''] = name.split(' ')
    const standing = Math.max(...pairs.filter(([a, b]) => a === name || b === name).map((pair) => pair[2])) as Standing
    known.set(no(name), { no: no(name), type, value, firstMs: 0, standing })
  }
  const seen = pairs.map(([a, b, standing], at) => ({ a: no(a), b: no(b), standing, firstMs: at * hourMs }))
  const decided = said.map(([kind, left, right]) => ({ kind, left: left.map(no), right: right.map(no) }))
  const { parts, shared, refused } = settle(known, seen, decided)
  return {
    people: parts
      .map((part) => sorted(part.map((one) => names[one - 1] ?? '')))
      .sort((one, other) => compare(one[0] ?? '', other[0] ?? '')),
    shared: sorted([...shared.keys()].map((one) => names[one - 1] ?? '')),
    refused: refused.map(({ a, b, because }) => [names[a - 1], names[b - 1], because]),
  }
}

describe('who is who, worked out from everything', () => {
  it('never makes one person of two user ids: the address between them stays with the first whom it was proven for', () => {
    const { people, shared } = world([
      ['user_id u1', 'email e', 2],
      ['user_id u2', 'email e', 2],
    ])
    expect(people).toEqual([['email e', 'user_id u1'], ['user_id u2']])
    expect(shared).toEqual(['email e'])
  })

  it('believes what is better proven, whatever came first', () => {
    const { people, refused } = world([
      ['anonymous_id a', 'email e', 0],
      ['user_id u', 'email e', 2],
    ])
    expect(people).toEqual([['anonymous_id a'], ['email e', 'user_id u']])
    expect(refused).toEqual([
      ['anonymous_id a', 'email e', 'a device that names no user id does not say whose address it is'],
    ])
  })

  it('lets an address nobody proved go with the device that named it first, but not with one that people share', () => {
    expect(
      world([
        ['anonymous_id a', 'email e', 0],
        ['anonymous_id b', 'email e', 0],
      ]).people,
    ).toEqual([['anonymous_id a', 'email e'], ['anonymous_id b']])
    expect(
      world([
        ['anonymous_id a', 'email e', 0],
        ['user_id u1', 'anonymous_id a', 1],
        ['user_id u2', 'anonymous_id a', 1],
        ['anonymous_id b', 'email e', 0],
      ]).people,
    ).toEqual([['anonymous_id a'], ['anonymous_id b', 'email e'], ['user_id u1'], ['user_id u2']])
  })

  it('joins whoever a colleague joins, and what both used is theirs then', () => {
    const pairs: [string, string, Standing][] = [
      ['user_id u1', 'anonymous_id a', 1],
      ['user_id u2', 'anonymous_id a', 1],
    ]
    expect(world(pairs).shared).toEqual(['anonymous_id a'])
    const joined = world(pairs, [['join', ['user_id u1'], ['user_id u2']]])
    expect(joined.people).toEqual([['anonymous_id a', 'user_id u1', 'user_id u2']])
    expect(joined.shared).toEqual([])
    const again = world(pairs, [
      ['join', ['user_id u1'], ['user_id u2']],
      ['split', ['user_id u1'], ['user_id u2']],
    ])
    expect(again.people).toEqual(world(pairs).people)
  })

  it('keeps those whom a colleague told apart in two, also over a third', () => {
    const { people } = world(
      [
        ['user_id u', 'email e1', 2],
        ['user_id u', 'email e2', 2],
      ],
      [['split', ['email e1'], ['email e2']]],
    )
    expect(people).toEqual([['email e1', 'user_id u'], ['email e2']])
  })
})
