import { describe, expect, it } from 'vitest'
import type { Id } from '../../../lib/ids/ids.ts'
import type { Json } from '../contract.ts'
import { normalise, type Envelope } from './normalise.ts'
import { instantOf, timesOf } from './times.ts'

const receivedMs = Date.parse('2026-11-24T10:00:00Z')
const envelope: Envelope = { sourceId: 'source_01' as Id<'source'>, receivedMs, via: '/v1/batch' }
const of = (body: Json, extra: Partial<Envelope> = {}) => {
  const normalised = normalise(body, { ...envelope, ...extra }, 'assigned')
  return 'event' in normalised ? normalised.event : normalised.quarantined
}

describe('an event from any SDK', () => {
  it('takes null, empty and missing identifiers for the same, numbers for text, and trims (C15)', () => {
    expect(of({ type: 'track', event: 'x', userId: null, anonymousId: ' a ' })).toMatchObject({ anonymousId: 'a' })
    expect(of({ type: 'track', event: 'x', userId: 123, anonymousId: '' })).toMatchObject({ userId: '123' })
    expect(of({ type: 'track', event: 'x', userId: '', anonymousId: '' })).toBe('no_identifier')
    expect(of({ type: 'track', event: 'x', userId: '  ' })).toBe('no_identifier')
    expect(of({ type: 'track', event: 'x', userId: { id: 1 } })).toBe('bad_identifier')
    expect(of({ type: 'track', event: 'x', userId: 'u'.repeat(1025) })).toBe('bad_identifier')
  })

  it('is put aside with its reason when something it needs is missing', () => {
    for (const [body, reason] of [
      [7, 'not_an_object'],
      [['a'], 'not_an_object'],
      [{ userId: 'u' }, 'unknown_type'],
      [{ type: 'tracked', userId: 'u' }, 'unknown_type'],
      [{ type: 'track', userId: 'u' }, 'no_event_name'],
      [{ type: 'track', userId: 'u', event: ' ' }, 'no_event_name'],
      [{ type: 'group', userId: 'u' }, 'no_group_id'],
      [{ type: 'alias', userId: 'u' }, 'no_previous_id'],
    ] as [Json, string][]) {
      expect(of(body)).toBe(reason)
    }
  })

  it('has the traits that are meant, and never those of a person as those of a group (C16)', () => {
    const context = { traits: { email: 'søren@example.com' } }
    expect(of({ type: 'identify', userId: 'u', context })).toMatchObject({ traits: { email: 'søren@example.com' } })
    expect(of({ type: 'identify', userId: 'u', traits: { a: 1 }, context })).toMatchObject({ traits: { a: 1 } })
    expect(of({ type: 'group', userId: 'u', groupId: 'g', context })).toMatchObject({ traits: {} })
    expect(of({ type: 'track', userId: 'u', event: 'x', context })).toMatchObject({ traits: {}, context })
  })

  it('inherits what the batch says once (C20)', () => {
    expect(
      of(
        { type: 'page', anonymousId: 'a', name: 'Home', context: { page: { path: '/' }, locale: 'da' } },
        { context: { locale: 'en', app: { name: 'x' } }, integrations: { All: false }, ip: '203.0.113.0' },
      ),
    ).toMatchObject({
      name: 'Home',
      context: {
        locale: 'da',
        app: { name: 'x' },
        page: { path: '/' },
        integrations: { All: false },
        ip: '203.0.113.0',
      },
    })
  })

  it('keeps the message id as it is, of any length up to its limit, and assigns one when there is none (C19)', () => {
    expect(of({ type: 'track', event: 'x', userId: 'u', messageId: 'm'.repeat(1000) })).toMatchObject({
      messageId: 'm'.repeat(1000),
    })
    expect(of({ type: 'track', event: 'x', userId: 'u' })).toMatchObject({ messageId: 'assigned' })
  })

  it('reads external ids of both families', () => {
    const expected = { externalIds: [{ type: 'crm_id', value: '77' }] }
    expect(
      of({ type: 'identify', userId: 'u', context: { externalIds: [{ id: 77, type: 'crm_id' }, 'x', {}] } }),
    ).toMatchObject(expected)
    expect(
      of({ type: 'identify', userId: 'u', context: { externalId: [{ id: '77', type: 'crm_id' }] } }),
    ).toMatchObject(expected)
  })
})

