import { describe, expect, it } from 'vitest'
import type { Id } from '../../../lib/ids/ids.ts'
import { createFresh } from './fresh.ts'
import { normalise, type Normalised } from './normalise.ts'

const envelope = { sourceId: 'source_1' as Id<'source'>, receivedMs: 1_700_000_000_000, via: '/v1/track' }
const event = (messageId: string): Normalised =>
  normalise({ type: 'track', event: 'Seen', userId: 'u', messageId }, envelope, '')
const idAt = (fresh: ReturnType<typeof createFresh>, position: bigint) => {
  const one = fresh.take(position)
  return one !== undefined && 'event' in one ? one.event.messageId : undefined
}

describe('events that were read at the door', () => {
  it('come by their position, across requests and gaps', () => {
    const fresh = createFresh()
    fresh.keep(10n, [event('a'), event('b')])
    fresh.keep(15n, [event('c')])
    expect([9n, 10n, 11n, 12n, 15n, 16n].map((position) => idAt(fresh, position))).toEqual([
      undefined,
      'a',
      'b',
      undefined,
      'c',
      undefined,
    ])
  })

  it('are gone once the pipeline is past them', () => {
    const fresh = createFresh()
    fresh.keep(0n, [event('a')])
    fresh.keep(1n, [event('b')])
    expect([idAt(fresh, 1n), idAt(fresh, 0n)]).toEqual(['b', undefined])
  })

  it('are read from the journal instead when they have no message id: it is made of their position', () => {
    const fresh = createFresh()
    fresh.keep(0n, [event('')])
    expect(fresh.take(0n)).toBeUndefined()
  })

  it('are no more than 10,000 however far the pipeline is behind, and the oldest are kept', () => {
    const fresh = createFresh()
    const many = Array.from({ length: 5000 }, (_, index) => event(`m${index}`))
    for (let first = 0n; first < 50_000n; first += 5000n) fresh.keep(first, many)
    expect([idAt(fresh, 0n), idAt(fresh, 9_999n), idAt(fresh, 10_000n)]).toEqual(['m0', 'm4999', undefined])
    fresh.keep(50_000n, many)
    expect(idAt(fresh, 50_001n)).toBe('m1')
  })
})
