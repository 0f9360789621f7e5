import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aDesk, caller, type Desk } from '../../../../test/make/import-desk.ts'
import { wooOrders, wooSuiteOrders, type Cells } from '../../../../test/make/shop-exports.ts'

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

  const without = (name: string, of: Cells): Cells =>
    Object.fromEntries(Object.entries(of).filter(([column]) => column !== name))

  it('of the Import Export Suite has each product in a column of its own, with bars in its name', async () => {
    const line = (id: number, one: string, two = '') => ({
      ...without('line_items', woo(id)),
      line_item_1: one,
      line_item_2: two,
    })
    const done = await desk.readIn(wooSuiteOrders, [
      line(
        221,
        'name:Tröja | blå: M|product_id:93|sku:T-1|quantity:2|total:20.50|sub_total:22.00|_variation_id:94',
        'name:Mössa|product_id:95|sku:M-2|quantity:1|total:10.00|sub_total:10.00',
      ),
      line(222, 'name:Mössa|product_id:95|sku:M-2|quantity:many|total:10.00'),
    ])
    expect(done.counts).toMatchObject({ rows: 2, sent: 1, orders: 1, rejected: 1 })
    expect((await desk.events('woocommerce-order-22%')).map(({ id, p }) => [id, p['revenue'], p['products']])).toEqual([
      [
        'woocommerce-order-221-completed',
        30.5,
        [
          { product_id: '93', variant_id: '94', sku: 'T-1', name: 'Tröja | blå: M', price: 10.25, quantity: 2 },
          { product_id: '95', sku: 'M-2', name: 'Mössa', price: 10, quantity: 1 },
        ],
      ],
    ])
  })

  it('is not told without its products when the file has none that can be read', async () => {
    const done = await desk.readIn(wooOrders.replace('line_items', 'Product Item 1 Name'), [
      { ...without('line_items', woo(231)), 'Product Item 1 Name': 'Tea' },
    ])
    expect(done.counts).toMatchObject({ rows: 1, sent: 0, rejected: 1, orders: 0 })
    expect(done.worst[0]?.problems[0]).toContain('none of the columns line_items, line_item_1, item_name')
  })

  it('is rejected with its status when that is somebody’s own', async () => {
    const done = await desk.readIn(wooOrders, [woo(241, { status: 'wc-by-pigeon' }), woo(242, { status: 'trash' })])
    expect(done.counts?.reasons.map(({ reason }) => reason).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'its status “by-pigeon” is none of the shop’s own: whether it was paid cannot be told',
      'the order failed or was thrown away: it says nothing about anybody',
    ])
  })

  it('that a spreadsheet wrote in the American order has the day that was meant', async () => {
    await desk.readIn(wooOrders, [
      woo(251, { order_date: '5/4/2024 9:58:12', paid_date: '' }),
      woo(252, { order_date: '5/13/2024 9:58:12', paid_date: '' }),
    ])
    const [first] = await desk.events('woocommerce-order-251-completed')
    expect(first?.at).toContain('2024-05-04 09:58:12')
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
