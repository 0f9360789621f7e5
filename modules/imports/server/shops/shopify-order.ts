import { instantIn, type Shop } from './shop.ts'

const paid = ['paid', 'partially_paid', 'authorized']
const once = [...paid, 'refunded', 'partially_refunded']

/**
 * An order of Shopify's export as the body of its webhook. The export has neither ids of products, customers and refunds nor the time of the last change.
 * What was refunded is one sum of all refunds, without their ids and times: it is a property of the order, and no “Order Refunded”, which would count twice
 * with the webhook's.
 */
export const shopifyOrder: Shop = {
  preset: 'shopify',
  order: 'name',
  topicHeader: 'x-shopify-topic',
  updated: { topic: 'orders/updated', at: 'updated_at', without: ['created_at'] },
  amounts: [
    'subtotal',
    'shipping',
    'taxes',
    'total',
    'discount amount',
    'lineitem quantity',
    'lineitem price',
    'refunded amount',
  ],
  products: ['lineitem name'],
  silent: [],
  read(first, lines, dateOrder) {
    const state = first('financial status').toLowerCase().replaceAll(' ', '_')
    const cancelledAt = instantIn(first('cancelled at', 'canceled at'), dateOrder)
    const createdAt = instantIn(first('created at'), dateOrder)
    const refunded = Number(first('refunded amount'))
    const isCancelled = first('cancelled at', 'canceled at') !== ''
    return {
      id: first('id'),
      topics: ['orders/create', ...(isCancelled ? ['orders/cancelled'] : [])],
      createdAt,
      body: {
        id: first('id'),
        name: first('name'),
        email: first('email'),
        phone: first('phone'),
        billing_address: { phone: first('billing phone') },
        financial_status: state,
        fulfillment_status: first('fulfillment status'),
        created_at: createdAt,
        cancelled_at: cancelledAt,
        subtotal_price: first('subtotal'),
        total_price: first('total'),
        total_tax: first('taxes'),
        total_discounts: first('discount amount'),
        total_shipping_price_set: { shop_money: { amount: first('shipping') } },
        currency: first('currency'),
        discount_codes: [{ code: first('discount code') }],
        source_name: first('source'),
        line_items: lines
          .filter((cell) => cell('lineitem name') !== '')
          .map((cell) => ({
            name: cell('lineitem name'),
            sku: cell('lineitem sku'),
            vendor: cell('vendor'),
            price: cell('lineitem price'),
            quantity: cell('lineitem quantity'),
          })),
      },
      beside: refunded > 0 ? { refunded } : {},
      ...(once.includes(state) && !paid.includes(state) ? { asPaid: { financial_status: 'paid' } } : {}),
    }
  },
}
