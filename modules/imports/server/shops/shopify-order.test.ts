import fastify from 'fastify'
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock as clock } from '../../../../platform/clock/clock.ts'
import { silentLog } from '../../../../platform/log/log.ts'
import { systemRandom } from '../../../../platform/random/random.ts'
import { createSecrets } from '../../../../platform/secrets/secrets.ts'
import { aDesk, caller, type Desk } from '../../../../test/make/import-desk.ts'
import { furtherLine, order, shopifyOrders, tea } from '../../../../test/make/shop-exports.ts'
import { createWebhooks, webhookEndpoint } from '../../../webhooks/server/index.ts'
import { agreesIn, looksLikeConsent } from '../../contract.ts'

let desk: Desk
beforeAll(async () => {
  desk = await aDesk()
})
afterAll(() => desk.server.close())

describe('Shopify’s export of orders', () => {
  it('becomes one event for each order, with the products of all its lines and the money of the first', async () => {
    const uploaded = await desk.handIn(shopifyOrders, [order(101), furtherLine(101)])
    expect(uploaded.looksLike?.says).toMatch('This looks like Shopify’s export of orders.')
    expect(uploaded.format.rows).toBe('shopify-orders')
    expect((await desk.imports.through(uploaded.id, 'check')).counts).toMatchObject({ rows: 2, sent: 2, orders: 1 })
    expect((await desk.imports.through(uploaded.id, 'run')).counts).toMatchObject({
      rows: 2,
      sent: 2,
      orders: 1,
      withProblems: 0,
      consents: [],
    })
    expect(await desk.events('shopify-order-101%')).toEqual([
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
    expect((await desk.imports.through(uploaded.id, 'run')).counts).toMatchObject({ rows: 2, sent: 0, unchanged: 2 })
  })

  it('finds the lines of an order wherever they stand', async () => {
    const done = await desk.readIn(shopifyOrders, [
      furtherLine(111),
      order(112),
      order(113),
      furtherLine(112),
      order(111),
      furtherLine(113),
      furtherLine(111),
    ])
    expect(done.counts).toMatchObject({ rows: 7, sent: 7, orders: 3 })
    const found = await desk.events('shopify-order-11%')
    expect(found.map(({ id, p }) => [id, (p['products'] as object[]).length, p['total']])).toEqual([
      ['shopify-order-111-completed', 3, 36.7],
      ['shopify-order-112-completed', 2, 36.7],
      ['shopify-order-113-completed', 2, 36.7],
    ])
  })

  it('says of a cancelled, a refunded and an unpaid order what the webhook says', async () => {
    await desk.readIn(shopifyOrders, [
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
      (await desk.events('shopify-order-12%')).map(({ id, name, at, p }) => [
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
      (await desk.events('shopify-order-131-updated%')).map(({ name, p }) => [
        name,
        p['refunded'],
        p['financial_status'],
      ])
    await desk.readIn(shopifyOrders, [order(131)])
    expect(await updates()).toEqual([])
    const refunded = order(131, { 'Financial Status': 'refunded', 'Refunded Amount': '36.70' })
    expect((await desk.readIn(shopifyOrders, [refunded])).counts).toMatchObject({ sent: 1, unchanged: 0 })
    expect((await desk.readIn(shopifyOrders, [refunded])).counts).toMatchObject({ sent: 0, unchanged: 1 })
    expect(await updates()).toEqual([['Order Updated', 36.7, 'refunded']])
    expect(await desk.events('shopify-order-131-completed')).toHaveLength(1)
  })

  it('keeps an order without an address, which is told by its id', async () => {
    expect((await desk.readIn(shopifyOrders, [order(141, { Email: '' }), furtherLine(141)])).counts).toMatchObject({
      rows: 2,
      sent: 2,
      withProblems: 0,
    })
    await desk.server.collect.drained()
    const [one] = await desk.server.clickhouse.query(
      `SELECT anonymous_id AS id, length(external_ids) AS n FROM event WHERE message_id = 'shopify-order-141-completed'`,
    )
    expect(one).toMatchObject({ id: 'shopify-order-141' })
  })

  it('rejects an order of which the first line, the date or an amount is missing or wrong, with all its lines', async () => {
    const done = await desk.readIn(shopifyOrders, [
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
    const { id, format, columns } = await desk.handIn(shopifyOrders, [
      order(161, { 'Accepts Marketing': 'yes' }),
      furtherLine(161),
      order(162, { 'Accepts Marketing': 'no' }),
    ])
    const [agrees] = columns.filter(looksLikeConsent)
    expect(agrees).toMatchObject({ name: 'Accepts Marketing', meaning: { kind: 'ignore' } })
    if (agrees === undefined) return
    await desk.imports.plan(caller, id, format, [{ ...agrees, meaning: { ...agreesIn(agrees), topic: 'news' } }])
    expect((await desk.imports.through(id, 'run')).counts).toMatchObject({
      rows: 3,
      consents: [{ topic: 'news', given: 1, withdrawn: 1 }],
    })
    expect(await desk.consentsOf('k161@fjörd.example')).toMatchObject([
      { name: 'Consent Given', channel: 'email', at: expect.stringContaining('2024-05-01 07:58') as string },
    ])
  })

  it('can be read as people instead', async () => {
    const { id, format } = await desk.handIn(shopifyOrders, [order(171), furtherLine(171)])
    await desk.imports.plan(caller, id, { ...format, rows: 'people' }, [])
    expect((await desk.imports.through(id, 'run')).counts).toMatchObject({ rows: 2, sent: 1, rejected: 1, orders: 0 })
    expect(await desk.events('shopify-order-171%')).toEqual([])
  })

  it('and the webhook of the same shop store an order once', async () => {
    const webhooks = createWebhooks({
      postgres: desk.postgres,
      clock,
      log: silentLog,
      ids: desk.ids,
      secrets: createSecrets(systemRandom.bytes(32), systemRandom),
      audit: desk.audit,
      sources: desk.server.sources,
      collect: desk.server.collect,
      publicUrl: () => 'https://il.example',
    })
    const app = fastify()
    await app.register(webhookEndpoint({ webhooks, log: silentLog }))
    const secret = 'hush-hush-très-secret'
    const hook = await webhooks.create(caller, {
      name: 'Laden',
      sourceId: desk.server.source.id,
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
    await desk.readIn(shopifyOrders, [order(181), furtherLine(181), order(182)])
    expect((await told(182)).statusCode).toBe(200)
    expect((await desk.events('shopify-order-18%')).map(({ id }) => id)).toEqual([
      'shopify-order-181-completed',
      'shopify-order-182-completed',
    ])
    await app.close()
  })
})
