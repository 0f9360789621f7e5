/**
 * Bodies of webhooks, written from the published documentation (the pages are named in modules/webhooks/server/presets) and shortened to what anybody reads;
 * not recorded from a live shop.
 */

/** shopify.dev, Order resource, API version 2025-10. Amounts are decimal text. */
export const shopifyOrder = (more: Record<string, unknown> = {}) => ({
  id: 820982911946154508n.toString().slice(0, 15),
  admin_graphql_api_id: 'gid://shopify/Order/820982911946154508',
  name: '#1001',
  email: 'søren.ø@example.com',
  contact_email: 'søren.ø@example.com',
  phone: null,
  test: false,
  currency: 'EUR',
  financial_status: 'paid',
  fulfillment_status: null,
  created_at: '2026-11-20T09:30:00+01:00',
  processed_at: '2026-11-20T09:30:05+01:00',
  updated_at: '2026-11-20T09:31:00+01:00',
  cancelled_at: null,
  cancel_reason: null,
  checkout_token: 'bd5a8aa1ecd019dd3520ff791ee3a24c',
  cart_token: '68778783ad298f1c80c3bafcddeea02f',
  source_name: 'web',
  subtotal_price: '398.00',
  total_price: '409.94',
  total_tax: '11.94',
  total_discounts: '10.10',
  total_shipping_price_set: { shop_money: { amount: '0.00', currency_code: 'EUR' } },
  discount_codes: [{ code: 'HÖST10', amount: '10.10', type: 'fixed_amount' }],
  customer: {
    id: 115310627314723,
    email: 'søren.ø@example.com',
    first_name: 'Søren',
    last_name: 'Ørsted',
    phone: null,
  },
  line_items: [
    {
      id: 866550311766439,
      product_id: 788032119674292,
      variant_id: 642667041472713,
      sku: 'IPOD-342-N',
      title: 'IPod Nano',
      variant_title: 'blå',
      vendor: 'Apple',
      price: '199.00',
      quantity: 2,
    },
  ],
  ...more,
})

export const shopifyRefund = {
  id: 890088186047892,
  order_id: shopifyOrder().id,
  created_at: '2026-11-21T10:00:00+01:00',
  processed_at: '2026-11-21T10:00:00+01:00',
  note: 'Things were damaged',
  refund_line_items: [
    {
      id: 487817672276298,
      quantity: 1,
      subtotal: 199.0,
      line_item: { product_id: 788032119674292, sku: 'IPOD-342-N', title: 'IPod Nano', price: '199.00' },
    },
  ],
  transactions: [
    { id: 1, kind: 'refund', status: 'success', amount: '0.10', currency: 'EUR' },
    { id: 2, kind: 'refund', status: 'success', amount: '0.20', currency: 'EUR' },
    { id: 3, kind: 'refund', status: 'failure', amount: '500.00', currency: 'EUR' },
  ],
}

export const shopifyCustomer = {
  id: 115310627314723,
  email: 'søren.ø@example.com',
  first_name: 'Søren',
  last_name: 'Ørsted',
  phone: '+4520123456',
  created_at: '2026-01-02T08:00:00+01:00',
  updated_at: '2026-11-20T09:40:00+01:00',
  default_address: { company: null, address1: 'Nørregade 7', city: 'København', zip: '1165', country_code: 'DK' },
  email_marketing_consent: {
    state: 'subscribed',
    opt_in_level: 'single_opt_in',
    consent_updated_at: '2026-11-19T12:00:00+01:00',
  },
  sms_marketing_consent: { state: 'not_subscribed', opt_in_level: 'single_opt_in', consent_updated_at: null },
}

/** WooCommerce REST API v3, Order properties. Times without a zone; `customer_id` 0 is a guest. */
export const wooOrder = (more: Record<string, unknown> = {}) => ({
  id: 727,
  number: '727',
  status: 'processing',
  currency: 'SEK',
  created_via: 'checkout',
  date_created_gmt: '2026-11-20T19:28:02',
  date_modified_gmt: '2026-11-20T19:28:08',
  date_paid_gmt: '2026-11-20T19:28:08',
  discount_total: '0.00',
  shipping_total: '10.00',
  total: '37.35',
  total_tax: '1.35',
  customer_id: 0,
  billing: { first_name: 'Åsa', last_name: 'Öberg', email: 'asa@example.com', phone: '', city: 'Umeå', country: 'SE' },
  payment_method: 'bacs',
  line_items: [
    {
      id: 315,
      name: 'Woo Single #1',
      product_id: 93,
      variation_id: 0,
      quantity: 2,
      total: '6.10',
      sku: '',
      price: 3.05,
    },
    {
      id: 316,
      name: 'Ship Your Idea',
      product_id: 22,
      variation_id: 23,
      quantity: 1,
      total: '12.20',
      sku: 'Bar3',
      price: 12.2,
    },
  ],
  coupon_lines: [],
  refunds: [],
  ...more,
})
