import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { aCampaignHouse, type CampaignHouse } from '../../../test/make/campaign-house.ts'
import { aCaller } from '../../../test/make/callers.ts'
import { aLetter } from '../../../test/make/campaign.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { keyScopes } from '../../accounts/contract.ts'
import type { CapacityPage } from '../contract.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

let house: CampaignHouse
let admin: Caller
beforeAll(async () => {
  house = await aCampaignHouse()
  admin = await aCaller(house.app.accounts, house.app.postgres, 'it', ['administrator'], house.clock.ms())
})

/** What was measured, as if long ago and little, so that a campaign of the test can be too much for it. */
async function measured(perSecond: number, more: { cores?: number } = {}): Promise<void> {
  const [last] = await house.app.postgres.query<{ cores: number; model: string }>(
    'SELECT cores, model FROM capacity.measurement ORDER BY measured_at LIMIT 1',
  )
  await house.app.postgres.query(
    `INSERT INTO capacity.measurement VALUES ($1, $2, $3, $4, $5, $6, 1, 1, 1, 1)
     ON CONFLICT (id) DO UPDATE SET measured_at = excluded.measured_at, cores = excluded.cores, per_second = excluded.per_second`,
    [
      'measurement_test',
      new Date(house.clock.ms()),
      admin.accountId,
      more.cores ?? last?.cores ?? 1,
      last?.model ?? '',
      perSecond,
    ],
  )
}
/** Plans are kept for ten seconds, the verdict of what needs you for a minute. */
const pageLater = (): Promise<CapacityPage> => {
  house.clock.ahead(11_000)
  return house.app.capacity.page()
}
async function planned(cohort: string, atMs: number | undefined) {
  const asked = await house.ask(cohort, { body: aLetter })
  await house.app.postgres.query('UPDATE journeys.broadcast SET send_at = $2 WHERE id = $1', [
    asked.broadcastId,
    atMs === undefined ? null : new Date(atMs),
  ])
  return asked
}

