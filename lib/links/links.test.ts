import { describe, expect, it } from 'vitest'
import { seededRandom } from '../seeded/seeded.ts'
import { bridgesOf, wayBetween, type Link } from './links.ts'

const links = (...pairs: string[]): Link[] => pairs.map((pair) => ({ a: pair[0] ?? '', b: pair[1] ?? '' }))

describe('links between things', () => {
  it('give the shortest way from one to another', () => {
    const all = links('ab', 'bc', 'cd', 'ad', 'de')
    expect(wayBetween(all, 'a', 'e')).toEqual([3, 4])
    expect(wayBetween(all, 'e', 'b')).toEqual([4, 2, 1])
    expect(wayBetween(all, 'a', 'a')).toEqual([])
    expect(wayBetween(all, 'a', 'z')).toBeUndefined()
  })

  it('tell which of them hold two parts together alone, and what would fall off', () => {
    expect(bridgesOf(links('ab', 'bc', 'ca', 'cd', 'de'))).toEqual([
      { link: 3, side: ['d', 'e'] },
      { link: 4, side: ['e'] },
    ])
    expect(bridgesOf(links('ab', 'ab'))).toEqual([])
    expect(bridgesOf(links('aa'))).toEqual([])
    expect(bridgesOf([])).toEqual([])
  })

  it('find what trying each link out would find', () => {
    const random = seededRandom(5)
    for (let round = 0; round < 300; round++) {
      const all = Array.from({ length: 1 + Math.floor(random() * 12) }, () => ({
        a: 'abcdefgh'[Math.floor(random() * 8)] ?? 'a',
        b: 'abcdefgh'[Math.floor(random() * 8)] ?? 'a',
      }))
      const tried = all.flatMap(({ a, b }, at) =>
        a !== b && wayBetween(all.toSpliced(at, 1), a, b) === undefined ? [at] : [],
      )
      expect(bridgesOf(all).map(({ link }) => link)).toEqual(tried)
    }
  })

  it('go through a long chain without running out of stack', () => {
    const chain = Array.from({ length: 50_000 }, (_, at) => ({ a: String(at), b: String(at + 1) }))
    expect(wayBetween(chain, '0', '50000')).toHaveLength(50_000)
    expect(bridgesOf(chain.slice(0, 2_000))).toHaveLength(2_000)
  })
})
