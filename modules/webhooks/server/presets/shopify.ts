import type { Condition, Expression, Mapping, Rule } from '../../../../lib/mapping/mapping.ts'
import { amount, at, instant, joined, rule, say } from './words.ts'

/**
 * Webhooks of Shopify, into Segment's e-commerce events (Segment, “Ecommerce Spec v2”). By the payloads as published for API version 2025-10:
 * shopify.dev/docs/api/webhooks (topics and headers) and shopify.dev/docs/api/admin-rest/2025-10/resources (order, refund, customer, checkout).
 *
 * Every event of an order carries the anonymous id of that order, because a refund names the order and nobody: by it a refund comes to the person
 * who ordered, and an order without an account or address (a till) has somebody at all.
 * Test orders say nothing. `customers/redact` and its like have no rule: they are put aside, for a person to act on.
 */

const isReal: Condition = { that: at('test'), isNot: [true] }
const isPaid: Condition = { that: at('financial_status'), is: ['paid', 'partially_paid', 'authorized'] }
const notPaid: Condition = { that: at('financial_status'), isNot: ['paid', 'partially_paid', 'authorized'] }

const customer = {
  shopify_customer_id: at('customer.id'),
  email: { first: [at('email'), at('contact_email'), at('customer.email')] },
  phone: { first: [at('phone'), at('customer.phone'), at('billing_address.phone')] },
} satisfies Record<string, Expression>

const productOf = (line: string): Record<string, Expression> => ({
  product_id: { text: at(`${line}.product_id`) },
  variant: at(`${line}.variant_title`),
  variant_id: { text: at(`${line}.variant_id`) },
  sku: at(`${line}.sku`),
  name: { first: [at(`${line}.title`), at(`${line}.name`)] },
  brand: at(`${line}.vendor`),
  price: amount(`${line}.price`),
})
const products: Expression = { list: 'line_items', each: { ...productOf('item'), quantity: amount('item.quantity') } }

/** revenue is what the goods cost after discounts, without shipping; with tax where the shop's prices include it. */
const money: Record<string, Expression> = {
  'properties.revenue': amount('subtotal_price'),
  'properties.total': amount('total_price'),
  'properties.tax': amount('total_tax'),
  'properties.discount': amount('total_discounts'),
  'properties.shipping': amount('total_shipping_price_set.shop_money.amount'),
  'properties.currency': { first: [at('currency'), at('presentment_currency')] },
  'properties.products': products,
}
const orderIs = joined('shopify-order-', at('id'))

const order = (topics: string[], event: string, id: Expression, when: Condition[], times: string[]): Rule =>
  rule({
    topics,
    type: 'track',
    when: [isReal, ...when],
    id,
    identifiers: customer,
    fields: {
      event: say(event),
      anonymousId: orderIs,
      timestamp: instant(...times),
      'properties.order_id': { text: at('id') },
      'properties.order_number': at('name'),
      'properties.checkout_id': at('checkout_token'),
      'properties.cart_id': at('cart_token'),
      ...money,
      'properties.coupon': { first: [at('discount_codes[0].code')] },
      'properties.financial_status': at('financial_status'),
      'properties.fulfillment_status': at('fulfillment_status'),
      'properties.affiliation': { first: [at('source_name'), say('shopify')] },
      'properties.cancel_reason': at('cancel_reason'),
    },
  })

const isCompleted = joined(orderIs, '-completed')
const paidAt = ['processed_at', 'created_at']

const person = rule({
  topics: ['customers/create', 'customers/update', 'customers/enable', 'customers/disable'],
  type: 'identify',
  id: joined('shopify-customer-', at('id'), '-', at('updated_at')),
  identifiers: { shopify_customer_id: at('id'), email: at('email'), phone: at('phone') },
  fields: {
    timestamp: instant('updated_at', 'created_at'),
    'traits.email': at('email'),
    'traits.phone': { first: [at('phone'), at('default_address.phone')] },
    'traits.firstName': at('first_name'),
    'traits.lastName': at('last_name'),
    'traits.company': at('default_address.company'),
    'traits.address.street': at('default_address.address1'),
    'traits.address.city': at('default_address.city'),
    'traits.address.postalCode': at('default_address.zip'),
    'traits.address.state': at('default_address.province_code'),
    'traits.address.country': at('default_address.country_code'),
    'traits.customerSince': instant('created_at'),
  },
})