describe('what this machine takes', () => {
  it('is unknown before anybody measured it, and nobody is warned', async () => {
    const page = await house.app.capacity.page()
    expect(page).toMatchObject({ measured: null, measuring: null, failed: null, warning: null })
    expect(page.sentence).toContain('was never measured')
    expect(await house.app.capacity.warning()).toBeUndefined()
  })

  it(
    'is measured once at a time, on a scratch journal that is gone afterwards, and no event of it is among ours',
    { timeout: 60_000 },
    async () => {
      const before = await house.app.collect.ledger()
      const begun = await house.app.capacity.measure(admin)
      expect(begun.measuring).toMatchObject({ by: admin.name })
      await expect(house.app.capacity.measure(admin)).rejects.toMatchObject({ code: 'not_now' })
      await house.app.capacity.settled()
      const page = await house.app.capacity.page()
      expect(page).toMatchObject({ measuring: null, failed: null, measured: { by: admin.name, stale: null } })
      expect(page.measured?.perSecond).toBeGreaterThan(1)
      expect(page.measured?.flushesPerSecond).toBeGreaterThan(1)
      expect(page.measured?.cores).toBeGreaterThan(0)
      expect((await house.app.collect.ledger()).total).toEqual(before.total)
      expect(existsSync(join(house.directory, 'capacity'))).toBe(false)
      const [entry] = await house.app.audit.list({ kind: 'measurement', limit: 1 })
      expect(entry).toMatchObject({ deed: 'capacity.measured', actor: { id: admin.accountId } })
    },
  )

  it(
    'keeps its last result when a measurement is cancelled, and leaves nothing behind',
    { timeout: 60_000 },
    async () => {
      const { measured: last } = await house.app.capacity.page()
      await house.app.capacity.measure(admin)
      // The door is open and the load is on it.
      await vi.waitFor(
        async () => {
          expect((await house.app.capacity.page()).measuring?.share).toBeGreaterThanOrEqual(0.15)
        },
        { timeout: 30_000, interval: 50 },
      )
      const page = await house.app.capacity.cancel()
      expect(page).toMatchObject({ measuring: null, failed: 'The measurement was cancelled.', measured: last })
      expect(existsSync(join(house.directory, 'capacity'))).toBe(false)
    },
  )

  it('is to be measured again after thirty days, and when the cores are others', async () => {
    await measured(5_000, { cores: 999 })
    expect((await pageLater()).measured?.stale).toMatch(
      /^It was measured on 999 cores, and this machine has \d+ now\.$/,
    )
    await measured(5_000)
    expect((await pageLater()).measured?.stale).toBeNull()
    house.clock.ahead(31 * dayMs)
    expect((await pageLater()).measured?.stale).toBe('It was measured 31 days ago; disks and neighbours change.')
  })

  it('is measured by administrators, and looked at by everybody who reads', async () => {
    const { accounts, postgres, http } = house.app
    const ask = async (
      roles: ('viewer' | 'member')[],
      method: 'GET' | 'POST' | 'PUT',
      path: string,
      payload?: object,
    ) => {
      const caller = await aCaller(accounts, postgres, 'it', roles, house.clock.ms())
      const scopes = keyScopes.filter((scope) => caller.permissions.has(scope))
      const { key } = await accounts.makeApiKey(caller, 'test', scopes, 1)
      const headers = { authorization: `Bearer ${key}` }
      return (await http.app.inject({ method, url: path, headers, ...(payload === undefined ? {} : { payload }) }))
        .statusCode
    }
    const said = { opened: 0.4, clicked: 0.04, pagesPerClick: 6 }
    expect(await ask(['viewer'], 'GET', '/api/capacity')).toBe(200)
    expect(await ask(['member'], 'POST', '/api/capacity/measurement')).toBe(403)
    expect(await ask(['viewer'], 'PUT', '/api/capacity/assumptions', said)).toBe(403)
    expect(await ask(['member'], 'PUT', '/api/capacity/assumptions', { ...said, opened: -1 })).toBe(400)
  })
})

describe('what comes now', () => {
  it('is the rate of the last minute and the busiest hour of the ledger', async () => {
    house.clock.ahead(2 * hourMs)
    await house.customers('now', 30)
    const page = await pageLater()
    // Thirty who say who they are, and thirty consents.
    expect(page.now.perSecond).toBeCloseTo(1, 1)
    expect(page.now.peak?.events).toBeGreaterThanOrEqual(60)
    expect(page.now.storing).toBeNull()
  })
})

