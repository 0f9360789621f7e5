import { z } from 'zod'
import { instantIn, type Cells, type Shop } from './shop.ts'

/**
 * An order of WooCommerce's Customer / Order / Coupon Export as the body of its webhook: one line an order with its products in `line_items` (as JSON, or as
 * `name:…|sku:…|quantity:…|total:…`, products parted by `;`), or one line a product (`item_name`, `item_sku`, …). The Import Export Suite
 * (woocommerce.com/document/import-and-export-of-woocommerce-orders) has the same columns, but each product of a line in a column of its own:
 * `line_item_1`, `line_item_2`, … What was refunded is one sum and becomes a property, as with Shopify.
 */
export const woocommerceOrder: Shop = {
  preset: 'woocommerce',
  order: 'order_id',
  topicHeader: 'x-wc-webhook-topic',
  updated: { topic: 'order.updated', at: 'date_modified_gmt', without: [] },
  amounts: [
    'order_total',
    'tax_total',
    'discount_total',
    'shipping_total',
    'refunded_total',
    'item_quantity',
    'item_total',
  ],
  products: ['line_items', 'line_item_1', 'item_name'],
  silent: ['failed', 'checkout-draft', 'trash'],
  read(first, lines, dateOrder) {
    const state = first('status').toLowerCase().replace(/^wc-/, '').replaceAll(' ', '-')
    const createdAt = instantIn(first('order_date', 'date'), dateOrder)
    const products = lines.flatMap(productsOf)
    const refunded = Math.abs(Number(first('refunded_total')))
    return {
      id: first('order_id'),
      topics: ['order.created'],
      createdAt,
      body: {
        id: first('order_id'),
        number: first('order_number_formatted', 'order_number'),
        status: state,
        customer_id: first('customer_id') || '0',
        billing: { email: first('billing_email', 'customer_email'), phone: first('billing_phone') },
        date_created_gmt: createdAt,
        date_paid_gmt: instantIn(first('paid_date', 'date_paid'), dateOrder),
        date_modified_gmt: createdAt,
        total: first('order_total'),
        total_tax: first('tax_total'),
        discount_total: first('discount_total', 'cart_discount'),
        shipping_total: first('shipping_total'),
        currency: first('order_currency', 'currency'),
        payment_method: first('payment_method'),
        coupon_lines: [{ code: couponIn(first('coupon_items', 'coupons')) }],
        line_items: products.map(product),
      },
      unread: products.every(isProduct) ? undefined : 'its products cannot be read',
      beside: refunded > 0 ? { refunded } : {},
      ...(state === 'refunded' ? { asPaid: { status: 'completed' } } : {}),
    }
  },
}

type Fields = Record<string, unknown>

/** Products as they are written; what is none is given as it is. */
function productsOf(cell: Cells): Fields[] {
  if (cell('item_name') !== '')
    return [
      {
        name: cell('item_name'),
        sku: cell('item_sku'),
        product_id: cell('item_product_id'),
        variation_id: cell('item_variation_id'),
        quantity: cell('item_quantity'),
        total: cell('item_total'),
      },
    ]
  const own: Fields[] = []
  for (let nth = 1; cell(`line_item_${String(nth)}`) !== ''; nth += 1)
    own.push(partsOf(cell(`line_item_${String(nth)}`)))
  if (own.length > 0) return own
  const items = cell('line_items')
  if (items === '') return []
  if (!items.startsWith('[')) return items.split(/;(?=\s*(?:id|name|product_id|sku):)/).map(partsOf)
  try {
    const parsed = z.array(z.record(z.string(), z.unknown())).safeParse(JSON.parse(items))
    return parsed.success ? parsed.data : [{}]
  } catch {
    return [{}]
  }
}

const isProduct = ({ name, sku, product_id, quantity = '', total = '' }: Fields): boolean =>
  [name, sku, product_id].some((one) => one !== undefined && one !== '') &&
  [quantity, total].every(
    (one) => typeof one === 'number' || (typeof one === 'string' && /^(-?\d+(\.\d+)?)?$/.test(one)),
  )

/** `name:Tea | green: a|sku:T1` – a value may have a colon, and bars where the export does not mark them. */
function partsOf(item: string): Record<string, string> {
  const parts = new Map<string, string>()
  let last = ''
  for (const part of item.split(/(?<!\\)\|/)) {
    const [, key = '', value = ''] = /^\s*(\w+)\s*:(.*)$/s.exec(part) ?? []
    if (key === '') parts.set(last, `${parts.get(last) ?? ''}|${part}`)
    else parts.set((last = key), value)
  }
  return Object.fromEntries([...parts].map(([key, value]) => [key, value.trim().replaceAll('\\|', '|')]))
}

/** The webhook's price is that of one, without tax, after discounts. */
function product(of: Fields): object {
  const quantity = Number(of['quantity'])
  const total = Number(of['total'])
  const { product_id, sku, name, variation_id = of['_variation_id'] } = of
  return {
    ...known({ product_id, variation_id, sku, name, quantity: of['quantity'], total: of['total'] }),
    ...(quantity > 0 && of['total'] !== '' && Number.isFinite(total)
      ? { price: Math.round((total / quantity) * 1e6) / 1e6 }
      : {}),
  }
}
const known = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''))

const couponIn = (text: string) =>
  /(?:^|\|)(?:code|name):([^|;]+)/.exec(text)?.[1]?.trim() ?? text.split(/[|;,]/)[0] ?? ''
