import { describe, expect, it } from 'vitest'
import { PlanContent } from '../contract.ts'
import { compilePlan, deedOf, leftOut } from './compiled.ts'
import { isEmail, isTime, typeOfValues } from './kinds.ts'
import { without } from './paths.ts'

const plan = (more: object = {}) =>
  compilePlan(
    PlanContent.parse({
      events: [
        {
          type: 'track',
          name: 'Köp “ñ”',
          properties: [
            { name: 'total', type: 'number', required: true, min: 0 },
            { name: 'currency', type: 'currency' },
            { name: 'address.city', type: 'string', max: 5 },
            { name: 'extra', type: 'object' },
            { name: 'size', type: 'string', values: ['S', 'M'] },
            { name: 'at', type: 'time' },
            { name: 'items', type: 'array', min: 1 },
          ],
        },
        { type: 'track', name: 'Old', status: 'deprecated' },
        { type: 'page', name: 'Checkout', mode: 'block', properties: [{ name: 'step', type: 'integer' }] },
        { type: 'identify', properties: [{ name: 'email', type: 'email', sensitivity: 2 }] },
      ],
      ...more,
    }),
    7,
  )
const found = (properties: object, name = 'Köp “ñ”', type = 'track', of = plan()) => {
  const there = type === 'identify' ? { traits: properties, properties: {} } : { traits: {}, properties }
  return of.judge({ type, name, ...there } as never).findings.map((one) => `${one.rule} ${one.property}`.trim())
}

describe('a tracking plan', () => {
  it.each([
    [{ total: 0 }, []],
    [{ total: 1.5, currency: 'SEK', 'address.city': 'Umeå', extra: { any: { thing: 1 } }, items: [{ sku: 1 }] }, []],
    [{ total: 1, address: { city: 'Umeå' } }, []],
    [{}, ['missing_property total']],
    [{ total: null }, ['missing_property total']],
    [{ total: '1' }, ['wrong_type total']],
    [{ total: -1 }, ['out_of_range total']],
    [{ total: 1, currency: 'kr' }, ['wrong_type currency']],
    [{ total: 1, address: { city: 'Göteborg' } }, ['out_of_range address.city']],
    [{ total: 1, address: { street: 'x' } }, ['unplanned_property address.street']],
    [{ total: 1, size: 'XL' }, ['not_in_values size']],
    [{ total: { of: 1 } }, ['wrong_type total']],
    [{ total: 1, extra: 'text' }, ['wrong_type extra']],
    [{ total: 1, items: [] }, ['out_of_range items']],
    [{ total: 1, at: '2026-02-30' }, ['wrong_type at']],
    [{ total: 1, __proto__x: 1, constructor: 2 }, ['unplanned_property __proto__x', 'unplanned_property constructor']],
  ])('finds in %j: %j', (properties, expected) => {
    expect(found(properties)).toEqual(expected)
  })

  it('knows what it does not name, by choice', () => {
    expect(found({}, 'Unheard of')).toEqual(['unplanned_event'])
    expect(found({}, 'Unheard of', 'track', plan({ unplannedEvents: 'allowed' }))).toEqual([])
    expect(found({ total: 1, more: 1 }, 'Köp “ñ”', 'track', plan({ unplannedProperties: 'allowed' }))).toEqual([])
    expect(found({ email: 'no' }, '', 'identify')).toEqual(['wrong_type email'])
    expect(found({ step: 1 }, 'Checkout', 'page')).toEqual([])
    expect(found({ step: 1 }, 'Start', 'page')).toEqual(['unplanned_event'])
  })

  it('only notes what is deprecated, whatever the mode, and an event may have a mode of its own', () => {
    const { findings } = plan().judge({ type: 'track', name: 'Old', traits: {}, properties: {} })
    expect(findings.map((one) => one.rule)).toEqual(['deprecated_event'])
    expect(deedOf(findings, 'block')).toBe('note')
    expect(plan().judge({ type: 'page', name: 'Checkout', traits: {}, properties: { step: 'x' } }).mode).toBe('block')
  })

  it('in omit leaves out what is not planned or not valid, however it is nested, and nothing else', () => {
    const properties = { total: 'x', keep: 1, address: { city: 'Göteborg', only: 1 }, 'deep.er': 1 }
    const { findings, mode } = plan({ mode: 'omit' }).judge({ type: 'track', name: 'Köp “ñ”', traits: {}, properties })
    expect(deedOf(findings, mode)).toBe('omit')
    expect(without(properties, leftOut(findings))).toEqual({})
    expect(without(properties, new Set(['address.city', 'deep.er']))).toEqual({
      total: 'x',
      keep: 1,
      address: { only: 1 },
    })
    expect(deedOf([{ rule: 'missing_property', property: 'a' } as never], 'omit')).toBe('note')
  })

  it('refuses what could never be judged: patterns, doubles, bounds that exclude everything', () => {
    const wrong = (properties: object[]) =>
      PlanContent.safeParse({ events: [{ type: 'track', name: 'x', properties }] }).success
    expect(wrong([{ name: 'a', type: 'string', pattern: '(a+)+' }])).toBe(false)
    expect(
      wrong([
        { name: 'a', type: 'string' },
        { name: 'a', type: 'number' },
      ]),
    ).toBe(false)
    expect(wrong([{ name: 'a', type: 'number', min: 2, max: 1 }])).toBe(false)
    expect(wrong([{ name: 'a', type: 'number', values: ['1'] }])).toBe(false)
    expect(wrong([{ name: 'a..b', type: 'number' }])).toBe(false)
    expect(PlanContent.safeParse({ events: [{ type: 'identify', name: 'x' }] }).success).toBe(false)
  })

  it('judges an event of two thousand keys, or of hostile text, without slowing down', () => {
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_none, at) => [`k${at}`, 'x'.repeat(50)]))
    expect(found(many).length).toBe(50)
    expect(isEmail(`${'a.'.repeat(150)}@${'b.'.repeat(9)}`)).toBe(false)
    expect(isTime('2026-01-01T00:00:00.000+01:00')).toBe(true)
  })

  it.each([
    [[1, 2], 'integer'],
    [[1, 2.5], 'number'],
    [['a@b.example', 'ö@ä.example'], 'email'],
    [['2026-01-01', '2026-01-01T10:00:00Z'], 'time'],
    [['SEK', 'EUR'], 'currency'],
    [['SEK', 1], 'string'],
    [[[1]], 'array'],
    [[true], 'boolean'],
  ] as const)('calls %j %s', (values, type) => {
    expect(typeOfValues(values as never)).toBe(type)
  })
})
