import { describe, expect, it } from 'vitest'
import { seededRandom } from '../seeded/seeded.ts'
import { cluster, type ClusterRules, type Links } from './clusters.ts'
import { qualityOf } from './measure.ts'

const linksOf = (pairs: readonly (readonly [number, number, number])[]): Links => ({
  left: Uint32Array.from(pairs, ([left]) => left),
  right: Uint32Array.from(pairs, ([, right]) => right),
  weight: Float32Array.from(pairs, ([, , weight]) => weight),
  count: pairs.length,
})
const rules: ClusterRules = { threshold: 0, unseen: -4 }
const found = (
  records: number,
  pairs: readonly (readonly [number, number, number])[],
  more: Partial<ClusterRules> = {},
) => [...cluster(records, linksOf(pairs), { ...rules, ...more })]

/** All pairs of the records, each with the weight. */
const allOf = (records: readonly number[], weight: number) =>
  records.flatMap((one, at) => records.slice(at + 1).map((other) => [one, other, weight] as const))

describe('clusters', () => {
  it('join what links hold together, and number each cluster by its first record', () => {
    expect(
      found(5, [
        [1, 3, 8],
        [3, 4, 6],
        [1, 4, 5],
      ]),
    ).toEqual([0, 1, 2, 1, 1])
  })

  it('outvote one false link between two people of many records', () => {
    const [one, other] = [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]
    expect(found(8, [...allOf(one, 9), ...allOf(other, 9), [3, 4, 8]])).toEqual([0, 0, 0, 0, 4, 4, 4, 4])
  })

  it('join a record that only one of two knows, when that one is sure enough', () => {
    expect(
      found(3, [
        [0, 1, 9],
        [1, 2, 9],
      ]),
    ).toEqual([0, 0, 0])
    expect(
      found(3, [
        [0, 1, 9],
        [1, 2, 3],
      ]),
    ).toEqual([0, 0, 2])
  })

  it('keep apart what somebody said is two, whatever lies between them', () => {
    expect(
      found(
        3,
        [
          [0, 1, 9],
          [1, 2, 9],
          [0, 2, 9],
        ],
        { apart: [[0, 2]] },
      ),
    ).toEqual([0, 0, 2])
  })

  it('take one record of a source that names each entity once', () => {
    const links = [
      [0, 2, 9],
      [1, 2, 8],
      [0, 1, 7],
    ] as const
    expect(found(3, links, { source: [0, 0, 1], once: new Set([0]) })).toEqual([0, 1, 0])
  })

  it('come out the same in whatever order the links come', () => {
    const random = seededRandom(2)
    const pairs = Array.from({ length: 600 }, () => {
      const one = Math.floor(random() * 120)
      const other = (one + 1 + Math.floor(random() * 118)) % 120
      return [Math.min(one, other), Math.max(one, other), Math.round(random() * 30 - 10)] as const
    })
    const once = new Map(pairs.map((pair) => [`${String(pair[0])} ${String(pair[1])}`, pair]))
    const all = [...once.values()]
    const shuffled = all
      .map((pair) => ({ pair, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ pair }) => pair)
    expect(found(120, shuffled)).toEqual(found(120, all))
  })

  it('are measured over all pairs', () => {
    const quality = qualityOf([0, 0, 2, 2, 4], ['a', 'a', 'a', 'b', 'b'])
    expect(quality).toMatchObject({ truePairs: 4, foundPairs: 2, precision: 0.5, recall: 0.25, largest: 2 })
    expect(quality.f1).toBeCloseTo(1 / 3, 10)
  })
})
