import type { CsvRecord } from '../../../../lib/csv/records.ts'
import { Refusal } from '../../../../lib/refusals/refusals.ts'
import type { Records } from '../formats/table-file.ts'
import { createKeyTable } from '../keys.ts'

const mostOrders = 1_000_000
const mostOpenLines = 100_000

/** The name of the order that a line belongs to; undefined when it names none. */
export type OrderOf = (record: CsvRecord) => string | undefined

/**
 * How many lines each order has. A file is counted before it is read, so that an order is known to be whole wherever its lines stand, in 20 bytes an order.
 * @param alive is asked after each piece; false ends it
 * @throws Refusal('bad_input') past a million orders
 */
export async function countLines(records: Records, orderOf: OrderOf, alive: () => Promise<boolean>) {
  const table = createKeyTable(mostOrders)
  let known = 0
  for await (const piece of records) {
    for (const record of piece) {
      const order = orderOf(record)
      if (order === undefined) continue
      const before = table.get(order)
      if (before === undefined) known += 1
      if (known > mostOrders)
        throw new Refusal(
          'bad_input',
          `The file has more than ${mostOrders.toLocaleString('en-GB')} orders. Export them in parts, a year each.`,
        )
      table.set(order, { nth: (before?.nth ?? 0) + 1, hash: [0, 0], sent: false })
    }
    if (!(await alive())) return undefined
  }
  return (order: string): number => table.get(order)?.nth ?? 0
}

/**
 * Lines, order by order: an order comes when its last line has come. A line that names no order comes alone.
 * @throws Refusal('bad_input') when more lines than fit into memory wait for others of their orders
 */
export async function* byOrder(
  records: Records,
  orderOf: OrderOf,
  linesOf: (order: string) => number,
): AsyncGenerator<[CsvRecord, ...CsvRecord[]][]> {
  const open = new Map<string, [CsvRecord, ...CsvRecord[]]>()
  let waiting = 0
  for await (const piece of records) {
    const whole: [CsvRecord, ...CsvRecord[]][] = []
    for (const record of piece) {
      const order = orderOf(record)
      if (order === undefined) {
        whole.push([record])
        continue
      }
      const held = open.get(order)
      const lines: [CsvRecord, ...CsvRecord[]] = held ?? [record]
      if (held !== undefined) held.push(record)
      waiting += 1
      if (lines.length < linesOf(order)) open.set(order, lines)
      else {
        open.delete(order)
        waiting -= lines.length
        whole.push(lines)
      }
      if (waiting > mostOpenLines)
        throw new Refusal(
          'bad_input',
          'The lines of its orders stand too far apart. Sort the file by the number of the order and hand it in again.',
        )
    }
    yield whole
  }
  yield [...open.values()]
}
