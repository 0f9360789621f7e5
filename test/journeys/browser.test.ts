import { Readable } from 'node:stream'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { builtPages } from '../../apps/server/pages.ts'
import type { Role, Side } from '../../modules/accounts/contract.ts'
import { aBrowser, chromiumPath, userAgent, violations } from '../browser.ts'
import { aCampaignHouse, type CampaignHouse } from '../make/campaign-house.ts'
import { aDestination, aSource } from '../make/destination.ts'

/**
 * The product as people meet it: the built pages in a real browser, on real engines. Every page is looked at once, in turn in light, in dark and on
 * a phone; `npm run story` looks at each in all three, with pictures, on the demo company.
 */

const password = 'correct horse battery'
const looks = [
  { name: 'light', width: 1440, height: 900, colorScheme: 'light' },
  { name: 'dark', width: 1440, height: 900, colorScheme: 'dark' },
  { name: '390 px', width: 390, height: 844, colorScheme: 'light' },
] as const

describe.skipIf(chromiumPath === undefined)('in a real browser', () => {
  let house: CampaignHouse
  let browser: Browser
  let pages: string
  /** What no page may do: throw, log an error, break its own policy, ask another host. */
  const wrongs: string[] = []

  const staff: [name: string, side: Side, roles: Role[]][] = [
    ['Łucja O’Neill-Şahin', 'marketing', ['member']],
    ['Bjørn “Bear” Ængström', 'marketing', ['approver']],
    ['Ивайло Щерев', 'it', ['approver', 'administrator']],
  ]
  const [author, marketing, it_] = staff.map(([name]) => name) as [string, string, string]

  beforeAll(async () => {
    pages = await builtPages(() => undefined)
    house = await aCampaignHouse({
      pages,
      demo: { password, titles: {}, state: () => ({ loading: null, trickle: false }), trickle: () => undefined },
    })
    for (const [at, [name, side, roles]] of staff.entries())
      await house.app.postgres.transaction((tx) =>
        house.app.accounts.createPerson(tx, { email: `${String(at)}@il.example`, name, side, roles, password }),
      )
    await house.customers('lykta', 12, (at) => (at === 0 ? { traits: { firstName: `A${'ö'.repeat(80)}` } } : {}))
    browser = await aBrowser()
    afterAll(() => browser.close())
  })

  async function signIn(name: string, look: (typeof looks)[number] = looks[0]): Promise<Page> {
    const context = await browser.newContext({
      viewport: { width: look.width, height: look.height },
      colorScheme: look.colorScheme,
      reducedMotion: 'reduce',
      userAgent,
    })
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    page.on('pageerror', (error) => wrongs.push(`${page.url()} threw ${error.message}`))
    page.on('console', (message) => {
      // Two answers are no errors to us: nobody is signed in yet, and a key wants a fresh proof first.
      if (message.type() === 'error' && !/status of 40[13]/.test(message.text()))
        wrongs.push(`${page.url()}: ${message.text()}`)
    })
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url())
      if (origin !== house.url && protocol.startsWith('http')) wrongs.push(`${page.url()} asked ${request.url()}`)
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
  const choose = async (page: Page, label: string, option: string) => {
    await page
      .getByRole('textbox', { name: label })
      .or(page.getByRole('combobox', { name: label }))
      .first()
      .click()
    await page.getByRole('option', { name: option }).first().click()
  }
  const giveKey = async (name: string, path: string) => {
    const page = await signIn(name)
    await open(page, path)
    await page.locator('.key').getByRole('button', { name: 'Give key', exact: true, disabled: false }).click()
    const dialog = page.getByRole('dialog', { name: 'Is it you?' })
    await dialog.getByLabel('Your password').fill(password)
    await dialog.getByRole('button', { name: 'Confirm' }).click()
    await page.getByText('Your key is on exactly this.').first().waitFor()
    await page.context().close()
  }

  it('a campaign leaves under two keys, and not before', async () => {
    await house.ask('lykta')
    const page = await signIn(author)
    await open(page, '/campaigns/new')
    await page.getByLabel('Name').fill('Ljus i höst, <b>på riktigt</b>')
    await choose(page, 'To the people of', 'lykta')
    await choose(page, 'The mail', 'Letter to lykta')
    await choose(page, 'About the topic', 'News')
    await page.getByRole('button', { name: 'Make it' }).click()
    await page.waitForURL(/campaigns\/broadcast_/)
    const campaign = new URL(page.url()).pathname
    await page.getByRole('button', { name: 'Ask to let it go live' }).click()
    await page.waitForURL(/requests\/request_/)
    const request = new URL(page.url()).pathname
    await page.locator('.verdict .sentence').waitFor()
    expect(await page.getByRole('button', { name: 'Launch' }).isDisabled()).toBe(true)

    await giveKey(marketing, request)
    await open(page, request)
    expect(await page.getByRole('button', { name: 'Launch' }).isDisabled()).toBe(true)
    expect(house.sink.mails).toEqual([])
    await giveKey(it_, request)

    await open(page, request)
    await page.getByRole('button', { name: 'Launch' }).click()
    await page.getByRole('button', { name: 'Let it go live' }).click()
    await page.getByText('It goes live now.').first().waitFor()
    await open(page, `${campaign}/messages`)
    await expect.poll(() => house.mailed('lykta').length, { timeout: 20_000 }).toBe(12)
    await page.reload()
    await page.locator('tbody tr').nth(11).waitFor()
    expect(new Set(house.mailed('lykta')).size).toBe(12)

    // The state of a list is in its address: a link shows what its sender saw.
    await choose(page, 'Which messages', 'Accepted')
    await page.waitForURL(/[?&]state=accepted/)
    await page.reload()
    await page.getByText('The mail server said 250').first().waitFor()
    await page.context().close()
  })

  it('what can be undone offers it, and undoing brings it back', async () => {
    const page = await signIn(it_)
    const source = house.app.sources.list().find((one) => one.name.startsWith('Läden'))
    await open(page, `/sources/${source?.id ?? ''}`)
    await page.getByRole('button', { name: 'Switch it off' }).click()
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByText('Undone.').waitFor()
    await page.getByRole('button', { name: 'Switch it off' }).waitFor()
    expect(house.app.sources.list().find((one) => one.id === source?.id)?.enabled).toBe(true)
    await page.context().close()
  })

  it('the keyboard goes everywhere', async () => {
    const page = await signIn(it_)
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await page.keyboard.press('g')
    await page.keyboard.press('p')
    await page.getByRole('heading', { name: 'People', level: 1 }).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('p3@')
    await page.waitForURL(/[?&]q=p3/)
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1)
    // In the search every letter is a letter; below it, j goes to the first row and Enter opens it.
    await page.getByRole('heading', { level: 1 }).click()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForURL(/people\/profile_/)
    await page.keyboard.press('Control+k')
    await page.getByRole('textbox', { name: 'Search', exact: true }).fill('New segm')
    await page.keyboard.press('Enter')
    await page.waitForURL(/segments\/new/)
    await page.context().close()
  })

  it('a form is connected without a line of JSON: a test comes, a rule is made of its fields, the next one is an event', async () => {
    const { app } = house
    const shop = await aSource(house)
    const hook = await app.webhooks.create(house.staff.author, {
      name: 'Formuläret “Höst”',
      sourceId: shop.id,
      scheme: { kind: 'none', anybodyMaySend: true },
      preset: 'plain',
    })
    const send = (id: number) =>
      fetch(`${house.url}/hooks/${hook.id}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          kind: 'form.sent',
          nr: id,
          answers: { mail: `Åsa${String(id)}@Fjörd.example`, worth: '199.50' },
        }),
      })
    const page = await signIn(it_)
    await open(page, `/webhooks/${hook.id}`)
    await page.getByRole('button', { name: 'Change the rules' }).click()
    await page.getByText('Send a test from the other system').waitFor()
    expect((await send(1)).status).toBe(200)
    // What came is offered by itself, with what it says.
    await choose(page, 'The field that says what a message is about', 'kind form.sent')
    await choose(page, 'It becomes', 'an event (track)')
    const rule = page.getByRole('region', { name: 'Rule 1', exact: true })
    await choose(page, 'When it is about', 'form.sent')
    await rule.getByRole('textbox', { name: 'The event’s name' }).fill('Form Sent')
    await rule.getByRole('button', { name: 'Add an identifier' }).click()
    const mail = rule.getByRole('group', { name: 'email' })
    await mail.getByLabel('field').fill('mail')
    await page.getByRole('option', { name: 'answers.mail Åsa1@Fjörd.example' }).waitFor()
    for (const key of ['ArrowDown', 'Enter']) await mail.getByLabel('field').press(key)
    expect(await page.getByRole('button', { name: 'Keep as version 2' }).isDisabled()).toBe(false)
    await rule.getByRole('button', { name: 'Add one of the properties' }).click()
    await page.getByText('Rule 1: a line has no name yet.').first().waitFor()
    expect(await page.getByRole('button', { name: 'Keep as version 2' }).isDisabled()).toBe(true)
    await rule.getByRole('group', { name: 'a new line' }).getByLabel('name').fill('worth')
    const worth = rule.getByRole('group', { name: 'worth' })
    await worth.getByLabel('field').fill('199')
    await page.getByRole('option', { name: 'answers.worth' }).waitFor()
    for (const key of ['ArrowDown', 'Enter']) await worth.getByLabel('field').press(key)
    await worth.getByLabel('how').first().click()
    await page.getByRole('option', { name: 'as a number' }).click()
    await page.getByText('1 call: track “Form Sent”').waitFor()
    expect(await violations(page)).toEqual([])
    await page.getByRole('button', { name: 'Keep as version 2' }).click()
    await page.getByText('Kept as version 2.').first().waitFor()

    expect((await send(2)).status).toBe(200)
    const [event] = app.collect.inspector.recent({ sourceId: shop.id, limit: 1 })
    expect(event).toMatchObject({ type: 'track', name: 'Form Sent' })
    expect((await app.webhooks.list())[0]?.mapping).toEqual({
      topic: { path: 'kind' },
      rules: [
        {
          topics: ['form.sent'],
          when: [],
          type: 'track',
          fields: { event: { value: 'Form Sent' }, 'properties.worth': { number: { path: 'answers.worth' } } },
          identifiers: { email: { path: 'answers.mail' } },
        },
      ],
    })
    await page.context().close()
  })

  it(
    'every page fits 390 px, and axe finds nothing on it in light, in dark or on a phone',
    { timeout: 120_000 },
    async () => {
      const { app } = house
      const [request] = await app.requests.list({ ...house.staff.author })
      const [broadcast] = await app.journeys.list()
      const person = await app.profiles.find('p0@', undefined)
      await aDestination(house, { source: await aSource(house), settings: { url: 'https://lager.example/hooks' } })
      const shop = await aSource(house, 'Butiken “på nätet”', 'web')
      const record = { type: 'RECORD', stream: 'kunder', record: { id: 1, email: 'åsa@fjörd.example', city: 'Malmö' } }
      const lines = Readable.from([Buffer.from(`noise\n${JSON.stringify(record)}\n`)])
      const first = app.sources.list().find((one) => one.kind !== 'internal')
      if (first === undefined) throw new Error('no source')
      await app.streams.take(house.staff.author, { sourceId: first.id, from: 1, end: 'well' }, lines)
      const paths = [
        '/',
        '/cockpit',
        '/people',
        `/people/${person.people[0]?.id ?? ''}?tab=consent`,
        '/segments',
        `/segments/${broadcast?.segment.id ?? ''}`,
        '/sources',
        `/sources/${first.id}`,
        `/sources/${shop.id}`,
        '/sources/live',
        '/webhooks',
        `/webhooks/${(await app.webhooks.list())[0]?.id ?? ''}`,
        '/feeds',
        '/sources/quarantine',
        '/sources/ledger',
        '/sources/capacity',
        '/sources/events',
        `/sources/events/${app.collect.inspector.recent({ limit: 1 })[0]?.position ?? '0'}`,
        `/sources/${first.id}/plan`,
        `/sources/${first.id}/violations`,
        '/imports',
        '/standing-imports',
        '/pulls',
        '/streams',
        `/streams/${(await app.streams.list())[0]?.id ?? ''}`,
        '/destinations',
        '/destinations/new',
        `/destinations/${(await app.destinations.list(house.staff.author))[0]?.id ?? ''}`,
        '/campaigns',
        `/campaigns/${broadcast?.id ?? ''}`,
        '/campaigns/new',
        `/campaigns/${broadcast?.id ?? ''}/messages`,
        `/campaigns/${broadcast?.id ?? ''}/report`,
        '/reports',
        '/content',
        `/content/${broadcast?.template.id ?? ''}`,
        '/mail-catcher',
        '/requests',
        `/requests/${request?.id ?? ''}`,
        `/requests/${request?.id ?? ''}?tab=agreement`,
        '/tools',
        `/tools/${(await app.tools.list())[0]?.id ?? ''}`,
        '/settings',
        '/settings/people?invite=yes',
        '/settings/senders',
        '/settings/topics',
        '/audit',
        '/nowhere',
      ]
      const found: string[] = []
      const page = await signIn(it_)
      for (const [at, path] of paths.entries()) {
        const [look, narrow] = [looks[at % looks.length] ?? looks[0], looks[2]]
        await page.setViewportSize(narrow)
        await page.emulateMedia({ colorScheme: look.colorScheme })
        await open(page, path)
        await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' })
        const wide = await page.evaluate<number>(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        )
        if (wide > 0) found.push(`${path} is ${String(wide)} px too wide at 390 px`)
        await page.setViewportSize(look)
        found.push(...(await violations(page)).map((one) => `${path} (${look.name}): ${one}`))
      }
      expect(found).toEqual([])
    },
  )

  it('no page threw, logged an error, broke its own policy or asked another host', () => {
    expect(wrongs).toEqual([])
  })

  it('the first load is at most 230 kB of script and 40 kB of style, and no later piece is over 150 kB (gzip)', () => {
    const index = readFileSync(join(pages, 'index.html'), 'utf8')
    const first = [...index.matchAll(/(?:src|href)="(\/assets\/[^"]+[.](?:js|css))"/g)].map((match) => match[1] ?? '')
    const kilobytes = (path: string) => gzipSync(readFileSync(join(pages, path))).length / 1000
    const sum = (extension: string) =>
      first.filter((path) => path.endsWith(extension)).reduce((total, path) => total + kilobytes(path), 0)
    expect(first.length).toBeGreaterThan(1)
    expect(sum('.js')).toBeLessThanOrEqual(230)
    expect(sum('.css')).toBeLessThanOrEqual(40)
    expect(scripts(pages).filter((path) => kilobytes(path) > 150)).toEqual([])
  })

  it('every part of Mantine that the pages use has its style', () => {
    const root = join(import.meta.dirname, '../..')
    const used = new Set(scripts(pages).flatMap((path) => classesOf(readFileSync(join(pages, path), 'utf8'))))
    const styled = new Set(classesOf(readFileSync(join(root, 'node_modules/@mantine/core/styles.css'), 'utf8')))
    const taken = readFileSync(join(root, 'ui/style/mantine.css'), 'utf8')
    const here = new Set(
      [...taken.matchAll(/'(@mantine\/core\/styles\/[^']+)'/g)].flatMap((match) =>
        classesOf(readFileSync(join(root, 'node_modules', match[1] ?? ''), 'utf8')),
      ),
    )
    expect([...used].filter((name) => styled.has(name) && !here.has(name))).toEqual([])
    expect(here.size).toBeGreaterThan(50)
  })
})

const classesOf = (text: string) => text.match(/\bm_[0-9a-f]{6,10}\b/g) ?? []
const scripts = (pages: string) =>
  readdirSync(join(pages, 'assets'))
    .filter((name) => name.endsWith('.js'))
    .map((name) => `assets/${name}`)
