import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { aBrowser, userAgent, violations } from '../browser.ts'
import { aDemoServer } from './server.ts'

/**
 * `npm run story`: the main job, in a real browser on the demo company, from the audience to the report. Every step looks at what a person would
 * see; every page is kept as a picture in light, dark and at 390 px, and axe finds nothing wrong on any. Exit code 1 when a step fails.
 */

const folder = resolve(process.argv[2] ?? 'pictures')
const looks = [
  { name: 'light', width: 1440, height: 1000, colorScheme: 'light' },
  { name: 'dark', width: 1440, height: 1000, colorScheme: 'dark' },
  { name: 'phone', width: 390, height: 844, colorScheme: 'light' },
] as const

const say = (line: string) => {
  process.stdout.write(`  ${line}\n`)
}
let failed = 0
function check(what: string, right: boolean, seen: unknown = ''): void {
  say(`${right ? '✓' : '✕'} ${what}${seen === '' ? '' : `: ${String(seen)}`}`)
  if (!right) failed += 1
}
const number = (text: string) => Number(text.replaceAll(',', ''))

class Person {
  readonly page: Page
  readonly base: string
  constructor(page: Page, base: string) {
    this.page = page
    this.base = base
  }
  static async signIn(
    browser: Browser,
    base: string,
    name: string,
    look: (typeof looks)[number] = looks[0],
  ): Promise<Person> {
    const context: BrowserContext = await browser.newContext({
      viewport: { width: look.width, height: look.height },
      colorScheme: look.colorScheme,
      reducedMotion: 'reduce',
      userAgent,
    })
    const page = await context.newPage()
    page.setDefaultTimeout(30_000)
    page.on('pageerror', (error) => {
      check('no page throws', false, error.message)
    })
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy'))
        check('no page breaks its own policy', false, message.text().slice(0, 200))
    })
    await page.goto(`${base}/sign-in`)
    await page.locator('.colleagues button', { hasText: name }).click()
    await page.locator('.shell').waitFor()
    return new Person(page, base)
  }
  async open(path: string): Promise<void> {
    await this.page.goto(`${this.base}${path}`)
    await this.page.locator('h1').first().waitFor()
  }
  /** The API with this person's session, as a script would call it. */
  async call(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; value: Record<string, unknown> }> {
    const { status, value } = await this.ask(method, path, body)
    return { status, value: value as Record<string, unknown> }
  }
  /** A list of the API, as far as the story looks into its rows. */
  async rows(path: string): Promise<{ id: string; title?: string }[]> {
    return (await this.ask('GET', path)).value as { id: string; title?: string }[]
  }
  private async ask(method: string, path: string, body?: unknown): Promise<{ status: number; value: unknown }> {
    const answer = await this.page.request.fetch(`${this.base}${path}`, {
      method,
      headers: { 'x-interlock': '1', 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' },
      ...(body === undefined ? {} : { data: JSON.stringify(body) }),
    })
    return { status: answer.status(), value: await answer.json() }
  }
  async choose(label: string, option: string): Promise<void> {
    await this.page
      .getByRole('textbox', { name: label })
      .or(this.page.getByRole('combobox', { name: label }))
      .first()
      .click()
    await this.page.getByRole('option', { name: option }).first().click()
  }
  async giveKey(path: string): Promise<void> {
    await this.open(path)
    await this.page.locator('.key').getByRole('button', { name: 'Give key', exact: true, disabled: false }).click()
    const dialog = this.page.getByRole('dialog', { name: 'Is it you?' })
    const done = this.page.getByText('Your key is on exactly this.').first()
    // A proof that is younger than five minutes is not asked for again.
    await dialog.or(done).first().waitFor()
    if (await dialog.isVisible()) {
      await dialog.getByLabel('Your password').fill('interlock demo')
      await dialog.getByRole('button', { name: 'Confirm' }).click()
    }
    await this.page.getByText('Your key is on exactly this.').first().waitFor()
  }
}

