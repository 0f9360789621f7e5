import { describe, expect, it } from 'vitest'
import type { CsvRecord } from '../../../../lib/csv/records.ts'
import { byOrder, countLines } from './gathering.ts'

const orderOf = ({ cells }: CsvRecord) => (cells[0] === '' ? undefined : cells[0])
// eslint-disable-next-line @typescript-eslint/require-await -- what reads a file is asynchronous
async function* lines(names: Iterable<string>, size = 3) {
  let piece: CsvRecord[] = []
  let line = 1
  for (const name of names) {
    piece.push({ line: (line += 1), cells: [name] })
    if (piece.length === size) {
      yield piece
      piece = []
    }
  }
  yield piece
}
function* many(count: number) {
  for (let at = 0; at < count; at++) yield `#${String(at)}`
}
const alive = () => Promise.resolve(true)

describe('the lines of a file of orders', () => {
  it('come order by order, each when its last line has come, and a line without an order by itself', async () => {
    const names = ['a', 'b', 'a', '', 'c', 'b', 'a']
    const linesOf = await countLines(lines(names), orderOf, alive)
    const orders: number[][] = []
    for await (const some of byOrder(lines(names), orderOf, linesOf ?? (() => 0)))
      orders.push(...some.map((one) => one.map(({ line }) => line)))
    expect(orders).toEqual([[5], [6], [3, 7], [2, 4, 8]])
  })

  it('are not counted to the end when somebody stopped it', async () => {
    expect(await countLines(lines(['a']), orderOf, () => Promise.resolve(false))).toBeUndefined()
  })

  it('of more than a million orders are refused', async () => {
    await expect(countLines(lines(many(1_000_001), 10_000), orderOf, alive)).rejects.toThrow(
      'more than 1,000,000 orders',
    )
  })

  it('that stand too far apart are refused before they fill the memory', async () => {
    const reading = byOrder(lines(many(100_001), 10_000), orderOf, () => 2)
    await expect(
      (async () => {
        for await (const some of reading) expect(some).toEqual([])
      })(),
    ).rejects.toThrow('Sort the file by the number of the order')
  })
})
