import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../../collect/contract.ts'
import { retryAfterMs, waitMs, patience } from './backoff.ts'
import { seededRandom } from '../../../platform/random/random.ts'
import { nextOf, type Slot } from './lanes.ts'
import type { KeptEvent } from './outgoing.ts'
import { nested, project } from './projection.ts'

const event = (properties: Record<string, Json>, more: object = {}): KeptEvent => ({
  event: {
    sourceId: 'source_1' as never,
    messageId: 'm',
    type: 'track',
    name: 'Order Completed',
    externalIds: [],
    traits: {},
    properties,
    context: {},
    originalMs: 0,
    sentMs: 0,
    timeMs: 0,
    receivedMs: 0,
    clamped: false,
    ...more,
  },
})

describe('what leaves of an event', () => {
  it.each<[string, Record<string, Json>, string[], Record<string, Json>, string[]]>([
    ['one value', { a: 1, b: 2 }, ['properties.a'], { 'properties.a': 1 }, ['properties.b']],
    ['a list of values', { skus: ['x', 'y'] }, ['properties.skus'], { 'properties.skus': ['x', 'y'] }, []],
    [
      'of a list of objects the named values alone',
      { products: [{ sku: 'x', margin: 3 }, { sku: 'y' }] },
      ['properties.products.sku'],
      { 'properties.products.sku': ['x', 'y'] },
      ['properties.products.margin'],
    ],
    [
      'nothing of an object that is named whole: a field that it gains tomorrow stays here',
      { address: { city: 'Malmö', street: 'Gatan 1' } },
      ['properties.address'],
      {},
      ['properties.address.city', 'properties.address.street'],
    ],
    ['a key with a dot as what it says', { 'a.b': 1 }, ['properties.a.b'], { 'properties.a.b': 1 }, []],
    ['no field of another beginning', { email: 'x' }, ['traits.email'], {}, ['properties.email']],
    ['null, when it is named', { a: null }, ['properties.a'], { 'properties.a': null }, []],
  ])('is %s', (_what, properties, named, fields, dropped) => {
    const projection = project(event(properties), new Set(named))
    expect(Object.fromEntries(projection.fields)).toEqual(fields)
    expect(projection.dropped).toEqual(dropped)
  })

  it('are never bytes of a field that is not named, whatever the event looks like', () => {
    const key = fc.constantFrom('a', 'b', 'a.b', '__proto__', 'constructor', 'length', 'toString')
    const { value } = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constant('SECRET'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc
          .array(fc.tuple(key, tie('value')), { maxLength: 4 })
          .map(
            (pairs) =>
              JSON.parse(
                `{${pairs.map(([name, inner]) => `${JSON.stringify(name)}:${JSON.stringify(inner)}`).join()}}`,
              ) as Json,
          ),
      ),
    }))
    fc.assert(
      fc.property(value, value, (properties, traits) => {
        const kept = event({ inner: properties, ok: 'fine' }, { traits: { inner: traits }, userId: 'SECRET' })
        const { fields, dropped } = project(
          kept,
          new Set(['properties.ok', 'properties', 'traits', 'traits.inner.length']),
        )
        const named = Object.fromEntries(fields)
        expect(JSON.stringify({ ...named, 'traits.inner.length': null })).not.toContain('SECRET')
        expect(dropped).toContain('userId')
      }),
    )
  })

  it('is put together again without minding what names mean to JavaScript', () => {
    const fields = new Map<string, Json>([
      ['properties.__proto__.admin', true],
      ['properties.constructor', 'c'],
      ['userId', 'u'],
    ])
    expect(JSON.stringify(nested(fields))).toBe(
      '{"properties":{"__proto__":{"admin":true},"constructor":"c"},"userId":"u"}',
    )
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })
})

describe('a wait', () => {
  it.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['120', 120_000],
    ['-5', 0],
    ['1000000000', 1_000_000_000_000],
    ['Thu, 26 Nov 2026 10:00:30 GMT', 30_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', undefined],
  ])('that a receiver asks for with %j is %j ms', (header, ms) => {
    expect(retryAfterMs(header, Date.parse('2026-11-26T10:00:00Z'))).toBe(ms)
  })

  it('doubles its bound, is drawn from all of it, and is never longer than five minutes or what was asked within an hour', () => {
    const random = seededRandom(7)
    for (const [tries, bound] of [
      [1, 1_000],
      [2, 2_000],
      [5, 16_000],
      [40, 300_000],
    ] as const) {
      const drawn = Array.from({ length: 400 }, () => waitMs(tries, undefined, random))
      expect(Math.max(...drawn)).toBeLessThan(bound)
      expect(Math.max(...drawn)).toBeGreaterThan(bound * 0.9)
      expect(Math.min(...drawn)).toBeLessThan(bound * 0.1)
    }
    expect(waitMs(1, 1e12, random)).toBe(patience.askedCapMs)
    expect(waitMs(1, -5, random)).toBeGreaterThanOrEqual(0)
  })
})

describe('a delivery', () => {
  const at = Date.parse('2026-11-25T09:59:59Z')
  const slot = (receivedMs: number, more: Partial<Slot> = {}, journalId = 'j', bytes = 10): Slot => ({
    event: { ...event({}), journalId, position: 0, receivedMs, bytes },
    done: false,
    ...more,
  })
  it('by the hour holds events of one hour, after its end', () => {
    const queue = [slot(at), slot(at + 500), slot(at + 2_000)]
    expect(nextOf(queue, 'hourly', 100, at)).toEqual({ waitMs: 1_000 })
    expect(nextOf(queue, 'hourly', 100, at + 1_000)).toEqual({ take: 2 })
    expect(nextOf(queue, 'daily', 100, at + 1_000)).toEqual({ waitMs: 14 * 3_600_000 })
    expect(nextOf(queue, 'at_once', 100, at)).toEqual({ take: 3 })
    expect(nextOf(queue, 'at_once', 2, at)).toEqual({ take: 2 })
  })
  it('mixes neither journals nor dead letters with others, and takes one that is larger than all', () => {
    expect(nextOf([slot(at, { letter: 'l' }), slot(at)], 'at_once', 100, at)).toEqual({ take: 1 })
    expect(nextOf([slot(at), slot(at, {}, 'k')], 'at_once', 100, at)).toEqual({ take: 1 })
    expect(nextOf([slot(at, {}, 'j', 9e9), slot(at)], 'at_once', 100, at)).toEqual({ take: 1 })
    expect(nextOf([], 'at_once', 100, at)).toEqual({ take: 0 })
  })
})
