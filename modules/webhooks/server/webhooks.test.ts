import fastify, { type FastifyInstance } from 'fastify'
import { createHmac } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Mapping } from '../../../lib/mapping/mapping.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { createIds, systemRandom } from '../../../platform/random/random.ts'
import { createSecrets } from '../../../platform/secrets/secrets.ts'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'
import { shopifyCustomer, shopifyOrder, shopifyRefund, wooOrder } from '../../../test/make/shop-bodies.ts'
import { createAudit } from '../../audit/server/index.ts'
import type { Hook, PresetName, Scheme } from '../contract.ts'
import { createWebhooks, webhookEndpoint, type Webhooks } from './index.ts'
import { hookStore } from './store.ts'

let offset = 0
const clock = { ...systemClock, ms: () => systemClock.ms() + offset, now: () => new Date(systemClock.ms() + offset) }
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
const secret = 'hush-hush-très-secret'
let server: CollectServer
let webhooks: Webhooks
let app: FastifyInstance
let journalBusy = false
let databaseAway = false
/** What is done every few seconds. */
const ticks: (() => Promise<void> | void)[] = []
let count = 0

/** The database can be away. */
async function reached(): Promise<void> {
  if (databaseAway) throw new Error('ECONNREFUSED')
  await Promise.resolve()
}

beforeAll(async () => {
  server = await aCollectServer()
  webhooks = createWebhooks({
    postgres: {
      ...server.postgres,
      async query(...of) {
        await reached()
        return server.postgres.query(...of)
      },
      async transaction(...of) {
        await reached()
        return server.postgres.transaction(...of)
      },
    },
    clock: {
      ...clock,
      every(_ms, work) {
        ticks.push(work)
        return () => {
          ticks.length = 0
        }
      },
    },
    log: silentLog,
    ids: createIds(clock, systemRandom),
    secrets: createSecrets(systemRandom.bytes(32), systemRandom),
    audit: createAudit({ postgres: server.postgres, clock }),
    sources: server.sources,
    collect: {
      take: (...of) =>
        journalBusy
          ? Promise.reject(new Refusal('busy', undefined, { retryAfterSeconds: 2 }))
          : server.collect.take(...of),
    },
    publicUrl: () => 'https://il.example',
  })
  await webhooks.start()
  app = fastify()
  await app.register(webhookEndpoint({ webhooks, log: silentLog }))
  afterAll(async () => {
    webhooks.stop()
    await app.close()
    await server.close()
  })
})
beforeEach(() => {
  offset = 0
  journalBusy = false
  databaseAway = false
})

const aHook = (scheme: Scheme, preset: PresetName = 'plain', given = secret): Promise<Hook> =>
  webhooks.create(caller, {
    name: `Läden ${String((count += 1))}`,
    sourceId: server.source.id,
    scheme,
    ...(scheme.kind === 'none' ? {} : { secret: given }),
    preset,
  })
const base64 = (body: string, key = secret) => createHmac('sha256', key).update(body).digest('base64')
const post = (hook: Pick<Hook, 'id'>, body: string, headers: Record<string, string>) =>
  app.inject({
    method: 'POST',
    url: `/hooks/${hook.id}`,
    headers: { 'content-type': 'application/json', ...headers },
    payload: body,
  })
const fromShopify = (hook: Hook, topic: string, of: unknown, id = `wh-${String((count += 1))}`, key = secret) => {
  const body = JSON.stringify(of)
  return post(hook, body, {
    'x-shopify-topic': topic,
    'x-shopify-webhook-id': id,
    'x-shopify-hmac-sha256': base64(body, key),
  })
}
const fromWoo = (hook: Hook, topic: string, of: unknown) => {
  const body = JSON.stringify(of)
  return post(hook, body, {
    'x-wc-webhook-topic': topic,
    'x-wc-webhook-delivery-id': `wc-${String((count += 1))}`,
    'x-wc-webhook-signature': base64(body),
  })
}
/** received = taken + unchanged + aside + rejected, as the hook counts them. */
async function counts(hook: Pick<Hook, 'id'>) {
  const { counts: of } = await webhooks.get(hook.id)
  expect(of.received).toBe(of.taken + of.unchanged + of.aside + of.rejected)
  return [of.taken, of.unchanged, of.aside, of.rejected]
}
async function events(id: string) {
  await server.collect.drained()
  return server.clickhouse.query<{ name: string; type: string; at: string; p: Record<string, unknown> }>(
    `SELECT name, toString(type) AS type, toString(time) AS at, properties AS p FROM event WHERE message_id LIKE {id:String} ORDER BY message_id SETTINGS output_format_json_quote_64bit_integers = 0`,
    { id },
  )
}
const aCall = (event: string, of: Record<string, unknown> = {}) =>
  JSON.stringify({ type: 'track', event, userId: 'åke', ...of })

