import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { builtPages } from '../../apps/server/pages.ts'
import { aBrowser, chromiumPath, userAgent, violations } from '../browser.ts'
import { aCampaignHouse, type CampaignHouse } from '../make/campaign-house.ts'
import { aSource, bodyOf, hasty, order } from '../make/destination.ts'
import { aReceiver, type Receiver } from '../make/receiver.ts'

/** Sending events on, as two people agree on it in their browsers; set INTERLOCK_PICTURES to a folder to keep pictures of the pages. */

const password = 'correct horse battery'
const looks = [
  { name: 'light', width: 1440, height: 900, colorScheme: 'light' },
  { name: 'dark', width: 1440, height: 900, colorScheme: 'dark' },
  { name: '390', width: 390, height: 844, colorScheme: 'light' },
] as const
const staff = [
  ['Łucja O’Neill-Şahin', 'marketing', 'member'],
  ['Bjørn “Bear” Ængström', 'marketing', 'approver'],
  ['Ивайло Щерев', 'it', 'approver'],
  ['Ñandú Peña', 'it', 'protection'],
] as const

describe.skipIf(chromiumPath === undefined)('sending events on, in a real browser', () => {
  let house: CampaignHouse
  let browser: Browser
  let receiver: Receiver
  const wrongs: string[] = []

  beforeAll(async () => {
    receiver = await aReceiver()
    house = await aCampaignHouse({
      pages: await builtPages(() => undefined),
      demo: { password, titles: {}, state: () => ({ loading: null, trickle: false }), trickle: () => undefined },
      patience: hasty,
      egressAllow: [receiver.place],
    })
    for (const [at, [name, side, role]] of staff.entries())
      await house.app.postgres.transaction((tx) =>
        house.app.accounts.createPerson(tx, { email: `${String(at)}@il.example`, name, side, roles: [role], password }),
      )
    browser = await aBrowser()
    afterAll(() => browser.close())
  })

  async function signIn(name: string): Promise<Page> {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      reducedMotion: 'reduce',
      userAgent,
    })
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    page.on('pageerror', (error) => wrongs.push(`${page.url()} threw ${error.message}`))
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 40[13]/.test(message.text()))
        wrongs.push(`${page.url()}: ${message.text()}`)
    })
    await page.goto(`${house.url}/sign-in`)
    await page.locator('.colleagues button', { hasText: name }).click()
    await page.locator('.shell').waitFor()
    return page
  }
  const open = async (page: Page, path: string) => {
    await page.goto(`${house.url}${path}`)
    await page.locator('h1').first().waitFor()
  }

  it('a webhook gets what the contract names under three keys, and the page says what stayed', async () => {
    const source = await aSource(house)
    await order(house, source, [
      { messageId: 'seen', properties: { total: 3, email: 'a@b.example', birthDate: '1990-04-03' } },
    ])
    const page = await signIn(staff[0][0])
    await open(page, '/destinations')
    await page.getByText('Events are not sent on to anybody yet.').waitFor()
    await page.getByRole('link', { name: 'Send events on' }).first().click()
    await page.getByRole('radio', { name: /Signed webhook/ }).check()
    await page.getByRole('textbox', { name: 'Name' }).fill('Lagerhaus “Łódź” <b>1</b>')
    await page.getByRole('textbox', { name: 'Address' }).fill(receiver.url)
    const choose = async (label: string, option: string) => {
      // By the keyboard: what was chosen already lies over the field.
      await page
        .getByRole('combobox', { name: label })
        .or(page.getByRole('textbox', { name: label }))
        .first()
        .focus()
      await page.keyboard.press('ArrowDown')
      await page.getByRole('option', { name: option, exact: true }).first().click()
      await page.keyboard.press('Escape')
    }
    await choose('From the sources', source.name)
    await choose('These events', 'Order Completed')
    for (const field of ['userId', 'properties.total', 'properties.email'])
      await choose('With these fields and no other', field)
    await page.getByLabel('For what').fill('The warehouse knows what to pack.')
    await keep(page, 'new')
    await page.getByRole('button', { name: 'Make it' }).click()
    await page.getByRole('dialog', { name: 'The signing secret' }).getByText('whsec_').waitFor()
    await page.getByRole('button', { name: 'I have it' }).click()
    await page.waitForURL(/destinations\/destination_/)
    const path = new URL(page.url()).pathname
    const [made] = await house.app.destinations.list(house.staff.author)
    await house.app.tools.change(house.staff.author, made!.tool.id, {
      ownerMarketing: house.staff.marketing.accountId,
      ownerIt: house.staff.it.accountId,
    })

    await page.getByRole('button', { name: 'Send a made-up event' }).click()
    await page.getByText('It was taken.').waitFor()
    expect(bodyOf(receiver.taken[0]).data).toMatchObject({ properties: { email: 'test@interlock.example' } })

    await page.getByRole('button', { name: 'Ask to let it go live' }).click()
    await page.waitForURL(/requests\/request_/)
    const request = new URL(page.url()).pathname
    await page.locator('.verdict .sentence').waitFor()
    await keep(page, 'request')
    await open(page, path)
    await page.getByText('Keys that are missing: Marketing, IT, data protection.').waitFor()
    for (const [name] of staff.slice(1)) {
      const holder = await signIn(name)
      await open(holder, request)
      await holder.locator('.key').getByRole('button', { name: 'Give key', exact: true, disabled: false }).click()
      const dialog = holder.getByRole('dialog', { name: 'Is it you?' })
      await dialog.getByLabel('Your password').fill(password)
      await dialog.getByRole('button', { name: 'Confirm' }).click()
      await holder.getByText('Your key is on exactly this.').first().waitFor()
      await holder.context().close()
    }
    await open(page, request)
    await page.getByRole('button', { name: 'Launch' }).click()
    await page.getByRole('button', { name: 'Let it go live' }).click()
    await page.getByText('It goes live now.').first().waitFor()

    receiver.answer = ({ body }) => ({ status: body.includes('"total":13') ? 422 : 200 })
    await order(
      house,
      source,
      Array.from({ length: 30 }, (_, at) => ({
        userId: `u-${String(at % 4)}`,
        messageId: `browser-${String(at)}`,
        properties: { total: at, email: `p${String(at % 4)}@b.example`, birthDate: '1990-04-03', coupon: 'å' },
      })),
    )
    await expect.poll(() => receiver.taken.length, { timeout: 20_000 }).toBe(30)
    await open(page, path)
    await page.getByRole('row', { name: /properties[.]birthDate 29 times/ }).waitFor()
    expect(receiver.taken.some((arrived) => arrived.body.includes('1990-04-03'))).toBe(false)
    receiver.answer = () => ({ status: 200 })
    await page.getByRole('button', { name: 'Try again' }).click()
    await expect.poll(() => receiver.taken.length, { timeout: 20_000 }).toBe(31)

    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByText('Undone.').waitFor()
    await page.getByRole('button', { name: 'Change it' }).click()
    await page.getByRole('dialog').getByLabel('For what').fill('Something else.')
    await keep(page, 'change')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Changed. Nothing leaves until it is agreed again.').first().waitFor()
    await page.context().close()
  }, 120_000)

  it('fits every screen, and axe finds nothing', async () => {
    const page = await signIn(staff[2][0])
    const [made] = await house.app.destinations.list(house.staff.author)
    const found: string[] = []
    for (const look of looks) {
      await page.setViewportSize(look)
      await page.emulateMedia({ colorScheme: look.colorScheme })
      for (const [name, path] of [
        ['list', '/destinations'],
        ['one', `/destinations/${made?.id ?? ''}`],
        ['new', '/destinations/new'],
      ] as const) {
        await open(page, path)
        await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' })
        if (name === 'new') await page.getByRole('radio', { name: /S3/ }).check()
        const wide = await page.evaluate<number>(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        )
        if (wide > 0) found.push(`${path} is ${String(wide)} px too wide (${look.name})`)
        found.push(...(await violations(page)).map((one) => `${path} (${look.name}): ${one}`))
        await keep(page, `${name}-${look.name}`)
      }
    }
    expect(found).toEqual([])
    expect(wrongs).toEqual([])
    await page.context().close()
  }, 120_000)
})

/** A picture, when somebody wants to look. */
async function keep(page: Page, name: string): Promise<void> {
  const folder = process.env['INTERLOCK_PICTURES']
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `destinations-${name}.png`), fullPage: true })
}