describe('the time of an event (C17, A08)', () => {
  const time = (original: unknown, sent?: unknown) => {
    const { timeMs, clamped } = timesOf(original, sent, receivedMs)
    return `${new Date(timeMs).toISOString()}${clamped ? ' clamped' : ''}`
  }

  it.each([
    ['now, by a clock that is right', '2026-11-24T09:59:58Z', '2026-11-24T09:59:59Z', '2026-11-24T09:59:59.000Z'],
    [
      'now, by a clock that is a year behind',
      '2025-11-24T09:59:58Z',
      '2025-11-24T09:59:59Z',
      '2026-11-24T09:59:59.000Z',
    ],
    [
      'now, by a clock that stands at its factory date',
      '1970-01-01T00:00:05Z',
      '1970-01-01T00:00:06Z',
      '2026-11-24T09:59:59.000Z',
    ],
    [
      'long ago, said so explicitly',
      '2020-01-01T00:00:00.000Z',
      '2026-11-24T09:59:59.900Z',
      '2020-01-01T00:00:00.100Z',
    ],
    [
      'three days ago, from a queue that was offline',
      '2026-11-21T10:00:00Z',
      '2026-11-24T10:00:00Z',
      '2026-11-21T10:00:00.000Z',
    ],
    [
      'today, with a sentAt 70 years ahead',
      '2026-11-24T09:00:00Z',
      '2096-11-24T10:00:00Z',
      '2026-11-24T09:00:00.000Z clamped',
    ],
    [
      'said explicitly, with a sentAt of 1970',
      '2026-11-20T09:00:00Z',
      '1970-01-01T00:00:00Z',
      '2026-11-20T09:00:00.000Z clamped',
    ],
    [
      'long ago, with a sentAt two years behind',
      '2020-01-01T00:00:00Z',
      '2024-11-24T10:00:00Z',
      '2020-01-01T00:00:00.000Z clamped',
    ],
    [
      'three days ago, from a queue and a clock that is two years ahead',
      '2028-11-21T10:00:00Z',
      '2028-11-24T10:00:00Z',
      '2026-11-21T10:00:00.000Z',
    ],
    [
      'in the future, with a sentAt of 1970',
      '2036-11-24T10:00:00Z',
      '1970-01-01T00:00:00Z',
      '2026-11-24T10:00:00.000Z clamped',
    ],
    ['without sentAt', '2026-11-24T09:00:00+02:00', undefined, '2026-11-24T07:00:00.000Z'],
    ['with a sentAt that is none', '2026-11-24T09:00:00Z', 'soon', '2026-11-24T09:00:00.000Z'],
    ['not said', undefined, '2026-11-24T09:00:00Z', '2026-11-24T10:00:00.000Z'],
    ['a minute ahead', '2026-11-24T10:01:00Z', undefined, '2026-11-24T10:01:00.000Z'],
    ['in the future', '2036-11-24T10:00:00Z', '2026-11-24T10:00:00Z', '2026-11-24T10:00:00.000Z clamped'],
    ['in the year 2107', '2107-01-01T00:00:00Z', undefined, '2026-11-24T10:00:00.000Z clamped'],
    ['in the year 9999', '9999-12-31T23:59:59Z', undefined, '2026-11-24T10:00:00.000Z clamped'],
    ['in the year 275760', '+275760-09-13T00:00:00Z', undefined, '2026-11-24T10:00:00.000Z clamped'],
    ['after the last instant there is', '+999999-01-01', undefined, '2026-11-24T10:00:00.000Z clamped'],
    [
      'with a sentAt after the last instant there is',
      '2026-11-24T09:00:00Z',
      '+999999-01-01',
      '2026-11-24T09:00:00.000Z',
    ],
    ['not said, with a sentAt in the year 9999', undefined, '9999-12-31T23:59:59Z', '2026-11-24T10:00:00.000Z clamped'],
    ['in the year 1', '0001-01-01T00:00:00Z', undefined, '1970-01-01T00:00:00.000Z clamped'],
    ['in the year 1899', '1899-12-31T00:00:00Z', undefined, '1970-01-01T00:00:00.000Z clamped'],
    ['on a day that does not exist', '2026-02-30T00:00:00Z', undefined, '2026-11-24T10:00:00.000Z clamped'],
    ['on a leap day', '2024-02-29', undefined, '2024-02-29T00:00:00.000Z'],
    ['in seconds', 1_700_000_000, undefined, '2023-11-14T22:13:20.000Z'],
    ['in milliseconds', 1_700_000_000_123, undefined, '2023-11-14T22:13:20.123Z'],
    ['in milliseconds as text', '1700000000123', undefined, '2023-11-14T22:13:20.123Z'],
    ['as nonsense', 'yesterday', undefined, '2026-11-24T10:00:00.000Z clamped'],
    ['as an object', { at: 1 }, undefined, '2026-11-24T10:00:00.000Z clamped'],
  ])('%s', (_what, original, sent, expected) => {
    expect(time(original, sent)).toBe(expected)
  })

  it('is read to the millisecond, whatever the precision', () => {
    expect(instantOf('2026-11-24T10:00:00.123456789Z')).toBe(receivedMs + 123)
    expect(instantOf('2026-11-24 10:00:00')).toBe(receivedMs)
  })

  it('is the same whichever way it is read: the usual form digit by digit, any other by its parts', () => {
    const random = [1, 9, 10, 12, 13, 24, 28, 29, 30, 31, 59, 60, 99, 1900, 1970, 2000, 2024, 2026, 2100, 9999]
    for (const year of random)
      for (const part of random) {
        const [month, day, hour, second] = [part % 15, part, (part * 7) % 26, (part * 11) % 63]
        const two = (value: number) => String(value).padStart(2, '0')
        const text = `${String(year).padStart(4, '0')}-${two(month)}-${two(day % 100)}T${two(hour)}:${two(second % 61)}:${two(second)}.${String(part % 1000).padStart(3, '0')}Z`
        // A space at the end makes it unusual.
        expect(instantOf(text), text).toBe(instantOf(`${text} `))
      }
    expect(instantOf('2026-02-30T10:00:00.000Z')).toBeUndefined()
    expect(instantOf('2024-02-29T10:00:00.000Z')).toBe(Date.UTC(2024, 1, 29, 10))
    expect(instantOf('2026-1x-20T10:00:00.000Z')).toBeUndefined()
  })
})