describe('a signed delivery', () => {
  it('is on disk before it is acknowledged, by Standard Webhooks as its own library signs', async () => {
    const whsec = `whsec_${Buffer.from('24 bytes of a secret key').toString('base64')}`
    const hook = await aHook({ kind: 'standard' }, 'plain', whsec)
    const body = aCall('Möte bokat', { messageId: 'std-1' })
    const at = new Date()
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': `v1,AAAA ${new Webhook(whsec).sign('msg_1', at, body)}`,
    }
    const before = server.journal.head
    const reply = await post(hook, body, headers)
    expect([reply.statusCode, server.journal.head - before]).toEqual([200, 1n])
    expect((await post(hook, body.replace('åke', 'eve'), headers)).statusCode).toBe(401)
    // A captured delivery, sent again while it is fresh, is the same one; later it is none.
    expect((await post(hook, body, headers)).json()).toMatchObject({ outcome: 'unchanged', reason: 'same_again' })
    offset = 301_000
    expect((await post(hook, body, headers)).statusCode).toBe(401)
    expect(await counts(hook)).toEqual([1, 1, 2, 0])
    expect((await events('std-1')).map((one) => one.name)).toEqual(['Möte bokat'])
  })

  it('is known by Stripe’s t and v1, by a prefix and hex in a header, and by nothing else', async () => {
    const stripe = await aHook({ kind: 'stripe' })
    const body = aCall('Paid')
    const t = String(Math.floor(systemClock.ms() / 1000))
    const v1 = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')
    expect((await post(stripe, body, { 'stripe-signature': `t=${t},v1=00,v1=${v1},v0=zz` })).statusCode).toBe(200)
    expect((await post(stripe, body, { 'stripe-signature': `t=${String(Number(t) - 400)},v1=${v1}` })).statusCode).toBe(
      401,
    )
    expect((await post(stripe, body, {})).statusCode).toBe(401)
    const github = await aHook({
      kind: 'hmac',
      header: 'x-hub-signature-256',
      encoding: 'hex',
      prefix: 'sha256=',
      idHeader: 'x-github-delivery',
    })
    const hex = createHmac('sha256', secret).update(body).digest('hex')
    const sign = (signature: string) =>
      post(github, body, { 'x-hub-signature-256': signature, 'x-github-delivery': signature })
    expect((await sign(`sha256=${hex}`)).statusCode).toBe(200)
    for (const bad of [hex, `sha1=${hex}`, 'sha256=', `sha256=${hex.slice(2)}`, `sha256=${'0'.repeat(64)}`])
      expect((await sign(bad)).statusCode, bad).toBe(401)
  })

  it('wants a secret, unless somebody says that anybody may send', async () => {
    await expect(
      webhooks.create(caller, {
        name: 'bare',
        sourceId: server.source.id,
        scheme: { kind: 'shopify' },
        preset: 'plain',
      }),
    ).rejects.toThrow(/secret/)
    const open = await aHook({ kind: 'none', anybodyMaySend: true })
    expect((await post(open, aCall('Open'), {})).statusCode).toBe(200)
    expect(JSON.stringify(await webhooks.list())).not.toContain(secret)
    const rows = await server.postgres.query<{ secrets: unknown }>('SELECT secrets FROM webhooks.hook')
    expect(JSON.stringify(rows)).not.toContain(secret)
  })

  it('passes with the secret of before while the sender changes over, and not after that one was dropped', async () => {
    const hook = await aHook({ kind: 'shopify' }, 'shopify')
    await webhooks.giveSecret(caller, hook.id, 'the newer secret')
    const order = (id: string) => shopifyOrder({ id })
    expect((await fromShopify(hook, 'orders/paid', order('1'), 'r1')).statusCode).toBe(200)
    expect((await fromShopify(hook, 'orders/paid', order('2'), 'r2', 'the newer secret')).statusCode).toBe(200)
    await webhooks.dropSecret(caller, hook.id)
    expect((await fromShopify(hook, 'orders/paid', order('3'), 'r3')).statusCode).toBe(401)
    expect((await webhooks.get(hook.id)).secrets).toHaveLength(1)
  })
})