/** What somebody agreed to, with the time at which they did; `not_subscribed`, `pending`, `redacted` and `invalid` say nothing. */
const consent = (topics: string[], channel: 'email' | 'sms', id: string): Rule =>
  rule({
    topics,
    type: 'track',
    when: [{ that: at(`${channel}_marketing_consent.state`), is: ['subscribed', 'unsubscribed'] }],
    id: joined(`shopify-consent-${channel}-`, at(id), '-', at(`${channel}_marketing_consent.state`), '-', {
      first: [at(`${channel}_marketing_consent.consent_updated_at`), at('updated_at'), say('undated')],
    }),
    identifiers: {
      shopify_customer_id: at(id),
      email: { first: [at('email'), at('email_address')] },
      phone: at('phone'),
    },
    fields: {
      event: {
        choose: at(`${channel}_marketing_consent.state`),
        from: { subscribed: 'Consent Given', unsubscribed: 'Consent Withdrawn' },
      },
      timestamp: instant(`${channel}_marketing_consent.consent_updated_at`),
      'properties.channel': say(channel),
      'properties.topic': say('news'),
      'properties.source': say('shopify'),
      'properties.optInLevel': at(`${channel}_marketing_consent.opt_in_level`),
      'properties.email': { first: [at('email'), at('email_address')] },
    },
  })

const checkoutIs = joined('shopify-checkout-', { first: [at('token'), at('id')] })
const checkout = (topics: string[], event: string, id: Expression, times: string[]): Rule =>
  rule({
    topics,
    type: 'track',
    id,
    identifiers: { shopify_customer_id: at('customer.id'), email: at('email'), phone: at('phone') },
    fields: {
      event: say(event),
      anonymousId: checkoutIs,
      timestamp: instant(...times),
      'properties.checkout_id': { first: [at('token'), { text: at('id') }] },
      'properties.cart_id': at('cart_token'),
      'properties.value': amount('total_price'),
      ...money,
      'properties.url': at('abandoned_checkout_url'),
    },
  })

const cart = (topics: string[], event: string, tail: Expression[]): Rule =>
  rule({
    topics,
    type: 'track',
    id: joined('shopify-cart-', { first: [at('token'), at('id')] }, ...tail),
    fields: {
      event: say(event),
      anonymousId: joined('shopify-cart-', { first: [at('token'), at('id')] }),
      timestamp: instant('updated_at', 'created_at'),
      'properties.cart_id': { first: [at('token'), at('id')] },
      'properties.products': products,
    },
  })

export const shopify: Mapping = {
  topic: at('header.x-shopify-topic'),
  rules: [
    rule({
      topics: ['orders/create', 'orders/updated', 'orders/paid', 'orders/cancelled'],
      type: 'nothing',
      when: [{ that: at('test'), is: [true] }],
    }),
    order(['orders/create', 'orders/paid'], 'Order Completed', isCompleted, [isPaid], paidAt),
    order(['orders/create'], 'Order Placed', joined(orderIs, '-placed'), [notPaid], ['created_at']),
    order(
      ['orders/updated'],
      'Order Updated',
      joined(orderIs, '-updated-', { first: [at('updated_at'), at('created_at')] }),
      [],
      ['updated_at', 'created_at'],
    ),
    order(['orders/cancelled'], 'Order Cancelled', joined(orderIs, '-cancelled'), [], ['cancelled_at', 'updated_at']),
    rule({
      topics: ['refunds/create'],
      type: 'track',
      id: joined('shopify-refund-', at('id')),
      fields: {
        event: say('Order Refunded'),
        anonymousId: joined('shopify-order-', at('order_id')),
        timestamp: instant('processed_at', 'created_at'),
        'properties.order_id': { text: at('order_id') },
        'properties.refund_id': { text: at('id') },
        'properties.total': {
          sumOf: 'transactions',
          of: at('item.amount'),
          when: [
            { that: at('item.kind'), is: ['refund'] },
            { that: at('item.status'), is: ['success'] },
          ],
        },
        'properties.currency': {
          first: [at('transactions[0].currency'), at('total_duties_set.shop_money.currency_code')],
        },
        'properties.products': {
          list: 'refund_line_items',
          each: {
            ...productOf('item.line_item'),
            quantity: amount('item.quantity'),
            refunded: amount('item.subtotal'),
          },
        },
      },
    }),
    person,
    consent(['customers/create', 'customers/update'], 'email', 'id'),
    consent(['customers/create', 'customers/update'], 'sms', 'id'),
    consent(['customers_email_marketing_consent/update'], 'email', 'customer_id'),
    consent(['customers_marketing_consent/update'], 'sms', 'id'),
    checkout(['checkouts/create'], 'Checkout Started', joined(checkoutIs, '-started'), ['created_at']),
    checkout(['checkouts/update'], 'Checkout Updated', joined(checkoutIs, '-', at('updated_at')), ['updated_at']),
    cart(['carts/create'], 'Cart Created', [say('-created')]),
    cart(['carts/update'], 'Cart Updated', [say('-'), at('updated_at')]),
  ],
}
