import fastify from 'fastify'
import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../../platform/clock/clock.ts'
import { createFiles } from '../../../../platform/files/files.ts'
import type { Caller } from '../../../../platform/http/caller.ts'
import { createJobs, prepareJobs } from '../../../../platform/jobs/worker.ts'
import { silentLog } from '../../../../platform/log/log.ts'
import { createIds, systemRandom } from '../../../../platform/random/random.ts'
import { createSecrets } from '../../../../platform/secrets/secrets.ts'
import { aCollectServer, type CollectServer } from '../../../../test/make/collect-server.ts'
import { aPostgres } from '../../../../test/make/engines.ts'
import { createAudit } from '../../../audit/server/index.ts'
import { createWebhooks, webhookEndpoint } from '../../../webhooks/server/index.ts'
import { agreesIn, looksLikeConsent, type Import } from '../../contract.ts'
import { createImports, type Imports } from '../index.ts'

const clock = systemClock
let server: CollectServer
let postgres: Awaited<ReturnType<typeof aPostgres>>
let imports: Imports
const caller: Caller = {
  kind: 'person',
  accountId: 'account_ивайло' as never,
  name: 'Ивайло',
  side: 'it',
  roles: [],
  permissions: new Set(['data.write']),
  sessionId: undefined,
  steppedUpAtMs: undefined,
}

beforeAll(async () => {
  postgres = await aPostgres()
  await prepareJobs(postgres.address)
  server = await aCollectServer({ postgres })
  imports = createImports({
    postgres,
    clock,
    ids: createIds(clock, systemRandom),
    log: silentLog,
    files: createFiles(join(server.folder, 'files')),
    jobs: createJobs({ postgres, address: postgres.address, log: silentLog, concurrency: 1 }),
    audit: createAudit({ postgres, clock }),
    sources: server.sources,
    collect: server.collect,
    rowsAtOnce: 2,
  })
})
afterAll(() => server.close())

// The header rows as the shops write them (Shopify's admin; WooCommerce's reports and its Customer / Order / Coupon Export).
const shopifyCustomers =
  'Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,Default Address Address2,Default Address City,Default Address Province Code,Default Address Country Code,Default Address Zip,Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags'
const shopifyOrders =
  'Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,Billing Name,Billing Street,Billing Address1,Billing Address2,Billing Company,Billing City,Billing Zip,Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,Shipping Address1,Shipping Address2,Shipping Company,Shipping City,Shipping Zip,Shipping Province,Shipping Country,Shipping Phone,Notes,Note Attributes,Cancelled at,Payment Method,Payment Reference,Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level,Source,Lineitem discount,Tax 1 Name,Tax 1 Value,Tax 2 Name,Tax 2 Value,Tax 3 Name,Tax 3 Value,Tax 4 Name,Tax 4 Value,Tax 5 Name,Tax 5 Value,Phone,Receipt Number,Duties,Billing Province Name,Shipping Province Name,Payment ID,Payment Terms Name,Next Payment Due At,Payment References'
const wooCustomers =
  'customer_id,first_name,last_name,user_login,email,user_pass,date_registered,billing_first_name,billing_last_name,billing_company,billing_email,billing_phone,billing_address_1,billing_address_2,billing_postcode,billing_city,billing_state,billing_country'
const wooReport =
  'Name,Username,Last Active,Sign Up,Email,Orders,Total Spend,AOV,Country / Region,City,Region,Postal Code'
const wooOrders =
  'order_id,order_number,order_date,paid_date,status,shipping_total,shipping_tax_total,fee_total,tax_total,discount_total,order_total,refunded_total,order_currency,payment_method,shipping_method,customer_id,billing_first_name,billing_last_name,billing_email,billing_phone,line_items,coupon_items'