describe('what cannot go in', () => {
  it('is put aside when its signature is wrong, and goes in once the right secret is known, as of when it came', async () => {
    const hook = await aHook({ kind: 'shopify' }, 'shopify', 'a mistyped secret')
    expect((await fromShopify(hook, 'orders/paid', shopifyOrder({ id: '44' }))).statusCode).toBe(401)
    expect(await webhooks.replay(caller, hook.id)).toEqual({ looked: 1, taken: 0 })
    await webhooks.giveSecret(caller, hook.id, secret)
    expect(await webhooks.replay(caller, hook.id)).toEqual({ looked: 1, taken: 1 })
    expect(await counts(hook)).toEqual([1, 0, 0, 0])
    expect((await events('shopify-order-44-completed'))[0]?.at).toBe('2026-11-20 08:30:05.000')
  })

  it('is kept when no rule speaks of it or it is no JSON, answered with success, and replayed under a better mapping', async () => {
    const hook = await aHook({ kind: 'shopify' }, 'shopify')
    expect((await fromShopify(hook, 'fulfillments/create', { id: 9, email: 'a@b.example' })).json()).toMatchObject({
      outcome: 'aside',
      reason: 'unmapped',
    })
    const broken = '{"id": 1'
    const reply = await post(hook, broken, {
      'x-shopify-topic': 'orders/paid',
      'x-shopify-hmac-sha256': base64(broken),
    })
    expect([reply.statusCode, reply.json<{ reason: string }>().reason]).toEqual([200, 'unreadable'])
    expect(await counts(hook)).toEqual([0, 0, 2, 0])
    const mapping: Mapping = {
      ...hook.mapping,
      rules: [
        ...hook.mapping.rules,
        {
          topics: ['fulfillments/create'],
          type: 'track',
          when: [],
          id: { join: [{ value: 'sent-' }, { path: 'id' }] },
          identifiers: { email: { path: 'email' } },
          fields: { event: { value: 'Order Sent' } },
        },
      ],
    }
    const tried = await webhooks.preview(hook.id, mapping)
    expect(tried.map((one) => [one.topic, one.calls.length, one.problem])).toEqual([
      ['', 0, 'The body is not JSON.'],
      ['fulfillments/create', 1, null],
    ])
    expect(await counts(hook)).toEqual([0, 0, 2, 0])
    await webhooks.map(caller, hook.id, mapping)
    expect(await webhooks.replay(caller, hook.id)).toEqual({ looked: 2, taken: 1 })
    expect(await counts(hook)).toEqual([1, 0, 1, 0])
    expect((await events('sent-9')).map((one) => one.name)).toEqual(['Order Sent'])
    expect((await webhooks.versions(hook.id)).map((one) => [one.version, one.by])).toEqual([
      [2, 'Ивайло'],
      [1, 'Ивайло'],
    ])
  })

  it('is told to come again by who sends again, and kept for who never does, while the journal takes nothing', async () => {
    const shop = await aHook({ kind: 'shopify' }, 'shopify')
    const woo = await aHook({ kind: 'woocommerce' }, 'woocommerce')
    journalBusy = true
    const refused = await fromShopify(shop, 'orders/paid', shopifyOrder({ id: '77' }))
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '2'])
    expect((await fromWoo(woo, 'order.created', wooOrder({ id: 77 }))).json()).toMatchObject({ reason: 'waiting' })
    journalBusy = false
    await webhooks.replay(caller, woo.id)
    expect(await counts(woo)).toEqual([1, 0, 0, 0])
    expect((await events('woocommerce-order-77-completed')).length).toBe(1)
  })

  it('is nothing that was mapped, also while the database is away: it is in the journal, and counted afterwards', async () => {
    const hook = await aHook({ kind: 'woocommerce' }, 'woocommerce')
    databaseAway = true
    const taken = await fromWoo(hook, 'order.created', wooOrder({ id: 88 }))
    const unmapped = await fromWoo(hook, 'order.deleted', { id: 88 })
    databaseAway = false
    expect([taken.statusCode, unmapped.statusCode]).toEqual([200, 503])
    expect(await counts(hook)).toEqual([0, 0, 0, 0])
    for (const work of ticks) await work()
    expect(await counts(hook)).toEqual([1, 0, 0, 1])
    expect((await events('woocommerce-order-88-completed')).length).toBe(1)
  })

  it('waits no longer than the journal does', async () => {
    const hook = await aHook({ kind: 'woocommerce' }, 'woocommerce')
    journalBusy = true
    await fromWoo(hook, 'order.created', wooOrder({ id: 89 }))
    journalBusy = false
    for (const work of ticks) await work()
    expect(await counts(hook)).toEqual([1, 0, 0, 0])
  })

  it('is counted when its source is off or it is too large; an address of nobody takes no body at all', async () => {
    const hook = await aHook({ kind: 'shopify' }, 'shopify')
    expect((await post(hook, 'x'.repeat(8 * 1024 * 1024 + 1), {})).statusCode).toBe(413)
    await server.sources.change(caller, server.source.id, { enabled: false })
    expect((await fromShopify(hook, 'orders/paid', shopifyOrder())).statusCode).toBe(403)
    await server.sources.change(caller, server.source.id, { enabled: true })
    expect(await counts(hook)).toEqual([0, 0, 0, 2])
    expect((await post({ id: 'hook_nobody' as Hook['id'] }, '{}', {})).statusCode).toBe(404)
  })

  it('of anybody fills the shelf to its bound and no further, and says so', async () => {
    const hook = await aHook({ kind: 'shopify' }, 'shopify')
    for (let at = 0; at < 502; at++) await post(hook, `{"n":${String(at)}}`, {})
    expect(await counts(hook)).toEqual([0, 0, 500, 2])
  })
})

