import { beforeAll, describe, expect, it, vi } from 'vitest'
import { giveKeys, type Asked } from '../../../test/make/campaign.ts'
import { aCaller } from '../../../test/make/callers.ts'
import { aCampaignHouse, type CampaignHouse } from '../../../test/make/campaign-house.ts'
import { keyScopes } from '../../accounts/contract.ts'
import type { Report } from '../contract.ts'

let house: CampaignHouse
beforeAll(async () => {
  house = await aCampaignHouse()
})

const figureOf = (report: Report, key: string) => report.figures.find((figure) => figure.key === key)
const ledgerOf = (report: Report) => Object.fromEntries(report.ledger.map((row) => [row.state, row.count]))
async function export_(asked: Asked): Promise<string[]> {
  const lines: string[] = []
  for await (const line of house.app.insights.people(house.staff.author, asked.broadcastId)) lines.push(line.trimEnd())
  return lines
}

/** What people did after their mail, as the events that links, pictures and the shop send. */
async function did(
  asked: Asked,
  deeds: readonly { address: string; name: string; afterMs: number; properties?: object }[],
): Promise<void> {
  const { app, clock } = house
  await app.journeys.told()
  const { messages } = await app.journeys.messages(asked.broadcastId, undefined, undefined)
  const events = deeds.map(({ address, name, afterMs, properties }, at) => {
    const message = messages.find((one) => one.address === address)
    return {
      type: 'track',
      event: name,
      messageId: `${asked.broadcastId} ${String(at)}`,
      timestamp: new Date(Math.min(clock.ms(), Date.parse(message?.at ?? '') + afterMs)).toISOString(),
      context: { externalIds: [{ type: 'profile', id: message?.profileId ?? '' }] },
      properties: { broadcastId: asked.broadcastId, message: message?.id ?? '', ...properties },
    }
  })
  await app.collect.accept(app.sources.internal(), events, 'test')
  await app.collect.drained()
}

