import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aDesk, caller, type Desk } from '../../../../test/make/import-desk.ts'
import { wooOrders, type Cells } from '../../../../test/make/shop-exports.ts'

let desk: Desk
beforeAll(async () => {
  desk = await aDesk()
})
afterAll(() => desk.server.close())

describe('WooCommerce’s export of orders', () => {
  const woo = (id: number, more: Cells = {}): Cells => ({
    order_id: id,
    order_number: id,
    order_date: '2024-05-01 09:58:12',
    paid_date: '2024-05-01 10:00:00',
    status: 'completed',
    shipping_total: '4.90',
    tax_total: '5.86',
    discount_total: '0.00',
    order_total: '36.70',
    refunded_total: '0.00',
    order_currency: 'EUR',
    payment_method: 'paypal',
    customer_id: 31,
    billing_email: `w${String(id)}@fjörd.example`,
    line_items:
      'id:5|name:Tea: green|product_id:8|sku:TEA|quantity:2|subtotal:19.80|total:19.80|refunded:0.00;id:6|name:Mug|product_id:9|sku:MUG|quantity:1|total:12.00',
    coupon_items: 'code:MAI|description:|amount:3.00',
    ...more,
  })

  it('says of each order what the webhook says', async () => {
    const done = await desk.readIn(wooOrders, [
      woo(201),
      woo(202, { status: 'refunded', refunded_total: '36.70' }),
      woo(203, { status: 'cancelled', customer_id: 0, billing_email: '' }),
      woo(204, { status: 'failed' }),
      woo(205, { status: 'on-hold', paid_date: '' }),
      woo(206, { line_items: '[{"name":"Tea","quantity":"2","to' }),
      woo(207, { line_items: '[{"name":"Tea","sku":"TEA","quantity":2,"total":"31.80"}]' }),
    ])
    expect(done.counts).toMatchObject({ rows: 7, sent: 5, rejected: 2, orders: 5, withProblems: 0 })
    expect(done.counts?.reasons.map(({ reason }) => reason)).toContain('its products cannot be read')
    const found = await desk.events('woocommerce-order-20%')
    expect(found.map(({ id, p }) => [id, p['status'], p['refunded']])).toEqual([
      ['woocommerce-order-201-completed', 'completed', undefined],
      ['woocommerce-order-202-completed', 'refunded', 36.7],
      ['woocommerce-order-203-cancelled', 'cancelled', undefined],
      ['woocommerce-order-205-placed', 'on-hold', undefined],
      ['woocommerce-order-207-completed', 'completed', undefined],
    ])
    expect(found[0]).toMatchObject({
      name: 'Order Completed',
      at: expect.stringContaining('2024-05-01 10:00:00') as string,
      who: [
        { type: 'woocommerce_customer_id', value: '31' },
        { type: 'email', value: 'w201@fjörd.example' },
      ],
      p: {
        order_id: '201',
        revenue: 31.8,
        total: 36.7,
        tax: 5.86,
        shipping: 4.9,
        currency: 'EUR',
        coupon: 'MAI',
        payment_method: 'paypal',
        products: [
          { product_id: '8', sku: 'TEA', name: 'Tea: green', price: 9.9, quantity: 2 },
          { product_id: '9', sku: 'MUG', name: 'Mug', price: 12, quantity: 1 },
        ],
      },
    })
  })

  it('is one order too when it has a line for each product', async () => {
    const header = wooOrders.replace('line_items', 'item_name,item_sku,item_quantity,item_total')
    const line = (id: number, item: Cells) => {
      const { line_items: _none, ...rest } = woo(id)
      return { ...rest, ...item }
    }
    const done = await desk.readIn(header, [
      line(211, { item_name: 'Tea', item_sku: 'TEA', item_quantity: 2, item_total: '19.80' }),
      line(211, { item_name: 'Mug', item_sku: 'MUG', item_quantity: 1, item_total: '12.00' }),
    ])
    expect(done.counts).toMatchObject({ rows: 2, sent: 2, orders: 1 })
    expect(
      (await desk.events('woocommerce-order-211%')).map(({ p }) => [p['revenue'], (p['products'] as object[]).length]),
    ).toEqual([[31.8, 2]])
  })

  it('is known apart from the report of orders, from which nobody can be told', async () => {
    const { id, looksLike } = await desk.handIn(
      'Date,Order #,N. Revenue (formatted),Status,Customer,Customer type,Product(s),Items sold,Coupon(s),N. Revenue',
      [
        {
          Date: '2024-05-01 10:00:00',
          'Order #': 1,
          Status: 'completed',
          Customer: 'Zoë K',
          'Customer type': 'new',
          'Product(s)': '1× Tea',
        },
      ],
    )
    expect(looksLike?.says).toMatch('nobody can be told from it')
    await expect(desk.imports.run(caller, id)).rejects.toThrow('No column is an identifier')
  })
})
