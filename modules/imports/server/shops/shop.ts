import type { Format } from '../../contract.ts'

/** One cell of an order by the name of its column; '' when there is none. */
export type Cells = (...names: string[]) => string

/** What an export says of one order, as the body of the shop's webhook. */
export interface ShopOrder {
  id: string
  /** Of the webhook; without what no export knows. */
  body: Record<string, unknown> & { line_items: object[] }
  /** Topics of webhooks that would have told it, in their order. */
  topics: string[]
  createdAt: string | undefined
  /** What of its products cannot be read: such an order is rejected rather than told without them. */
  unread?: string | undefined
  /** Properties that the events get beside those of the webhook. */
  beside: Record<string, unknown>
  /** The body by which the webhook's rules tell that the order was paid, though its state is another by now. */
  asPaid?: Record<string, unknown>
}

export interface Shop {
  preset: 'shopify' | 'woocommerce'
  /** The column that every line of an order has. */
  order: string
  topicHeader: string
  updated: { topic: string; at: string; without: readonly string[] }
  /** Columns of money. */
  amounts: readonly string[]
  /** Columns of products. A file with none of them is not read: its orders would be told without what was bought. */
  products: readonly string[]
  /** States of an order that say nothing about anybody. What is neither told nor one of these is somebody's own. */
  silent: readonly string[]
  /** @param first of each column, the first line that says something @param lines each line's own */
  read(first: Cells, lines: readonly Cells[], dateOrder: Format['dateOrder']): ShopOrder
}
/** `2024-05-01 09:58:12 +0200`, without a zone taken as UTC; `9/6/2016 6:29:00` by the file's order of days and months. */
export function instantIn(text: string, dateOrder: Format['dateOrder']): string | undefined {
  const iso = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(?:\.\d+)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?$/i.exec(text)
  const slashed = /^(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?: (\d{1,2}):(\d{2})(:\d{2})?)?$/.exec(text)
  let whole: string | undefined
  if (iso !== null) {
    const [, day = '', minutes = '00:00', seconds = ':00', zone = 'Z'] = iso
    const offset = /^[+-]/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(-2)}` : 'Z'
    whole = `${day}T${minutes}${seconds}${offset}`
  } else if (slashed !== null) {
    const [, one = '', two = '', year = '', hour = '0', minute = '00', seconds = ':00'] = slashed
    const [day, month] = dateOrder === 'dmy' ? [one, two] : [two, one]
    whole = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}T${hour.padStart(2, '0')}:${minute}${seconds}Z`
  }
  const ms = whole === undefined ? Number.NaN : Date.parse(whole)
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString()
}
