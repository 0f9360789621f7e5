import { applyMapping, MappingProblem, type Call } from '../../../../lib/mapping/apply.ts'
import type { CsvRecord } from '../../../../lib/csv/records.ts'
import { presetMapping } from '../../../webhooks/server/index.ts'
import type { Column, Format } from '../../contract.ts'
import { hashOf, proofOf, sayRow, type Rejected, type Row, type RowResult } from '../rows.ts'
import type { OrderOf } from './gathering.ts'
import type { Cells, Shop, ShopOrder } from './shop.ts'
import { shopifyOrder } from './shopify-order.ts'
import { woocommerceOrder } from './woocommerce-order.ts'

export type OrderRows = Exclude<Format['rows'], 'people'>

const shops: Record<OrderRows, Shop> = { 'shopify-orders': shopifyOrder, 'woocommerce-orders': woocommerceOrder }

/** Tells the order of a line by the column that every line has. */
export function orderOfLine(rows: OrderRows, columns: readonly Column[]): OrderOf {
  const at = indexes(columns).get(shops[rows].order)
  return (record) => {
    const name = at === undefined ? '' : (record.cells[at] ?? '').trim()
    return name === '' ? undefined : name
  }
}

/**
 * All lines of one order, as the events that the shop's webhook would have told: one for the order, one more when it was cancelled. They carry the
 * webhook's message ids, so an order that came by both is stored once. Consent is taken from columns that a person gave a topic, as of the order's time.
 */
export function readOrder(
  lines: readonly CsvRecord[],
  rows: OrderRows,
  columns: readonly Column[],
  format: Pick<Format, 'dateOrder'>,
  sourceId: string,
  fileName: string,
): RowResult {
  const shop = shops[rows]
  const [head] = lines
  const line = head?.line ?? 0
  const rejected = (reason: string): Rejected => ({
    kind: 'rejected',
    line,
    reason,
    problems: [reason],
    lines: lines.length,
  })
  const broken = lines.find(({ problem }) => problem !== undefined)?.problem
  if (broken !== undefined)
    return rejected(lines.length === 1 ? broken : `a line of this order cannot be read: ${broken}`)
  if (orderOfLine(rows, columns)(lines[0] ?? { line, cells: [] }) === undefined)
    return rejected('the line names no order')
  const at = indexes(columns)
  if (!shop.products.some((name) => at.has(name)))
    return rejected(`the file has no products that can be read: none of the columns ${shop.products.join(', ')}`)
  const cellsOf = (cells: readonly string[]): Cells => {
    return (...names) => {
      for (const name of names) {
        const index = at.get(name)
        const cell = index === undefined ? '' : (cells[index] ?? '').trim().replace(/^'(?=[+\d])/, '')
        if (cell !== '') return cell
      }
      return ''
    }
  }
  // Only the first line of an order says what belongs to all; a file that somebody sorted may have it elsewhere.
  const merged = columns.map(
    ({ index }) => lines.map(({ cells }) => cells[index] ?? '').find((cell) => cell.trim() !== '') ?? '',
  )
  const problems = shop.amounts.flatMap((name) =>
    lines.flatMap((record) => {
      const amount = cellsOf(record.cells)(name)
      return amount === '' || isAmount(amount) ? [] : [`${name}: “${amount.slice(0, 40)}” is no amount`]
    }),
  )
  const [wrong] = problems
  if (wrong !== undefined) return rejected(`an order with a wrong amount is none: ${wrong}`)
  const byIndex: string[] = []
  columns.forEach(({ index }, nth) => (byIndex[index] = merged[nth] ?? ''))
  const order = shop.read(
    cellsOf(byIndex),
    lines.map(({ cells }) => cellsOf(cells)),
    format.dateOrder,
  )
  if (order.id === '') return rejected('the order has no id: the line that carries it is missing')
  if (order.createdAt === undefined) return rejected('the order has no date that can be read')

  if (order.unread !== undefined) return rejected(order.unread)

  const { createdAt } = order
  let events: Call[]
  try {
    events = order.topics.flatMap((topic) => tell(shop, topic, order))
  } catch (error) {
    if (error instanceof MappingProblem) return rejected(error.message)
    throw error
  }
  if (events.length === 0) {
    const written = order.body[stateOf(shop)]
    const state = typeof written === 'string' ? written : ''
    return rejected(
      state === '' || shop.silent.includes(state)
        ? 'the order failed or was thrown away: it says nothing about anybody'
        : `its status “${state.slice(0, 40)}” is none of the shop’s own: whether it was paid cannot be told`,
    )
  }
  const said = sayRow({ line, cells: byIndex }, columns, format, 'import', proofOf(fileName, line))
  const consents: Row['consents'] = said.kind === 'row' ? said.consents : []
  return {
    kind: 'row',
    line,
    lines: lines.length,
    key: hashOf([sourceId, rows, order.id]).slice(0, 32),
    hash: hashOf([sourceId, rows, order.body, order.beside, order.topics, said.kind === 'row' ? said.says : []]),
    events: [
      ...events,
      ...(said.kind === 'row' ? said.events.flatMap((event) => aboutThePerson(event, createdAt)) : []),
    ],
    again: (as) => {
      const { topic, at: when, without } = shop.updated
      const body = Object.fromEntries(Object.entries(order.body).filter(([name]) => !without.includes(name)))
      const changed = { ...body, line_items: order.body.line_items, [when]: `import-${as}` }
      return tell(shop, topic, { ...order, asPaid: {}, body: changed }).filter(({ event }) => event === 'Order Updated')
    },
    consents,
    problems: said.problems,
  }
}

const isAmount = (text: string) => /^-?\d+(\.\d+)?$/.test(text)
/** Of each file once: it is asked for with every order. */
const known = new WeakMap<readonly Column[], ReadonlyMap<string, number>>()
function indexes(columns: readonly Column[]): ReadonlyMap<string, number> {
  const before = known.get(columns)
  if (before !== undefined) return before
  const made = new Map(columns.map(({ name, index }) => [name.trim().toLowerCase(), index]))
  known.set(columns, made)
  return made
}

const stateOf = (shop: Shop) => (shop.preset === 'shopify' ? 'financial_status' : 'status')

/** By the very rules of the webhook, so that both say the same. */
function tell(shop: Shop, topic: string, order: ShopOrder): Call[] {
  const state = stateOf(shop)
  const reads = { body: { ...order.body, ...order.asPaid }, headers: { [shop.topicHeader]: topic } }
  return applyMapping(presetMapping(shop.preset), reads).calls.map((call) => ({
    ...call,
    properties: {
      ...(call['properties'] as Record<string, unknown>),
      ...(order.body[state] === undefined ? {} : { [state]: order.body[state] }),
      ...order.beside,
    },
  }))
}

/** Of what its columns say about the person: consent as of the order, and an identify only where a column was made a trait. */
function aboutThePerson(event: object, createdAt: string): object[] {
  const { type, traits = {} } = event as { type?: string; traits?: object }
  if (type === 'track') return [{ timestamp: createdAt, ...event }]
  return Object.keys(traits).some((name) => name !== 'email' && name !== 'phone')
    ? [{ timestamp: createdAt, ...event }]
    : []
}
