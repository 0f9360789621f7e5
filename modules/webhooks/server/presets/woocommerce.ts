import type { Condition, Expression, Mapping, Rule } from '../../../../lib/mapping/mapping.ts'
import { amount, at, instant, joined, rule, say } from './words.ts'

/**
 * Webhooks of WooCommerce, into Segment's e-commerce events. By the payloads as published for REST API version 3 (webhooks of version `wp_api_v3`):
 * woocommerce.github.io/woocommerce-rest-api-docs, sections Orders, Order refunds, Customers, Coupons and Webhooks.
 *
 * An order is complete when it is paid (processing or completed), whichever webhook says so first: both say it under one id. `customer_id` 0 is a guest,
 * who is known by the address of the bill. Coupons and products say nothing about people.
 */

const isPaid: Condition = { that: at('status'), is: ['processing', 'completed'] }
const orderIs = joined('woocommerce-order-', at('id'))
/** Amounts of lines are after discounts and without tax, so their sum is Segment's revenue. */
const revenue: Expression = { sumOf: 'line_items', of: at('item.total') }

const order = (topics: string[], event: string, id: Expression, when: Condition[], times: string[]): Rule[] =>
  [true, false].map((isGuest) =>
    rule({
      topics,
      type: 'track',
      when: [...when, isGuest ? { that: at('customer_id'), is: [0] } : { that: at('customer_id'), isNot: [0] }],
      id,
      identifiers: {
        ...(isGuest ? {} : { woocommerce_customer_id: at('customer_id') }),
        email: at('billing.email'),
        phone: at('billing.phone'),
      },
      fields: {
        event: say(event),
        anonymousId: orderIs,
        timestamp: instant(...times),
        'properties.order_id': { text: at('id') },
        'properties.order_number': at('number'),
        'properties.status': at('status'),
        'properties.revenue': revenue,
        'properties.total': amount('total'),
        'properties.tax': amount('total_tax'),
        'properties.discount': amount('discount_total'),
        'properties.shipping': amount('shipping_total'),
        'properties.currency': at('currency'),
        'properties.coupon': at('coupon_lines[0].code'),
        'properties.payment_method': at('payment_method'),
        'properties.affiliation': { first: [at('created_via'), say('woocommerce')] },
        'properties.products': {
          list: 'line_items',
          each: {
            product_id: { text: at('item.product_id') },
            variant_id: { text: at('item.variation_id') },
            sku: at('item.sku'),
            name: at('item.name'),
            price: amount('item.price'),
            quantity: amount('item.quantity'),
          },
        },
      },
    }),
  )

const orders = ['order.created', 'order.updated', 'order.restored']

export const woocommerce: Mapping = {
  topic: at('header.x-wc-webhook-topic'),
  rules: [
    ...order(orders, 'Order Completed', joined(orderIs, '-completed'), [isPaid], ['date_paid_gmt', 'date_created_gmt']),
    ...order(
      ['order.created'],
      'Order Placed',
      joined(orderIs, '-placed'),
      [{ that: at('status'), is: ['pending', 'on-hold'] }],
      ['date_created_gmt'],
    ),
    ...order(
      ['order.updated'],
      'Order Updated',
      joined(orderIs, '-updated-', at('date_modified_gmt')),
      [],
      ['date_modified_gmt'],
    ),
    ...order(
      orders,
      'Order Cancelled',
      joined(orderIs, '-cancelled'),
      [{ that: at('status'), is: ['cancelled'] }],
      ['date_modified_gmt'],
    ),
    rule({
      topics: orders,
      type: 'nothing',
      when: [{ that: at('status'), is: ['failed', 'checkout-draft', 'trash'] }],
    }),
    rule({
      topics: orders,
      type: 'track',
      each: 'refunds',
      id: joined('woocommerce-refund-', at('item.id')),
      identifiers: { email: at('billing.email'), phone: at('billing.phone') },
      fields: {
        event: say('Order Refunded'),
        anonymousId: orderIs,
        timestamp: instant('date_modified_gmt'),
        'properties.order_id': { text: at('id') },
        'properties.refund_id': { text: at('item.id') },
        // Written as "-10.00".
        'properties.total': { absolute: at('item.total') },
        'properties.currency': at('currency'),
        'properties.reason': at('item.reason'),
      },
    }),
    rule({
      topics: ['customer.created', 'customer.updated'],
      type: 'identify',
      id: joined('woocommerce-customer-', at('id'), '-', { first: [at('date_modified_gmt'), at('date_created_gmt')] }),
      identifiers: {
        woocommerce_customer_id: at('id'),
        email: { first: [at('email'), at('billing.email')] },
        phone: at('billing.phone'),
      },
      fields: {
        timestamp: instant('date_modified_gmt', 'date_created_gmt'),
        'traits.email': { first: [at('email'), at('billing.email')] },
        'traits.phone': at('billing.phone'),
        'traits.firstName': { first: [at('first_name'), at('billing.first_name')] },
        'traits.lastName': { first: [at('last_name'), at('billing.last_name')] },
        'traits.company': at('billing.company'),
        'traits.address.street': at('billing.address_1'),
        'traits.address.city': at('billing.city'),
        'traits.address.postalCode': at('billing.postcode'),
        'traits.address.state': at('billing.state'),
        'traits.address.country': at('billing.country'),
        'traits.customerSince': instant('date_created_gmt'),
      },
    }),
    rule({
      topics: ['coupon.created', 'coupon.updated', 'coupon.deleted', 'product.created', 'product.updated'],
      type: 'nothing',
    }),
  ],
}
