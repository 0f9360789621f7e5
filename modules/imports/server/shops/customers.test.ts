import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aDesk, caller, type Desk } from '../../../../test/make/import-desk.ts'
import { shopifyCustomers, wooCustomers, wooReport, wooSuiteUsers } from '../../../../test/make/shop-exports.ts'
import { agreesIn, looksLikeConsent } from '../../contract.ts'

let desk: Desk
beforeAll(async () => {
  desk = await aDesk()
})
afterAll(() => desk.server.close())

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
    const uploaded = await desk.handIn(shopifyCustomers, rows)
    expect(uploaded.looksLike).toEqual({ says: 'This looks like Shopify’s export of customers.', rows: 'people' })
    const done = await desk.imports.through(uploaded.id, 'run')
    expect(done.counts).toMatchObject({ rows: 3, sent: 2, rejected: 1, withProblems: 0, consents: [], orders: 0 })
    await desk.server.collect.drained()
    const [person] = await desk.server.clickhouse.query(
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

  it('of WooCommerce’s users has people in it, and nothing of what opens their accounts', async () => {
    const uploaded = await desk.handIn(wooSuiteUsers, [
      {
        customer_id: 7,
        user_login: 'zoe',
        user_pass: '$P$Bgeheim',
        user_email: 'zoë@fjörd.example',
        user_registered: '2024-02-29 10:00:00',
        first_name: 'Zoë',
        session_tokens: 'token-geheim',
        billing_city: 'Lund',
      },
    ])
    expect(uploaded.looksLike?.says).toBe('This looks like WooCommerce’s export of users.')
    expect(JSON.stringify(uploaded)).not.toContain('geheim')
    const done = await desk.imports.through(uploaded.id, 'run')
    expect(done.counts).toMatchObject({ rows: 1, sent: 1, withProblems: 0 })
    await desk.server.collect.drained()
    const [person] = await desk.server.clickhouse.query<{ traits: string; who: string[] }>(
      `SELECT toString(e.traits) AS traits, arrayMap(one -> one.type || ' ' || one.value, external_ids) AS who FROM event AS e WHERE e.traits.firstName::String = 'Zoë'`,
    )
    expect(person?.who).toEqual(['woocommerce_customer_id 7', 'email zoë@fjörd.example'])
    expect(person?.traits).not.toMatch(/geheim|zoe"/)
  })

  it('has no password in it, also where nobody knows the table', async () => {
    const uploaded = await desk.handIn('E-Mail,Passwort,password_hash', [
      { 'E-Mail': 'p@fjörd.example', Passwort: 'geheim', password_hash: 'geheim' },
    ])
    expect(uploaded.columns.map(({ meaning }) => meaning.kind)).toEqual(['identifier', 'ignore', 'ignore'])
    expect(JSON.stringify(uploaded)).not.toContain('geheim')
  })

  it('has consent in two columns, which is recorded only to topics that a person chose, each by its channel', async () => {
    const { id, format, columns } = await desk.handIn(shopifyCustomers, [
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
    expect((await desk.imports.through(id, 'check')).counts).toMatchObject({ sent: 2, consents: [] })
    const means = (topic?: string) =>
      desk.imports.plan(
        caller,
        id,
        format,
        offered.map((column) => ({
          ...column,
          meaning: { ...agreesIn(column), ...(topic === undefined ? {} : { topic }) },
        })),
      )
    await means()
    await expect(desk.imports.run(caller, id)).rejects.toThrow(
      '“Accepts Email Marketing” says whether people agreed, but not to what',
    )
    await means('news')
    expect((await desk.imports.through(id, 'run')).counts).toMatchObject({
      sent: 2,
      consents: [{ topic: 'news', given: 2, withdrawn: 2 }],
    })
    expect(await desk.consentsOf('both@fjörd.example')).toMatchObject([
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
    const done = await desk.readIn(header, [row])
    expect(done.looksLike?.says).toBe(`This looks like WooCommerce’s ${what} of customers.`)
    expect(done.counts).toMatchObject({ rows: 1, sent: 1, withProblems: 0 })
    expect(done.columns.flatMap(({ meaning }) => (meaning.kind === 'identifier' ? [meaning.type] : []))).toEqual(who)
    expect(done.columns.find(({ name }) => name === 'user_pass')?.meaning ?? { kind: 'ignore' }).toEqual({
      kind: 'ignore',
    })
  })
})