const began = Date.now()
await mkdir(folder, { recursive: true })
const server = await aDemoServer(say)
const browser = await aBrowser()
try {
  say('— somebody who is not signed in')
  const stranger = await (await browser.newContext({ userAgent })).newPage()
  await stranger.goto(`${server.url}/people?q=Schmidt`)
  await stranger.locator('.colleagues button', { hasText: 'Linnéa' }).click()
  await stranger.locator('.shell').waitFor()
  check('is led to the sign-in and from there to where they wanted', stranger.url().endsWith('/people?q=Schmidt'))
  await stranger.context().close()

  const linnea = await Person.signIn(browser, server.url, 'Linnéa')
  const { page } = linnea

  say('— the audience')
  await linnea.open('/segments/new')
  await page.getByLabel('Name').fill('Story: bought lately')
  await page.getByLabel('days').fill('45')
  await page.locator('.sentence', { hasText: 'last 45 days' }).waitFor()
  const sentence = await page.locator('.card .sentence').innerText()
  const audience = number(/^([\d,]+) people/.exec(sentence)?.[1] ?? '0')
  check('the segment is counted and read back while one builds it', audience > 0, sentence)
  await page.getByRole('button', { name: 'Make it' }).click()
  await page.waitForURL(/segments\/segment_/)
  const segmentPath = new URL(page.url()).pathname

  say('— the mail')
  await linnea.open('/content/new')
  await page.getByLabel('Name').fill('Story mail')
  await page.getByLabel('Subject').fill('For long evenings, {{ person.firstName | default: "friend" }}')
  await page.getByText('For long evenings, friend').waitFor()
  await page.getByRole('button', { name: 'Save it' }).click()
  await page.waitForURL(/content\/template_/)
  const templatePath = new URL(page.url()).pathname
  await page.getByText('For long evenings, friend').waitFor()
  check('the mail is compiled and shown as a person gets it', true)

  say('— the broadcast and its request')
  const ask = async (name: string) => {
    await linnea.open('/campaigns/new')
    await page.getByLabel('Name').fill(name)
    await linnea.choose('To the people of', 'Story: bought lately')
    await linnea.choose('The mail', 'Story mail')
    await linnea.choose('About the topic', 'Offers')
    await page.getByRole('button', { name: 'Make it' }).click()
    await page.waitForURL(/campaigns\/broadcast_/)
    const campaign = new URL(page.url()).pathname
    await page.getByLabel('What should the others know?').fill('The lamps are back in stock.')
    await page.getByRole('button', { name: 'Ask to let it go live' }).click()
    await page.waitForURL(/requests\/request_/)
    await page.locator('.verdict .sentence').waitFor()
    return { campaign, request: new URL(page.url()).pathname }
  }
  const first = await ask('Story: changed after the first key')
  const id = (path: string) => path.split('/').at(-1) ?? ''
  const api = (path: string) => `/api/requests/${id(path)}`

  say('— refused while keys are missing')
  check(
    'the page offers no launch',
    await page.getByRole('button', { name: 'Launch' }).isDisabled(),
    await page.locator('.verdict .sentence').innerText(),
  )
  const before = await linnea.call('GET', api(first.request))
  const tried = await linnea.call('POST', `${api(first.request)}/launch`, { releaseHash: before.value['releaseHash'] })
  check('a direct call is refused, with the sentence', tried.status === 409, tried.value['detail'])

  say('— a subject that changes after the first key')
  const goetz = await Person.signIn(browser, server.url, 'Götz')
  await goetz.giveKey(first.request)
  await linnea.open(templatePath)
  await page.getByLabel('Subject').fill('For long evenings (new), {{ person.firstName | default: "friend" }}')
  await page.getByRole('button', { name: 'Save a new version' }).click()
  await page.getByText('Keys on what uses it fell out').first().waitFor()
  await goetz.page.reload()
  const fallen = await goetz.page.locator('.key.marketing .fallen').innerText()
  check('the key fell out, visibly', fallen.includes('fell out'), fallen)
  const again = await linnea.call('POST', `${api(first.request)}/launch`, { releaseHash: before.value['releaseHash'] })
  check('launching what was signed before is refused', again.status === 409, again.value['detail'])
  const secondTab = await page.context().newPage()
  await secondTab.goto(`${server.url}${first.request}`)
  check('a second tab offers no launch either', await secondTab.getByRole('button', { name: 'Launch' }).isDisabled())
  await secondTab.close()
  check('no mail left', (await linnea.call('GET', '/api/mail-catcher')).value['total'] === 0)

  say('— both keys on exactly one thing')
  const second = await ask('Story: autumn light')
  await goetz.giveKey(second.request)
  const ivaylo = await Person.signIn(browser, server.url, 'Ивайло')
  await ivaylo.giveKey(second.request)
  await linnea.open(second.request)
  await page.getByRole('button', { name: 'Launch' }).click()
  await page.getByRole('button', { name: 'Let it go live' }).click()
  await page.getByText('It goes live now.').first().waitFor()
  const api2 = `/api/broadcasts/${id(second.campaign)}`
  let state: Record<string, unknown> = {}
  for (let turn = 0; turn < 240 && state['state'] !== 'done'; turn++) {
    await page.waitForTimeout(500)
    state = (await linnea.call('GET', api2)).value
  }
  const counts = state['counts'] as Record<string, number>
  const sum = Object.values(counts).reduce((total, count) => total + count, 0)
  check('it ran to its end', state['state'] === 'done', state['sentence'])
  check('every member of the audience has exactly one end', sum === state['audience'], JSON.stringify(counts))
  const caught = (await linnea.call('GET', '/api/mail-catcher')).value['total']
  check('the catcher holds as many mails as were accepted', caught === counts['accepted'], caught)

  say('— a customer clicks, and unsubscribes')
  // A person reads later than a gateway looks: within a second of delivery it would count as a machine.
  await page.waitForTimeout(1_500)
  await linnea.open('/mail-catcher')
  await page.locator('table a').first().click()
  await page.waitForURL(/mail-catcher\/\d+/)
  const mailPath = new URL(page.url()).pathname
  await page.waitForTimeout(1_500)
  const popup = page.context().waitForEvent('page')
  await page.locator('.history a', { hasText: 'See it' }).click()
  const shop = await popup
  await shop.waitForLoadState().catch(() => undefined)
  await shop.close()
  const unsubscribe = (await page.locator('.history a', { hasText: 'Unsubscribe' }).getAttribute('href')) ?? ''
  const customer = await (await browser.newContext({ userAgent })).newPage()
  await customer.goto(unsubscribe)
  await customer.screenshot({ path: join(folder, 'unsubscribe-light.png') })
  const wrongOnPage = await violations(customer)
  check('axe finds nothing wrong on the unsubscribe page', wrongOnPage.length === 0, wrongOnPage.join(' | '))
  await customer.getByRole('button').first().click()
  await customer.waitForLoadState()
  say(`the page says: ${(await customer.locator('body').innerText()).split('\n').slice(0, 3).join(' ')}`)

  say('— the report')
  const reportPath = `${second.campaign}/report`
  const figure = async (label: string) =>
    number(
      await page
        .locator('tr', { has: page.locator('b', { hasText: new RegExp(`^${label}$`) }) })
        .locator('td.right')
        .first()
        .innerText(),
    )
  await linnea.open(reportPath)
  for (let turn = 0; turn < 40 && ((await figure('Clicked')) === 0 || (await figure('Unsubscribed')) === 0); turn++) {
    await page.waitForTimeout(500)
    await page.reload()
    await page.locator('td.right').first().waitFor()
  }
  check('the click is on the report', (await figure('Clicked')) === 1, await page.locator('.sentence').innerText())
  check('the unsubscribe is on the report', (await figure('Unsubscribed')) === 1)
  check('the open is on the report', (await figure('Opened')) === 1)

  say('— every page, light, dark and at 390 px')
  const person =
    ((await linnea.call('GET', '/api/people?search=Schmidt')).value['people'] as { id: string }[])[0]?.id ?? ''
  const imported = (await linnea.rows('/api/imports'))[0]?.id ?? ''
  const source =
    ((await linnea.call('GET', '/api/sources')).value['sources'] as { id: string; name: string }[]).find(
      (one) => one.name === 'Web shop',
    )?.id ?? ''
  const tool = (await linnea.rows('/api/tools'))[0]?.id ?? ''
  const waiting = (await ivaylo.rows('/api/requests')).find((one) => one.title?.startsWith('New opening'))?.id ?? ''
  const made = await ivaylo.call('POST', '/api/destinations', {
    name: 'Warehouse',
    kind: 'webhook',
    settings: { url: 'https://warehouse.example/hooks' },
    contract: {
      sources: [source],
      events: [{ type: 'track', name: 'Order Completed' }],
      fields: ['userId', 'properties.total'],
      purpose: 'The warehouse knows what to pack.',
      frequency: 'at_once',
    },
  })
  check('a destination is a draft at first', made.value['state'] === 'draft', JSON.stringify(made.value))
  const destination = String(made.value['id'])
  const pages: [name: string, who: string, path: string][] = [
    ['needs-you', 'Ивайло', '/'],
    ['cockpit', 'Linnéa', '/cockpit'],
    ['people', 'Linnéa', '/people'],
    ['person', 'Linnéa', `/people/${person}`],
    ['segments', 'Linnéa', '/segments'],
    ['segment', 'Linnéa', segmentPath],
    ['sources', 'Ивайло', '/sources'],
    ['source', 'Ивайло', `/sources/${source}`],
    ['plan', 'Ивайло', `/sources/${source}/plan`],
    ['violations', 'Ивайло', `/sources/${source}/violations`],
    ['live', 'Ивайло', '/sources/live'],
    ['webhooks', 'Ивайло', '/webhooks'],
    ['feeds', 'Ивайло', '/feeds'],
    ['quarantine', 'Ивайло', '/sources/quarantine'],
    ['pulls', 'Ивайло', '/pulls'],
    ['streams', 'Ивайло', '/streams'],
    ['ledger', 'Ивайло', '/sources/ledger'],
    ['capacity', 'Ивайло', '/sources/capacity'],
    ['event', 'Ивайло', '/sources/events/0'],
    ['imports', 'Ивайло', '/imports'],
    ['import', 'Ивайло', `/imports/${imported}`],
    ['destinations', 'Ивайло', '/destinations'],
    ['destination', 'Ивайло', `/destinations/${destination}`],
    ['destination-new', 'Ивайло', '/destinations/new'],
    ['campaigns', 'Linnéa', '/campaigns'],
    ['campaign', 'Linnéa', second.campaign],
    ['campaign-new', 'Linnéa', '/campaigns/new'],
    ['messages', 'Linnéa', `${second.campaign}/messages`],
    ['report', 'Linnéa', reportPath],
    ['reports', 'Linnéa', '/reports'],
    ['content', 'Linnéa', '/content'],
    ['template', 'Linnéa', templatePath],
    ['mail-catcher', 'Linnéa', '/mail-catcher'],
    ['mail', 'Linnéa', mailPath],
    ['requests', 'Ивайло', '/requests'],
    ['request', 'Ивайло', `/requests/${waiting}`],
    ['request-done', 'Ивайло', second.request],
    ['request-fallen', 'Ивайло', first.request],
    ['tools', 'Ивайло', '/tools'],
    ['tool', 'Ивайло', `/tools/${tool}`],
    ['settings', 'Måns', '/settings'],
    ['staff', 'Måns', '/settings/people'],
    ['senders', 'Måns', '/settings/senders'],
    ['topics', 'Linnéa', '/settings/topics'],
    ['audit', 'Måns', '/audit'],
  ]
  let clean = 0
  for (const look of looks) {
    const cast = new Map<string, Person>()
    for (const [name, who, path] of pages) {
      const viewer = cast.get(who) ?? (await Person.signIn(browser, server.url, who, look))
      cast.set(who, viewer)
      await viewer.open(path)
      await viewer.page.waitForLoadState('networkidle', { timeout: 5_000 }).catch(() => undefined)
      await viewer.page.waitForTimeout(250)
      const wide = await viewer.page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      )
      if (wide !== 0) check(`${name} (${look.name}) fits the screen`, false, `${String(wide)} px too wide`)
      const wrong = await violations(viewer.page)
      if (wrong.length > 0)
        check(`axe finds nothing wrong on ${name} (${look.name})`, false, `\n      ${wrong.join('\n      ')}`)
      else clean += 1
      await viewer.page.screenshot({ path: join(folder, `${name}-${look.name}.png`), fullPage: true })
    }
    const guest = await (
      await browser.newContext({ viewport: { width: look.width, height: look.height }, colorScheme: look.colorScheme })
    ).newPage()
    await guest.goto(`${server.url}/sign-in`)
    await guest.locator('.colleagues').waitFor()
    const wrong = await violations(guest)
    check(`axe finds nothing wrong on sign-in (${look.name})`, wrong.length === 0, wrong.join(' | '))
    await guest.screenshot({ path: join(folder, `sign-in-${look.name}.png`), fullPage: true })
    for (const viewer of cast.values()) await viewer.page.context().close()
  }
  say(
    `${String(clean)} of ${String(pages.length * looks.length)} pictures without a finding of axe; pictures in ${folder}`,
  )
} finally {
  await browser.close()
  await server.stop()
}
say(
  `${failed === 0 ? 'The story holds' : `${String(failed)} things are wrong`} (${((Date.now() - began) / 1000).toFixed(0)} s).`,
)
process.exitCode = failed === 0 ? 0 : 1
