import { createHmac } from 'node:crypto'
import { expect, it } from 'vitest'
import { aCampaignHouse } from '../../../test/make/campaign-house.ts'
import { shopifyCustomer, shopifyOrder, shopifyRefund } from '../../../test/make/shop-bodies.ts'

it('a refund, which names nobody, comes to the person who ordered; what they agreed to counts from when they did', async () => {
  const { app, staff } = await aCampaignHouse()
  const source = await app.sources.create(staff.author, { name: 'Butiken', kind: 'server' })
  const hook = await app.webhooks.create(staff.author, {
    name: 'Butikens ordrar',
    sourceId: source.id,
    scheme: { kind: 'shopify' },
    secret: 'hush-hush',
    preset: 'shopify',
  })
  const send = async (topic: string, of: unknown) => {
    const payload = JSON.stringify(of)
    const reply = await app.http.app.inject({
      method: 'POST',
      url: `/hooks/${hook.id}`,
      headers: {
        'content-type': 'application/json',
        'x-shopify-topic': topic,
        'x-shopify-webhook-id': topic,
        'x-shopify-hmac-sha256': createHmac('sha256', 'hush-hush').update(payload).digest('base64'),
      },
      payload,
    })
    expect(reply.json()).toMatchObject({ outcome: 'taken', quarantined: 0 })
  }
  await send('refunds/create', shopifyRefund)
  await send('orders/create', shopifyOrder())
  await send('customers/update', shopifyCustomer)
  await app.collect.drained()
  const seen = app.collect.inspector.recent({ sourceId: source.id, limit: 10 })
  expect(seen.map((one) => one.outcome)).toEqual(['stored', 'stored', 'stored', 'stored'])
  const people = new Set(
    await Promise.all(seen.map(async (one) => (await app.identity.canonical(one.profileId)) ?? one.profileId)),
  )
  expect(people.size).toBe(1)
  const [person] = people
  const traits = (await app.profiles.traitsOf([person ?? ''])).get(person ?? '')
  expect(traits).toMatchObject({ email: 'søren.ø@example.com' })
  const { records } = await app.consent.standing(app.consent.addressKey('søren.ø@example.com')).then((standing) => ({
    records: JSON.stringify(standing),
  }))
  expect(records).toContain('2026-11-19T11:00:00.000Z')
})
