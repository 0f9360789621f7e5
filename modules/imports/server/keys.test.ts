import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyTable, type Remembered } from './keys.ts'

describe('what is remembered of the keys of a file', () => {
  it('is what was said last of each, however many there are', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.nat(9_000),
            fc.record({ nth: fc.nat(1_000_000), sent: fc.boolean(), hash: fc.tuple(fc.nat(), fc.nat()) }),
          ),
          { minLength: 3_000, maxLength: 9_000, size: 'max' },
        ),
        (said) => {
          const table = createKeyTable(1_000_000)
          const map = new Map<string, Remembered>()
          for (const [key, one] of said) {
            table.set(`key ${String(key)}`, one)
            map.set(`key ${String(key)}`, one)
          }
          for (const [key, one] of map) expect(table.get(key)).toEqual(one)
          expect(table.get('another')).toBeUndefined()
        },
      ),
      { numRuns: 10 },
    )
  })
  it('is bounded: beyond it only keys that are known change', () => {
    const table = createKeyTable(2)
    const one = { nth: 0, sent: false, hash: [1, 2] as const }
    for (const key of ['a', 'b', 'c']) table.set(key, one)
    table.set('a', { ...one, nth: 1 })
    expect([table.get('a')?.nth, table.get('b')?.nth, table.get('c')]).toEqual([1, 0, undefined])
  })
})
