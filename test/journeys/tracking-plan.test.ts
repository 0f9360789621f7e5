import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { builtPages } from '../../apps/server/pages.ts'
import type { Source } from '../../modules/sources/contract.ts'
import { aBrowser, chromiumPath, userAgent, violations } from '../browser.ts'
import { aCampaignHouse, type CampaignHouse } from '../make/campaign-house.ts'

const password = 'correct horse battery'
const pictures = process.env['INTERLOCK_PICTURES']

/** A violation on purpose: seen on the page, put aside, the plan corrected, replayed, stored once; all of it without code. */
describe.skipIf(chromiumPath === undefined)('the tracking plan in a browser', () => {
  let house: CampaignHouse
  let browser: Browser
  let source: Source
  let page: Page
  const wrongs: string[] = []

  beforeAll(async () => {
    const pages = await builtPages(() => undefined)
    house = await aCampaignHouse({
      pages,
      demo: { password, titles: {}, state: () => ({ loading: null, trickle: false }), trickle: () => undefined },
    })
    const name = 'Ивайло Щерев'
    await house.app.postgres.transaction((tx) =>
      house.app.accounts.createPerson(tx, { email: 'it@il.example', name, side: 'it', roles: ['member'], password }),
    )
    source = await house.app.postgres.transaction((tx) =>
      house.app.sources.createAs(tx, { kind: 'system', id: 'test' }, { name: 'Läden “web”', kind: 'server' }),
    )
    browser = await aBrowser()
    afterAll(() => browser.close())
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      reducedMotion: 'reduce',
      userAgent,
    })
    page = await context.newPage()
    page.setDefaultTimeout(15_000)
    page.on('pageerror', (error) => wrongs.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 40[13]/.test(message.text())) wrongs.push(message.text())
    })
    await page.goto(`${house.url}/sign-in`)
    await page.locator('.colleagues button', { hasText: name }).click()
    await page.locator('.shell').waitFor()
  })

  const send = async (...events: object[]) => {
    await house.app.collect.accept(
      source,
      events.map((event) => ({
        type: 'track',
        userId: 'u',
        context: { library: { name: 'analytics.js', version: '1.84.3' } },
        ...event,
      })),
      'test',
    )
    await house.app.collect.drained()
  }
  const look = async (name: string) => {
    for (const scheme of ['light', 'dark'] as const)
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 900 })
        await page.emulateMedia({ colorScheme: scheme })
        if (width === 390) {
          const wide = await page.evaluate<number>(
            'document.documentElement.scrollWidth - document.documentElement.clientWidth',
          )
          expect(wide, `${name} at 390 px`).toBeLessThanOrEqual(0)
        }
        if (pictures !== undefined)
          await page.screenshot({ path: `${pictures}/${name}-${scheme}-${String(width)}.png`, fullPage: true })
        expect(await violations(page), `${name}, ${scheme}, ${String(width)}`).toEqual([])
      }
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.emulateMedia({ colorScheme: 'light' })
  }

  it(
    'a violation is seen within five seconds, put aside, and after the plan is corrected replayed and stored once',
    { timeout: 240_000 },
    async () => {
      await send(
        {
          event: 'Order Completed',
          properties: { total: 12.5, currency: 'SEK', channel: 'web', email: 'a@b.example' },
        },
        { event: 'Order Completed', properties: { total: 7, currency: 'SEK', channel: 'shop' } },
        { event: 'Basket Filled', properties: { items: [1] } },
      )
      await page.goto(`${house.url}/sources/${source.id}`)
      await page.getByRole('link', { name: 'Tracking plan' }).click()
      await page.getByText('2 events seen in the last 30 days, nothing planned.').waitFor()
      await look('plan-before')
      await page.getByRole('button', { name: 'Adopt all 2' }).click()
      await page.getByText('2 events seen in the last 30 days, 2 of them planned.').waitFor()

      // Only two channels, said without code.
      await page.getByRole('button', { name: 'Edit Order Completed' }).click()
      const channel = page.getByRole('group', { name: 'channel' })
      await channel.getByLabel('Only these values').fill('web')
      await page.keyboard.press('Enter')
      await channel.getByLabel('Only these values').fill('shop')
      await page.keyboard.press('Enter')

      await look('plan-editor')
      await page.getByRole('button', { name: 'Save it' }).click()
      await page.getByRole('dialog').waitFor({ state: 'detached' })

      await page.getByRole('button', { name: 'Quarantine', exact: true }).click()
      await page.getByText('Of 3 events of the last 7 days, none violates the plan.').waitFor()
      await page.getByRole('button', { name: 'Choose quarantine' }).click()
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await look('plan')

      await page.getByRole('link', { name: 'Violations', exact: true }).click()
      await page.getByText('Nothing violated the plan in this time.').waitFor()
      await send({
        event: 'Order Completed',
        messageId: 'on purpose',
        properties: { total: 1, currency: 'SEK', channel: 'fax' },
      })
      await page.getByText('1 violation in 1 event.').waitFor({ timeout: 5_000 })
      await page.getByText('analytics.js since 1.84.3').waitFor()
      await look('violations')

      await page.getByRole('link', { name: 'What was put aside' }).click()
      await page.getByText('Plan version 3: channel is none of the planned values.').waitFor()
      await page.getByRole('button', { name: 'Check 1 event' }).click()
      await page.getByText('Of 1 event, 1 would not pass').waitFor()
      await look('quarantine')

      // Fax it is.
      await page.goto(`${house.url}/sources/${source.id}/plan`)
      await page.getByRole('button', { name: 'Edit Order Completed' }).click()
      await page.getByRole('group', { name: 'channel' }).getByLabel('Only these values').fill('fax')
      await page.keyboard.press('Enter')
      await page.getByRole('button', { name: 'Save it' }).click()
      await page.getByRole('dialog').waitFor({ state: 'detached' })

      await page.goto(`${house.url}/sources/quarantine?source=${source.id}`)
      await page.getByRole('button', { name: 'Check 1 event' }).click()
      await page.getByText('Of 1 event, 1 would be stored.').waitFor()
      await page.getByRole('button', { name: 'Replay 1 event' }).first().click()
      await page.getByRole('button', { name: 'Replay them' }).click()
      await page.getByText('1 stored').waitFor()
      await look('replayed')
      await house.app.collect.drained()
      const rows = await house.app.clickhouse.query<{ n: string }>(
        `SELECT count() AS n FROM event WHERE message_id = 'on purpose'`,
      )
      expect(Number(rows[0]?.n)).toBe(1)
      const { total, lost } = await house.app.collect.ledger()
      expect([total.quarantined, lost]).toEqual([0, 0])
      expect(wrongs).toEqual([])
    },
  )
})
