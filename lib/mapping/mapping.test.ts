import { describe, expect, it } from 'vitest'
import { applyMapping } from './apply.ts'
import { Mapping, pathWith, type Expression } from './mapping.ts'

const saying = (expression: unknown, body: unknown, headers: Record<string, string> = {}): unknown => {
  const mapping = Mapping.parse({
    rules: [
      {
        topics: [],
        type: 'track',
        when: [],
        identifiers: {},
        fields: { event: { value: 'x' }, 'properties.it': expression },
      },
    ],
  })
  const [call] = applyMapping(mapping, { body, headers }).calls
  return (call?.['properties'] as { it?: unknown } | undefined)?.it
}

describe('an amount', () => {
  it.each([
    ['199.00', 199],
    ['-0.50', -0.5],
    ['000012.10', 12.1],
    [7, 7],
    ['999999999999.99', 999999999999.99],
    ['1.299,00', undefined],
    ['1e999', undefined],
    ['12345678901234567890', undefined],
    ['0x10', undefined],
    ['', undefined],
    [null, undefined],
    [Number.NaN, undefined],
    [['1'], undefined],
  ])('%j is %s', (text, number) => {
    expect(saying({ number: { path: 'a' } }, { a: text })).toBe(number)
  })

  it('adds up as people add, not as doubles do', () => {
    expect(saying({ sum: [{ path: 'a' }, { path: 'b' }, { path: 'none' }] }, { a: '0.10', b: '0.2' })).toBe(0.3)
    expect(saying({ sumOf: 'l', of: { path: 'item.t' } }, { l: [{ t: '-1.005' }, { t: 2 }, { t: 'x' }] })).toBe(0.995)
    expect(saying({ sumOf: 'l', of: { path: 'item.t' } }, { l: [] })).toBeUndefined()
  })
})

describe('an instant', () => {
  it.each([
    ['2026-11-20T19:28:02', '2026-11-20T19:28:02.000Z'],
    ['2026-11-20 19:28:02', '2026-11-20T19:28:02.000Z'],
    ['2026-11-20T19:28:02+01:00', '2026-11-20T18:28:02.000Z'],
    ['1790000000', '2026-09-21T14:13:20.000Z'],
    [1790000000, '2026-09-21T14:13:20.000Z'],
    ['yesterday', undefined],
    ['2026-13-45T00:00:00', undefined],
    [9e99, undefined],
  ])('%j is %s', (text, at) => {
    expect(saying({ time: { path: 'a' } }, { a: text })).toBe(at)
  })
})

describe('a path', () => {
  it('leads only to what the body itself has', () => {
    for (const path of ['constructor.name', 'a.__proto__', 'toString', 'a.length', 'l.length', 'l[9].x'])
      expect(saying({ path }, { a: 'text', l: [1] }), path).toBeUndefined()
    expect(saying({ path: 'l[1].å' }, { l: [0, { å: 'ja' }] })).toBe('ja')
    expect(saying({ path: 'header.x-topic' }, {}, { 'x-topic': 'orders' })).toBe('orders')
    expect(saying({ list: 'l', each: { v: { path: 'item.v' } } }, { l: [{ v: 1 }, {}] })).toEqual([{ v: 1 }, {}])
  })
})

describe('a mapping', () => {
  it('leads to names that are no plain words, as text of JSON in brackets', () => {
    const body = { 'Your name': 'Åsa', form: { 'a.b': { 'q"\\': [{ 'x]y': 5 }] } }, '': 1 }
    expect(saying({ path: 'body["Your name"]' }, body)).toBe('Åsa')
    expect(saying({ path: String.raw`form["a.b"]["q\"\\"][0]["x]y"]` }, body)).toBe(5)
    expect(pathWith(pathWith(pathWith('form', 'a.b'), 'q"\\'), 'c')).toBe(String.raw`form["a.b"]["q\"\\"].c`)
    for (const path of ['["a"]', 'a[""]', 'a["b', 'a["b\nc"]', 'a["b"]c', 'a.["b"]'])
      expect(() => saying({ path }, body), path).toThrow(/a path such as/)
  })

  it('is data: what is no operator of the list is refused', () => {
    const rule = (fields: unknown) => ({ rules: [{ topics: [], type: 'track', when: [], identifiers: {}, fields }] })
    for (const bad of [
      rule({ 'properties.a': { eval: 'process.exit()' } }),
      rule({ 'properties.a': { path: 'a; drop' } }),
      rule(JSON.parse('{"properties.__proto__": {"value": 1}, "x.y": {"value": 1}}')),
      rule({ sourceId: { value: 1 } }),
      { rules: [] },
    ])
      expect(Mapping.safeParse(bad).success, JSON.stringify(bad)).toBe(false)
  })

  it('ends, also when lists stand in lists of lists', () => {
    const deep: Expression = Array.from({ length: 6 }).reduce<Expression>((inner) => ({ sumOf: 'body.l', of: inner }), {
      value: 1,
    })
    const l = Array.from({ length: 100 }, () => 1)
    expect(() => saying(deep, { l })).toThrow('takes too long')
  })

  it('makes several calls of one body, and none without a name', () => {
    const each = Mapping.parse({
      rules: [
        {
          topics: [],
          type: 'track',
          when: [{ that: { path: 'item.n' }, exists: true }],
          each: 'people',
          id: { join: [{ value: 'p-' }, { path: 'item.id' }] },
          identifiers: { email: { path: 'item.mail' } },
          fields: { event: { path: 'item.n' }, userId: { path: 'item.id' } },
        },
      ],
    })
    const people = [{ id: 1, n: 'Joined', mail: 'å@b.example' }, { id: 2 }, { id: 3, n: 'Left' }]
    expect(applyMapping(each, { body: { people }, headers: {} }).calls).toEqual([
      {
        type: 'track',
        event: 'Joined',
        userId: 1,
        messageId: 'p-1',
        context: { externalIds: [{ type: 'email', id: 'å@b.example', collection: 'users', encoding: 'none' }] },
      },
      { type: 'track', event: 'Left', userId: 3, messageId: 'p-3' },
    ])
    expect(() => applyMapping(each, { body: { people: [{ n: 'Joined' }] }, headers: {} })).toThrow('could come twice')
  })
})