type Cells = Record<string, string | number>
/** A file with these columns; cells that are not named are empty, as in a shop's export. */
function file(header: string, rows: readonly Cells[]): string {
  const names = header.split(',')
  const cell = (text: string | number = '') =>
    /[",\n]/.test(String(text)) ? `"${String(text).replaceAll('"', '""')}"` : String(text)
  for (const name of rows.flatMap((row) => Object.keys(row))) expect(names).toContain(name)
  return [header, ...rows.map((row) => names.map((name) => cell(row[name])).join(','))].join('\n') + '\n'
}
let nth = 0
const handIn = (header: string, rows: readonly Cells[]) =>
  imports.upload(
    caller,
    server.source.id,
    `export ${String((nth += 1))}.csv`,
    Readable.from([Buffer.from(file(header, rows))]),
  )
async function readIn(header: string, rows: readonly Cells[]): Promise<Import> {
  const { id } = await handIn(header, rows)
  const done = await imports.through(id, 'run')
  expect(done.because).toBeNull()
  const { counts } = done
  expect(counts?.rows).toBe(
    (counts?.sent ?? 0) + (counts?.unchanged ?? 0) + (counts?.quarantined ?? 0) + (counts?.rejected ?? 0),
  )
  return done
}
interface Stored {
  id: string
  name: string
  at: string
  who: { type: string; value: string }[]
  p: Record<string, unknown>
}
async function events(id: string): Promise<Stored[]> {
  await server.collect.drained()
  return server.clickhouse.query<Stored>(
    `SELECT message_id AS id, name, toString(time) AS at, arrayMap(one -> map('type', one.type, 'value', one.value), external_ids) AS who, properties AS p FROM event
     WHERE message_id LIKE {id:String} ORDER BY message_id SETTINGS output_format_json_quote_64bit_integers = 0`,
    { id },
  )
}
async function consentsOf(email: string) {
  await server.collect.drained()
  return server.clickhouse.query(
    `SELECT name, properties.channel::String AS channel, properties.topic::String AS topic, toString(time) AS at FROM event
     WHERE startsWith(name, 'Consent') AND properties.email::String = {email:String} ORDER BY channel`,
    { email },
  )
}

const tea: Cells = {
  'Lineitem quantity': 2,
  'Lineitem name': 'Tea - 100 g',
  'Lineitem price': '9.90',
  'Lineitem sku': 'TEA-100',
  Vendor: 'Blatt & Söhne',
  'Created at': '2024-05-01 09:58:12 +0200',
}
const mug: Cells = {
  ...tea,
  'Lineitem quantity': 1,
  'Lineitem name': 'Mug',
  'Lineitem price': '12.00',
  'Lineitem sku': 'MUG',
}
const order = (id: number, more: Cells = {}): Cells => ({
  Name: `#${String(id)}`,
  Id: id,
  Email: `k${String(id)}@fjörd.example`,
  'Financial Status': 'paid',
  'Fulfillment Status': 'fulfilled',
  Currency: 'EUR',
  Subtotal: '31.80',
  Shipping: '4.90',
  Taxes: '5.86',
  Total: '36.70',
  'Discount Code': 'MAI',
  'Discount Amount': '3.00',
  Source: 'web',
  ...tea,
  ...more,
})
const furtherLine = (id: number, more: Cells = mug): Cells => ({ Name: `#${String(id)}`, ...more })

describe('an export of customers', () => {
  it('of Shopify is known by its columns and read as people with the shop’s own number', async () => {
    const rows = [
      {
        'Customer ID': "'6001",
        'First Name': 'Åsa',
        'Last Name': 'Öberg',
        Email: 'asa@fjörd.example',
        'Accepts Email Marketing': 'yes',
        'Accepts SMS Marketing': 'no',
        'Default Address Zip': "'02826",
        'Default Address City': 'Malmö',
        'Default Address Country Code': 'SE',
        Phone: "'+46701234567",
        'Total Spent': '1240.50',
        'Total Orders': 7,
        Tags: 'vip, tea',
      },
      {
        'Customer ID': "'6002",
        'First Name': 'Без',
        Email: '',
        'Accepts Email Marketing': 'no',
        'Accepts SMS Marketing': 'no',
        'Total Spent': '0.00',
        'Total Orders': 0,
      },
      {
        'First Name': 'Niemand',
        'Accepts Email Marketing': 'no',
        'Accepts SMS Marketing': 'no',
        'Total Spent': '0.00',
        'Total Orders': 0,
      },
    ]
    const uploaded = await handIn(shopifyCustomers, rows)
    expect(uploaded.looksLike).toEqual({ says: 'This looks like Shopify’s export of customers.', rows: 'people' })
    const done = await imports.through(uploaded.id, 'run')
    expect(done.counts).toMatchObject({ rows: 3, sent: 2, rejected: 1, withProblems: 0, consents: [], orders: 0 })
    await server.collect.drained()
    const [person] = await server.clickhouse.query(
      `SELECT arrayMap(one -> one.type || ' ' || one.value, external_ids) AS who, e.traits.address.postalCode::String AS zip, e.traits.totalSpent::Float64 AS spent, e.traits.totalOrders::Float64 AS orders
       FROM event AS e WHERE e.traits.lastName::String = 'Öberg'`,
    )
    expect(person).toEqual({
      who: ['shopify_customer_id 6001', 'email asa@fjörd.example', 'phone +46701234567'],
      zip: '02826',
      spent: 1240.5,
      orders: 7,
    })
  })

  it('has consent in two columns, which is recorded only to topics that a person chose, each by its channel', async () => {
    const { id, format, columns } = await handIn(shopifyCustomers, [
      {
        'Customer ID': 7001,
        Email: 'both@fjörd.example',
        'Accepts Email Marketing': 'yes',
        'Accepts SMS Marketing': 'no',
        'Total Orders': 1,
      },
      {
        'Customer ID': 7002,
        Email: 'none@fjörd.example',
        'Accepts Email Marketing': 'no',
        'Accepts SMS Marketing': 'yes',
        'Total Orders': 1,
      },
    ])
    const offered = columns.filter(looksLikeConsent)
    expect(offered.map(({ name }) => name)).toEqual(['Accepts Email Marketing', 'Accepts SMS Marketing'])
    expect((await imports.through(id, 'check')).counts).toMatchObject({ sent: 2, consents: [] })
    const means = (topic?: string) =>
      imports.plan(
        caller,
        id,
        format,
        offered.map((column) => ({
          ...column,
          meaning: { ...agreesIn(column), ...(topic === undefined ? {} : { topic }) },
        })),
      )
    await means()
    await expect(imports.run(caller, id)).rejects.toThrow(
      '“Accepts Email Marketing” says whether people agreed, but not to what',
    )
    await means('news')
    expect((await imports.through(id, 'run')).counts).toMatchObject({
      sent: 2,
      consents: [{ topic: 'news', given: 2, withdrawn: 2 }],
    })
    expect(await consentsOf('both@fjörd.example')).toMatchObject([
      { name: 'Consent Given', channel: 'email', topic: 'news' },
      { name: 'Consent Withdrawn', channel: 'sms', topic: 'news' },
    ])
  })

  it.each([
    [
      'export',
      wooCustomers,
      {
        customer_id: 31,
        email: 'woo1@fjörd.example',
        first_name: 'Zoë',
        user_pass: '$P$Bhash',
        date_registered: '2020-02-03 04:05:06',
        billing_email: 'other@fjörd.example',
        billing_postcode: '02826',
        billing_city: 'Köln',
      },
      ['woocommerce_customer_id', 'email', 'phone'],
    ],
    [
      'report',
      wooReport,
      {
        Name: 'Zoë K',
        Username: 'zoe',
        'Last Active': '2024-05-01 10:00:00',
        'Sign Up': '2020-02-03 04:05:06',
        Email: 'woo2@fjörd.example',
        Orders: 3,
        'Total Spend': '99.50',
        AOV: '33.17',
        'Country / Region': 'DE',
        City: 'Köln',
        'Postal Code': '50667',
      },
      ['email'],
    ],
  ])('of WooCommerce is known too: its %s', async (what, header, row, who) => {
    const done = await readIn(header, [row])
    expect(done.looksLike?.says).toBe(`This looks like WooCommerce’s ${what} of customers.`)
    expect(done.counts).toMatchObject({ rows: 1, sent: 1, withProblems: 0 })
    expect(done.columns.flatMap(({ meaning }) => (meaning.kind === 'identifier' ? [meaning.type] : []))).toEqual(who)
    expect(done.columns.find(({ name }) => name === 'user_pass')?.meaning ?? { kind: 'ignore' }).toEqual({
      kind: 'ignore',
    })
  })
})

describe('Shopify’s export of orders', () => {
  it('becomes one event for each order, with the products of all its lines and the money of the first', async () => {
    const uploaded = await handIn(shopifyOrders, [order(101), furtherLine(101)])
    expect(uploaded.looksLike?.says).toMatch('This looks like Shopify’s export of orders.')
    expect(uploaded.format.rows).toBe('shopify-orders')
    expect((await imports.through(uploaded.id, 'check')).counts).toMatchObject({ rows: 2, sent: 2, orders: 1 })
    expect((await imports.through(uploaded.id, 'run')).counts).toMatchObject({
      rows: 2,
      sent: 2,
      orders: 1,
      withProblems: 0,
      consents: [],
    })
    expect(await events('shopify-order-101%')).toEqual([
      {
        id: 'shopify-order-101-completed',
        name: 'Order Completed',
        at: expect.stringContaining('2024-05-01 07:58:12') as string,
        who: [{ type: 'email', value: 'k101@fjörd.example' }],
        p: {
          order_id: '101',
          order_number: '#101',
          revenue: 31.8,
          total: 36.7,
          tax: 5.86,
          discount: 3,
          shipping: 4.9,
          currency: 'EUR',
          coupon: 'MAI',
          financial_status: 'paid',
          fulfillment_status: 'fulfilled',
          affiliation: 'web',
          products: [
            { name: 'Tea - 100 g', sku: 'TEA-100', brand: 'Blatt & Söhne', price: 9.9, quantity: 2 },
            { name: 'Mug', sku: 'MUG', brand: 'Blatt & Söhne', price: 12, quantity: 1 },
          ],
        },
      },
    ])
    expect((await imports.through(uploaded.id, 'run')).counts).toMatchObject({ rows: 2, sent: 0, unchanged: 2 })
  })

  it('finds the lines of an order wherever they stand', async () => {
    const done = await readIn(shopifyOrders, [
      furtherLine(111),
      order(112),
      order(113),
      furtherLine(112),
      order(111),
      furtherLine(113),
      furtherLine(111),
    ])
    expect(done.counts).toMatchObject({ rows: 7, sent: 7, orders: 3 })
    const found = await events('shopify-order-11%')
    expect(found.map(({ id, p }) => [id, (p['products'] as object[]).length, p['total']])).toEqual([
      ['shopify-order-111-completed', 3, 36.7],
      ['shopify-order-112-completed', 2, 36.7],
      ['shopify-order-113-completed', 2, 36.7],
    ])
  })

  it('says of a cancelled, a refunded and an unpaid order what the webhook says', async () => {
    await readIn(shopifyOrders, [
      order(121, { 'Cancelled at': '2024-05-03 10:00:00 +0200' }),
      order(122, { 'Financial Status': 'partially_refunded', 'Refunded Amount': '9.90' }),
      order(123, { 'Financial Status': 'pending' }),
      order(124, {
        'Financial Status': 'voided',
        'Cancelled at': '2024-05-03 10:00:00 +0200',
        'Refunded Amount': '0.00',
      }),
    ])
    expect(
      (await events('shopify-order-12%')).map(({ id, name, at, p }) => [
        id,
        name,
        at.slice(0, 16),
        p['financial_status'],
        p['refunded'],
      ]),
    ).toEqual([
      ['shopify-order-121-cancelled', 'Order Cancelled', '2024-05-03 08:00', 'paid', undefined],
      ['shopify-order-121-completed', 'Order Completed', '2024-05-01 07:58', 'paid', undefined],
      ['shopify-order-122-completed', 'Order Completed', '2024-05-01 07:58', 'partially_refunded', 9.9],
      ['shopify-order-123-placed', 'Order Placed', '2024-05-01 07:58', 'pending', undefined],
      ['shopify-order-124-cancelled', 'Order Cancelled', '2024-05-03 08:00', 'voided', undefined],
      ['shopify-order-124-placed', 'Order Placed', '2024-05-01 07:58', 'voided', undefined],
    ])
  })

  it('says an order that changed since the last export as updated, once for each change', async () => {
    const updates = async () =>
      (await events('shopify-order-131-updated%')).map(({ name, p }) => [name, p['refunded'], p['financial_status']])
    await readIn(shopifyOrders, [order(131)])
    expect(await updates()).toEqual([])
    const refunded = order(131, { 'Financial Status': 'refunded', 'Refunded Amount': '36.70' })
    expect((await readIn(shopifyOrders, [refunded])).counts).toMatchObject({ sent: 1, unchanged: 0 })
    expect((await readIn(shopifyOrders, [refunded])).counts).toMatchObject({ sent: 0, unchanged: 1 })
    expect(await updates()).toEqual([['Order Updated', 36.7, 'refunded']])
    expect(await events('shopify-order-131-completed')).toHaveLength(1)
  })

  it('keeps an order without an address, which is told by its id', async () => {
    expect((await readIn(shopifyOrders, [order(141, { Email: '' }), furtherLine(141)])).counts).toMatchObject({
      rows: 2,
      sent: 2,
      withProblems: 0,
    })
    await server.collect.drained()
    const [one] = await server.clickhouse.query(
      `SELECT anonymous_id AS id, length(external_ids) AS n FROM event WHERE message_id = 'shopify-order-141-completed'`,
    )
    expect(one).toMatchObject({ id: 'shopify-order-141' })
  })

  it('rejects an order of which the first line, the date or an amount is missing or wrong, with all its lines', async () => {
    const done = await readIn(shopifyOrders, [
      furtherLine(151),
      furtherLine(151, tea),
      order(152, { Total: '1.299,00' }),
      order(153, { 'Created at': 'gestern' }),
      order(154, { Name: '' }),
      order(155),
    ])
    expect(done.counts).toMatchObject({
      rows: 6,
      sent: 1,
      rejected: 5,
      orders: 1,
      reasons: [
        { reason: 'the order has no id: the line that carries it is missing', rows: 2 },
        { reason: 'an order with a wrong amount is none: total: “1.299,00” is no amount', rows: 1 },
        { reason: 'the order has no date that can be read', rows: 1 },
        { reason: 'the line names no order', rows: 1 },
      ],
    })
  })

  it('takes its consent only with a topic, and as of the order', async () => {
    const { id, format, columns } = await handIn(shopifyOrders, [
      order(161, { 'Accepts Marketing': 'yes' }),
      furtherLine(161),
      order(162, { 'Accepts Marketing': 'no' }),
    ])
    const [agrees] = columns.filter(looksLikeConsent)
    expect(agrees).toMatchObject({ name: 'Accepts Marketing', meaning: { kind: 'ignore' } })
    if (agrees === undefined) return
    await imports.plan(caller, id, format, [{ ...agrees, meaning: { ...agreesIn(agrees), topic: 'news' } }])
    expect((await imports.through(id, 'run')).counts).toMatchObject({
      rows: 3,
      consents: [{ topic: 'news', given: 1, withdrawn: 1 }],
    })
    expect(await consentsOf('k161@fjörd.example')).toMatchObject([
      { name: 'Consent Given', channel: 'email', at: expect.stringContaining('2024-05-01 07:58') as string },
    ])
  })

  it('can be read as people instead', async () => {
    const { id, format } = await handIn(shopifyOrders, [order(171), furtherLine(171)])
    await imports.plan(caller, id, { ...format, rows: 'people' }, [])
    expect((await imports.through(id, 'run')).counts).toMatchObject({ rows: 2, sent: 1, rejected: 1, orders: 0 })
    expect(await events('shopify-order-171%')).toEqual([])
  })

  it('and the webhook of the same shop store an order once', async () => {
    const webhooks = createWebhooks({
      postgres,
      clock,
      log: silentLog,
      ids: createIds(clock, systemRandom),
      secrets: createSecrets(systemRandom.bytes(32), systemRandom),
      audit: createAudit({ postgres, clock }),
      sources: server.sources,
      collect: server.collect,
      publicUrl: () => 'https://il.example',
    })
    const app = fastify()
    await app.register(webhookEndpoint({ webhooks, log: silentLog }))
    const secret = 'hush-hush-très-secret'
    const hook = await webhooks.create(caller, {
      name: 'Laden',
      sourceId: server.source.id,
      scheme: { kind: 'shopify' },
      secret,
      preset: 'shopify',
    })
    const told = (id: number) => {
      const body = JSON.stringify({
        id,
        name: `#${String(id)}`,
        email: `k${String(id)}@fjörd.example`,
        financial_status: 'paid',
        created_at: '2024-05-01T09:58:12+02:00',
        currency: 'EUR',
        subtotal_price: '31.80',
        total_price: '36.70',
        line_items: [{ product_id: 1, title: 'Tea', price: '9.90', quantity: 2 }],
      })
      const signature = createHmac('sha256', secret).update(body).digest('base64')
      return app.inject({
        method: 'POST',
        url: `/hooks/${hook.id}`,
        headers: {
          'content-type': 'application/json',
          'x-shopify-topic': 'orders/create',
          'x-shopify-webhook-id': `wh-${String(id)}`,
          'x-shopify-hmac-sha256': signature,
        },
        payload: body,
      })
    }
    expect((await told(181)).statusCode).toBe(200)
    await readIn(shopifyOrders, [order(181), furtherLine(181), order(182)])
    expect((await told(182)).statusCode).toBe(200)
    expect((await events('shopify-order-18%')).map(({ id }) => id)).toEqual([
      'shopify-order-181-completed',
      'shopify-order-182-completed',
    ])
    await app.close()
  })
})

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
    const done = await readIn(wooOrders, [
      woo(201),
      woo(202, { status: 'refunded', refunded_total: '36.70' }),
      woo(203, { status: 'cancelled', customer_id: 0, billing_email: '' }),
      woo(204, { status: 'failed' }),
      woo(205, { status: 'on-hold', paid_date: '' }),
    ])
    expect(done.counts).toMatchObject({ rows: 5, sent: 4, rejected: 1, orders: 4, withProblems: 0 })
    const found = await events('woocommerce-order-20%')
    expect(found.map(({ id, p }) => [id, p['status'], p['refunded']])).toEqual([
      ['woocommerce-order-201-completed', 'completed', undefined],
      ['woocommerce-order-202-completed', 'refunded', 36.7],
      ['woocommerce-order-203-cancelled', 'cancelled', undefined],
      ['woocommerce-order-205-placed', 'on-hold', undefined],
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
    const done = await readIn(header, [
      line(211, { item_name: 'Tea', item_sku: 'TEA', item_quantity: 2, item_total: '19.80' }),
      line(211, { item_name: 'Mug', item_sku: 'MUG', item_quantity: 1, item_total: '12.00' }),
    ])
    expect(done.counts).toMatchObject({ rows: 2, sent: 2, orders: 1 })
    expect(
      (await events('woocommerce-order-211%')).map(({ p }) => [p['revenue'], (p['products'] as object[]).length]),
    ).toEqual([[31.8, 2]])
  })

  it('is known apart from the report of orders, from which nobody can be told', async () => {
    const { id, looksLike } = await handIn(
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
    await expect(imports.run(caller, id)).rejects.toThrow('No column is an identifier')
  })
})