describe('the report of a broadcast', () => {
  let asked: Asked
  beforeAll(async () => {
    await house.customers('report', 5, (at) => ({
      agreed: at !== 3,
      ...(at === 1 ? { traits: { firstName: '=HYPERLINK("x")', lastName: 'Åkesson, "Łoś"' } } : {}),
    }))
    asked = await house.ask('report')
    await house.launch(asked)
    await house.becomes(asked, 'done')
    // The shop speaks of what came after the mail; a clock that moved on makes that past.
    house.clock.ahead(60_000)
    const to = (at: number) => `p${String(at)}@report.example`
    await did(asked, [
      { address: to(0), name: 'Message Opened', afterMs: 1_000 },
      { address: to(0), name: 'Message Opened', afterMs: 2_000 },
      { address: to(1), name: 'Message Opened', afterMs: 1_000, properties: { machine: true } },
      { address: to(0), name: 'Message Clicked', afterMs: 3_000, properties: { link: 'https://shop.example/å' } },
      { address: to(1), name: 'Message Clicked', afterMs: 3_000, properties: { link: 'https://shop.example/å' } },
      { address: to(2), name: 'Message Clicked', afterMs: 3_000, properties: { machine: true } },
      { address: to(4), name: 'Message Unsubscribed', afterMs: 5_000 },
      { address: to(0), name: 'Order Completed', afterMs: 9_000, properties: { revenue: 80.5, currency: 'EUR' } },
      { address: to(0), name: 'Order Completed', afterMs: 9_500, properties: { revenue: 1_200, currency: 'SEK' } },
      { address: to(1), name: 'Order Completed', afterMs: 9_000, properties: { revenue: 100, currency: 'SEK' } },
      // Before the mail, before any click, and by somebody who got no mail.
      { address: to(1), name: 'Order Completed', afterMs: -9_000, properties: { revenue: 999, currency: 'EUR' } },
      { address: to(1), name: 'Order Completed', afterMs: 1_000, properties: { revenue: 7 } },
      { address: to(3), name: 'Order Completed', afterMs: 9_000, properties: { revenue: 999, currency: 'EUR' } },
    ])
  })

  it('counts people once, machines apart, and orders after the mail', async () => {
    const report = await house.app.insights.report(asked.broadcastId)
    const value = (key: string) => figureOf(report, key)?.value
    expect({
      audience: value('audience'),
      accepted: value('accepted'),
      opened: value('opened'),
      machine: value('machine'),
      clicked: value('clicked'),
      unsubscribed: value('unsubscribed'),
      ordered: value('ordered'),
      clickedOrders: value('clickedOrders'),
    }).toEqual({
      audience: 5,
      accepted: 4,
      opened: 1,
      machine: 1,
      clicked: 2,
      unsubscribed: 1,
      ordered: 4,
      clickedOrders: 3,
    })
    expect(report).toMatchObject({ audience: 5, unaccounted: 0 })
    expect(ledgerOf(report)).toEqual({ accepted: 4, no_consent: 1 })
    expect(figureOf(report, 'opened')?.of).toEqual({ label: 'of accepted', share: 0.25 })
    expect(report.links).toEqual([{ link: 'https://shop.example/å', clicks: 2, people: 2 }])
  })

  it('never adds kronor to euro', async () => {
    const report = await house.app.insights.report(asked.broadcastId)
    const revenue = report.figures.filter((figure) => figure.unit === 'money')
    expect(revenue.map((figure) => [figure.value, figure.currency])).toEqual([
      [1_300, 'SEK'],
      [87.5, 'EUR'],
    ])
    expect(figureOf(report, 'clickedOrders')?.means).toContain('worth 1,300.00 SEK and 80.50 EUR.')
  })

  it('goes out as one line for each person, and the audit log says who took how many with what', async () => {
    const [head, ...lines] = await export_(asked)
    expect(head).toBe(
      'profile,name,address,state,at,answer,reason,opened,clicked,unsubscribed,orders_7d,revenue_7d_EUR,revenue_7d_SEK',
    )
    expect(lines).toHaveLength(5)
    expect(lines.find((line) => line.includes('p0@report.example'))).toMatch(/,2,80\.50,1200\.00$/)
    expect(lines.find((line) => line.includes('p1@report.example'))).toMatch(
      /,"'=HYPERLINK\(""x""\) Åkesson, ""Łoś""",.*,2,7\.00,100\.00$/,
    )
    const [entry] = await house.app.audit.list({ kind: 'broadcast', id: asked.broadcastId, limit: 1 })
    expect(entry).toMatchObject({
      actor: { kind: 'person', id: house.staff.author.accountId },
      deed: 'report.exported',
      facts: { people: 5, fields: expect.stringContaining('address') as string },
    })
    expect(JSON.stringify(entry)).not.toContain('@report.example')
  })

  it('is read by everybody who reads, and exported by those who work on campaigns alone', async () => {
    const path = `/api/insights/broadcasts/${asked.broadcastId}`
    const ask = async (roles: ('viewer' | 'member')[], of: string) => {
      const { accounts, postgres, http } = house.app
      const caller = await aCaller(accounts, postgres, 'it', roles, house.clock.ms())
      const { key } = await accounts.makeApiKey(
        caller,
        'test',
        keyScopes.filter((scope) => caller.permissions.has(scope)),
        1,
      )
      return (await http.app.inject({ url: of, headers: { authorization: `Bearer ${key}` } })).statusCode
    }
    expect(await ask(['viewer'], path)).toBe(200)
    expect(await ask(['viewer'], `${path}/people.csv`)).toBe(403)
    expect(await ask(['member'], `${path}/people.csv`)).toBe(200)
  })

  it('is not exported, and leaves no entry, before anything was sent', async () => {
    const draft = await house.ask('report-draft')
    await expect(export_(draft)).rejects.toMatchObject({ code: 'not_now' })
  })
})

it('accounts for those whom a second launch no longer has', async () => {
  await house.customers('narrow', 4, (at) => ({ traits: { vip: at < 2 } }))
  house.faults.set('p3@narrow.example', () => ({ at: 'RCPT', code: 450, text: 'later' }))
  const asked = await house.ask('narrow')
  await house.launch(asked)
  await vi.waitFor(
    async () => {
      expect((await house.app.journeys.get(asked.broadcastId)).counts).toEqual({ accepted: 3, planned: 1 })
    },
    { timeout: 20_000, interval: 50 },
  )
  await house.app.segments.change(house.staff.author, asked.segmentId, 'narrow', {
    match: 'all',
    groups: [
      {
        match: 'all',
        of: [
          { kind: 'trait', field: 'cohort', test: { is: 'equal', value: 'narrow' } },
          { kind: 'trait', field: 'vip', test: { is: 'equal', value: true } },
        ],
        not: false,
      },
    ],
  })
  const again = await house.app.requests.open(house.staff.author, 'broadcast', asked.broadcastId, '')
  const ready = await giveKeys(house.app, house.staff, house.clock, again)
  await house.app.requests.launch(house.staff.author, ready.id, ready.releaseHash)
  await house.becomes(asked, 'done')
  const report = await house.app.insights.report(asked.broadcastId)
  expect(ledgerOf(report)).toEqual({ accepted: 3, cancelled: 1 })
  expect(report).toMatchObject({ audience: 4, unaccounted: 0 })
})