describe('a shop', () => {
  it('says of a Shopify order what Segment calls it, once, whichever webhook comes first and however often', async () => {
    const hook = await aHook({ kind: 'shopify' }, 'shopify')
    const order = shopifyOrder()
    await fromShopify(hook, 'orders/create', order, 'one')
    await fromShopify(hook, 'orders/create', order, 'one')
    await fromShopify(hook, 'orders/paid', order, 'two')
    await fromShopify(hook, 'refunds/create', shopifyRefund)
    await fromShopify(hook, 'orders/updated', shopifyOrder({ test: true }))
    expect(await counts(hook)).toEqual([3, 2, 0, 0])
    const [completed, ...others] = await events(`shopify-order-${order.id}-completed`)
    expect(others).toEqual([])
    expect(completed).toMatchObject({ name: 'Order Completed', at: '2026-11-20 08:30:05.000' })
    expect(completed?.p).toMatchObject({
      order_id: order.id,
      revenue: 398,
      total: 409.94,
      discount: 10.1,
      currency: 'EUR',
      coupon: 'HÖST10',
      products: [{ sku: 'IPOD-342-N', price: 199, quantity: 2, product_id: '788032119674292' }],
    })
    const [refund] = await events('shopify-refund-%')
    // 0.10 + 0.20, and not the transaction that failed.
    expect([refund?.name, refund?.p['total']]).toEqual(['Order Refunded', 0.3])
  })

  it('that sends the same twice at the same moment said it once', async () => {
    const hook = await aHook({ kind: 'shopify' }, 'shopify')
    const order = shopifyOrder({ id: '606' })
    const replies = await Promise.all(
      Array.from({ length: 5 }, () => fromShopify(hook, 'orders/paid', order, 'same moment')),
    )
    expect(replies.map((reply) => reply.statusCode)).toEqual([200, 200, 200, 200, 200])
    expect(await counts(hook)).toEqual([1, 4, 0, 0])
    expect((await events('shopify-order-606-completed')).length).toBe(1)
  })

  it('says who a Shopify customer is, and what they agreed to with the time at which they did', async () => {
    const hook = await aHook({ kind: 'shopify' }, 'shopify')
    await fromShopify(hook, 'customers/update', shopifyCustomer)
    await fromShopify(hook, 'customers_email_marketing_consent/update', {
      customer_id: shopifyCustomer.id,
      email_address: shopifyCustomer.email,
      email_marketing_consent: {
        state: 'unsubscribed',
        opt_in_level: null,
        consent_updated_at: '2026-11-21T12:00:00Z',
      },
    })
    expect((await events('shopify-c%')).map((one) => [one.type, one.name, one.at])).toEqual([
      ['track', 'Consent Given', '2026-11-19 11:00:00.000'],
      ['track', 'Consent Withdrawn', '2026-11-21 12:00:00.000'],
      ['identify', '', '2026-11-20 08:40:00.000'],
    ])
  })

  it('says of a WooCommerce order when it is paid, of a guest by the address of the bill, and answers the ping', async () => {
    const hook = await aHook({ kind: 'woocommerce' }, 'woocommerce')
    const ping = await app.inject({
      method: 'POST',
      url: `/hooks/${hook.id}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'webhook_id=12',
    })
    expect([ping.statusCode, ping.json<{ reason: string }>().reason]).toEqual([200, 'ping'])
    await fromWoo(hook, 'order.created', wooOrder({ status: 'on-hold' }))
    await fromWoo(hook, 'order.updated', wooOrder())
    await fromWoo(hook, 'order.updated', wooOrder({ refunds: [{ id: 8, reason: 'trasig', total: '-10.00' }] }))
    await fromWoo(hook, 'coupon.created', { id: 1, code: 'x' })
    expect(await counts(hook)).toEqual([3, 2, 0, 0])
    const rows = await events('woocommerce-%-%')
    const of = (name: string) => rows.filter((one) => one.name === name && String(one.p['order_id']) === '727')
    expect([of('Order Placed').length, of('Order Completed').length, of('Order Refunded').length]).toEqual([1, 1, 1])
    expect(of('Order Completed')[0]).toMatchObject({ at: '2026-11-20 19:28:08.000' })
    // 6.10 + 12.20: the lines, without shipping and tax.
    expect(of('Order Completed')[0]?.p).toMatchObject({ revenue: 18.3, total: 37.35, currency: 'SEK' })
    expect(of('Order Refunded')[0]?.p['total']).toBe(10)
    const people = await server.clickhouse.query<{ ids: { type: string; value: string }[] }>(
      `SELECT external_ids AS ids FROM event WHERE message_id = 'woocommerce-order-727-completed'`,
    )
    expect(JSON.stringify(people)).toContain('asa@example.com')
    expect(JSON.stringify(people)).not.toContain('woocommerce_customer_id')
  })

  it('that is silent for longer than was promised is missed', async () => {
    const hook = await aHook({ kind: 'shopify' }, 'shopify')
    await webhooks.change(caller, hook.id, { promiseHours: 2 })
    expect((await webhooks.get(hook.id)).freshness.missed).toBe(false)
    offset = 2 * 3_600_000 + 60_000
    expect((await webhooks.get(hook.id)).freshness.missed).toBe(true)
    await fromShopify(hook, 'orders/paid', shopifyOrder({ id: '99' }))
    expect((await webhooks.get(hook.id)).freshness.missed).toBe(false)
  })

  it('is remembered by its last delivery, however long ago, while older notes and bodies are forgotten', async () => {
    const hook = await aHook({ kind: 'shopify' }, 'shopify')
    await webhooks.change(caller, hook.id, { promiseHours: 24 * 60 })
    for (const id of ['501', '502']) await fromShopify(hook, 'orders/paid', shopifyOrder({ id }))
    await fromShopify(hook, 'unheard/of', {})
    const last = (await webhooks.get(hook.id)).freshness.freshAt
    offset = 31 * 86_400_000
    await hookStore(server.postgres).forget(clock.ms())
    expect((await webhooks.deliveries(hook.id)).map((one) => one.state)).toEqual(['taken'])
    expect((await webhooks.get(hook.id)).freshness).toEqual({ freshAt: last, promiseHours: 1440, missed: false })
    expect(await counts(hook)).toEqual([2, 0, 1, 0])
  })

  it('gives a mapping back in the order in which it was written', async () => {
    const hook = await aHook({ kind: 'shopify' }, 'shopify')
    const written: Mapping = {
      rules: [{ type: 'nothing', when: [], topics: [], identifiers: {}, fields: {} }],
      topic: { path: 'a' },
    }
    const kept = await webhooks.map(caller, hook.id, written)
    expect(JSON.stringify(kept.mapping)).toBe(JSON.stringify(written))
  })
})