describe('what planned campaigns will bring', () => {
  it('is their audience by what is assumed, while no campaign tells; what has no time is listed and not in the sum', async () => {
    await house.customers('plan', 240)
    const at = Math.ceil(house.clock.ms() / hourMs) * hourMs + 30 * hourMs
    const [timed, untimed] = [await planned('plan', at), await planned('now', undefined)]
    await house.app.capacity.assume(house.staff.author, { opened: 1, clicked: 0.5, pagesPerClick: 2 })
    const page = await pageLater()
    const of = (id: string) => page.campaigns.find((one) => one.id === id)
    expect(of(timed.broadcastId)).toMatchObject({
      people: 240,
      sent: 1,
      opened: 1,
      clicked: 0.5,
      pages: 1,
      counted: true,
      says: 'assumed, as stated below',
    })
    // All sent within ten minutes, and 16% of 2.5 answers each.
    expect(of(timed.broadcastId)?.perSecond).toBeCloseTo((240 * (1 + 2.5 * 0.16)) / 600, 9)
    expect(of(untimed.broadcastId)).toMatchObject({ counted: false, at: null, because: 'it has no time yet' })
    const hour = page.hours.find((one) => one.hour === new Date(at).toISOString())
    expect(hour).toMatchObject({ from: ['To plan'] })
    expect(hour?.campaigns).toBeCloseTo(0.56, 9)
    expect(page.mailsPerSecond).toBeNull()
    const [entry] = await house.app.audit.list({ kind: 'capacity', limit: 1 })
    expect(entry).toMatchObject({ deed: 'capacity.assumed', facts: { opened: 1, clicked: 0.5, pagesPerClick: 2 } })
  })

  it('warns, on the page and in what needs you, of the campaign that is too much, with what would pass', async () => {
    await measured(0.5)
    const page = await pageLater()
    expect(page.warning?.sentence).toMatch(
      /^“To plan” makes it up to 0\.\d events a second on \d{4}-\d\d-\d\d at \d\d:00 UTC: \d+% more than the 0\.5 that this machine takes\./,
    )
    expect(page.warning?.passes.join(' ')).toMatch(/Send it to \d+ of its 240 people at that time/)
    expect(page.warning?.passes.at(-1)).toContain('add a node')
    house.clock.ahead(61_000)
    const { needsYou } = await house.app.cockpit.home(house.staff.author)
    expect(needsYou.find((task) => task.key === 'capacity')).toMatchObject({ sentence: page.warning?.sentence })
    await measured(5_000)
    expect((await pageLater()).warning).toBeNull()
    house.clock.ahead(61_000)
    expect((await house.app.cockpit.home(house.staff.author)).needsYou.map((task) => task.key)).not.toContain(
      'capacity',
    )
  })

  it('is in the metrics, beside what was measured', async () => {
    const { body } = await house.app.http.app.inject({ url: '/metrics' })
    expect(body).toContain('interlock_capacity_measured_events_per_second 5000')
    expect(Number(/^interlock_capacity_planned_peak_events_per_second (\S+)$/m.exec(body)?.[1])).toBeGreaterThan(0.5)
  })

  it(
    'goes by what earlier campaigns brought, once one of a hundred people is a day old',
    { timeout: 60_000 },
    async () => {
      const { app, clock } = house
      await house.customers('first', 120)
      const first = await house.ask('first')
      await house.launch(first)
      const done = await house.becomes(first, 'done')
      await app.journeys.told()
      const sent = (await app.journeys.messages(first.broadcastId, undefined, undefined)).messages
      clock.ahead(3 * hourMs)
      const event = (name: string, message: (typeof sent)[number], at: number, afterMs: number) => ({
        type: 'track',
        event: name,
        messageId: `${name} ${message.id} ${String(at)}`,
        timestamp: new Date(Date.parse(message.at) + afterMs).toISOString(),
        context: { externalIds: [{ type: 'profile', id: message.profileId }] },
        properties: { broadcastId: first.broadcastId, message: message.id },
      })
      const events = sent.flatMap((message, at) => [
        event('Message Opened', message, 1, 30_000),
        event('Message Opened', message, 2, 2 * hourMs),
        ...(at < 30
          ? [
              event('Message Clicked', message, 3, 60_000),
              { ...event('Product Viewed', message, 4, 90_000), properties: {} },
            ]
          : []),
      ])
      expect(sent).toHaveLength(100)
      await app.collect.accept(app.sources.internal(), events, 'test')
      await app.collect.drained()
      clock.ahead(dayMs)
      const page = await pageLater()
      const plan = page.campaigns.find((one) => one.name === 'To plan')
      expect(done.audience).toBe(120)
      expect(plan).toMatchObject({
        sent: 1,
        opened: 200 / 120,
        clicked: 0.25,
        pages: 0.25,
        says: 'measured on 1 earlier campaign with this topic and sender, 120 people',
      })
      // 230 opens and clicks within a day: 130 of them in the first ten minutes.
      expect(page.curve).toMatchObject({ measured: true, responses: 230, firstHour: 130 / 230 })
      expect(page.mailsPerSecond).toBeGreaterThan(1)
    },
  )
})
