import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { builtTracker } from '../../apps/server/pages.ts'
import { aBrowser, chromiumPath, userAgent } from '../browser.ts'
import { aCollectServer, type CollectServer } from '../make/collect-server.ts'
import { aTrackedSite, type Sent, type TrackedSite } from '../make/tracked-site.ts'

/** Our own tracker, as it is built and served, on the pages of another origin with a strict policy, against the real collecting server. */

const snippet = (more = '') => `<script async src="DOOR/interlock.js" data-write-key="KEY" ${more}></script>`

it('the tracker is at most 5,000 bytes (gzip)', async () => {
  expect(gzipSync((await builtTracker()) ?? '', { level: 9 }).length).toBeLessThanOrEqual(5_000)
})

describe.skipIf(chromiumPath === undefined)('the tracker in a real browser', () => {
  let server: CollectServer
  let web: TrackedSite
  let address = ''
  let browser: Browser
  let context: BrowserContext
  let body = ''
  /** What a tracker must never do to a page. */
  const wrongs: string[] = []

  beforeAll(async () => {
    server = await aCollectServer({ kind: 'web', tracker: await builtTracker() })
    afterAll(() => server.close())
    await server.app.listen({ host: '127.0.0.1', port: 0 })
    address = `http://127.0.0.1:${String((server.app.server.address() as AddressInfo).port)}`
    browser = await aBrowser()
    afterAll(() => browser.close())
  })
  afterEach(async () => {
    await context.close()
    web.close()
    expect(wrongs.splice(0)).toEqual([])
  })

  /** A new visitor, before the first page. */
  async function arrive(html: string, options: { gpc?: boolean } = {}): Promise<Page> {
    body = html
    // A site for each: what the browser of the last one still sends is not this one's.
    web = await aTrackedSite(address, server.source.writeKey, () => body)
    context = await browser.newContext({ userAgent })
    if (options.gpc === true)
      await context.addInitScript(`Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { value: true })`)
    return newTab()
  }
  async function newTab(): Promise<Page> {
    const page = await context.newPage()
    page.on('pageerror', (error) => wrongs.push(`threw ${error.message}`))
    page.on('console', (message) => {
      if (/Content Security Policy|Interlock:/.test(message.text())) wrongs.push(message.text())
    })
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url())
      if (protocol.startsWith('http') && origin !== web.site && origin !== web.door && !/other[.]example/.test(origin))
        wrongs.push(`asked ${request.url()}`)
    })
    return page
  }
  const named = (name: string) => web.sent().filter((one) => one.event === name)
  const views = () => web.sent().filter((one) => one.type === 'page')
  const arrived = (many: () => readonly unknown[], count: number) =>
    expect.poll(() => many().length, { timeout: 10_000, interval: 25 }).toBe(count)
  const kept = (page: Page) =>
    page.evaluate<{ cookie: string; names: string[] }>(
      '({ cookie: document.cookie, names: [...Object.keys(localStorage), ...Object.keys(sessionStorage)] })',
    )
  const say = (page: Page, script: string) => page.evaluate(script)
  /** How often each message was stored. */
  async function stored(events: readonly Sent[]) {
    await server.collect.drained()
    const rows = await server.clickhouse.query<{ events: string }>(
      'SELECT count() AS events FROM event WHERE message_id IN {ids:Array(String)}',
      { ids: [...new Set(events.map((one) => one.messageId))] },
    )
    return Number(rows[0]?.events)
  }

  it('a page view arrives and is stored, with page, campaign, session and consent, and nothing of the query but the campaign', async () => {
    const page = await arrive(snippet())
    await page.goto(`${web.site}/Läden?utm_source=brev&utm_campaign=höst&token=secret#part`)
    await arrived(views, 1)
    const [view] = views()
    expect(view).toMatchObject({
      properties: { path: '/L%C3%A4den', title: expect.stringContaining('Sida') as string },
      context: { campaign: { source: 'brev', name: 'höst' }, session: { count: 1 } },
    })
    expect(JSON.stringify(web.asked)).not.toMatch(/secret|#part/)
    expect(web.asked[0]?.context).toMatchObject({
      library: { name: '@interlock/browser' },
      consent: { status: 'granted', because: 'implied' },
    })
    await server.collect.drained()
    const rows = await server.clickhouse.query<Record<string, string>>(
      `SELECT anonymous_id, context.campaign.name::String AS campaign, context.session.id::String AS session, context.consent.status::String AS consent
         FROM event WHERE message_id = {id:String}`,
      { id: view?.messageId ?? '' },
    )
    expect(rows).toEqual([
      { anonymous_id: view?.anonymousId, campaign: 'höst', session: view?.context.session.id, consent: 'granted' },
    ])
    // The next page is of the same visitor and the same session; a new campaign begins another.
    await page.goto(`${web.site}/two`)
    await arrived(views, 2)
    await page.goto(`${web.site}/three?utm_source=annons`)
    await arrived(views, 3)
    const [one, two, three] = views()
    expect(new Set(views().map((event) => event.anonymousId)).size).toBe(1)
    expect(two?.context.session).toEqual(one?.context.session)
    expect(three?.context.session).toMatchObject({ count: 2 })
    expect(three?.context.session.id).not.toBe(one?.context.session.id)
  })

  it('an application of one page: each new address is a view, a filter that is rewritten in place is none', async () => {
    const page = await arrive(snippet())
    await page.goto(`${web.site}/start`)
    await arrived(views, 1)
    await say(page, `history.pushState({}, '', '/list?page=2'); document.title = 'List'`)
    await arrived(views, 2)
    await say(page, `history.replaceState({}, '', '/list?filter=red')`)
    await say(page, `history.back()`)
    await arrived(views, 3)
    await say(page, `interlock('track', 'End')`)
    await arrived(() => named('End'), 1)
    expect(views().map((view) => [view.properties['path'], view.properties['title']])).toEqual([
      ['/start', 'Sida /start'],
      ['/list', 'List'],
      ['/start', expect.anything()],
    ])
    expect(views()[1]?.properties['referrer']).toBe(`${web.site}/start`)
  })

  it('identify, group, alias and reset are as Segment’s, and traits are not stored on the device', async () => {
    const page = await arrive(snippet())
    await page.goto(`${web.site}/`)
    await arrived(views, 1)
    await say(
      page,
      `interlock.identify('åsa-1', { email: 'asa@il.example' }); interlock.track('Known'); interlock.group('firma', { name: 'Åsa AB' });
       interlock.alias('åsa-2'); interlock.page('Shop', 'Cart', { items: 2 })`,
    )
    await arrived(() => web.sent(), 6)
    const [, identify, known, group, alias, cart] = web.sent()
    expect(identify).toMatchObject({ type: 'identify', userId: 'åsa-1', traits: { email: 'asa@il.example' } })
    expect(known).toMatchObject({ userId: 'åsa-1', anonymousId: identify?.anonymousId })
    expect(group).toMatchObject({ type: 'group', groupId: 'firma', traits: { name: 'Åsa AB' } })
    expect(alias).toMatchObject({ type: 'alias', userId: 'åsa-2', previousId: 'åsa-1' })
    expect(cart).toMatchObject({ type: 'page', category: 'Shop', name: 'Cart', properties: { items: 2, path: '/' } })
    expect(await say(page, 'JSON.stringify(localStorage)')).not.toContain('asa@')
    await say(page, `interlock.reset(); interlock.track('Somebody else')`)
    await arrived(() => named('Somebody else'), 1)
    const [other] = named('Somebody else')
    expect(other?.userId).toBeUndefined()
    expect(other?.anonymousId).not.toBe(known?.anonymousId)
    expect(other?.context.session.id).not.toBe(known?.context.session.id)
    expect(await stored(web.sent())).toBe(7)
  })

  it('with consent required nothing is stored and nothing is sent before a yes; then what waited is sent', async () => {
    const page = await arrive(snippet('data-consent="required"') + '<a href="https://other.example/x">x</a>')
    await page.goto(`${web.site}/one`)
    await page.waitForFunction('window.interlock')
    await say(page, `interlock.track('Before', {}); interlock.flush()`)
    await page.goto(`${web.site}/two`)
    await page.waitForFunction('window.interlock')
    await say(
      page,
      `interlock.track('Before', { second: true }); interlock.flush(); new Promise((done) => setTimeout(done, 600))`,
    )
    expect(web.asked).toEqual([])
    expect(await kept(page)).toEqual({ cookie: '', names: [] })
    expect(await context.cookies()).toEqual([])

    await say(page, `interlock.consent({ analytics: true })`)
    await arrived(() => named('Before'), 1)
    expect(web.asked[0]?.context).toMatchObject({ consent: { status: 'granted', because: 'answer' } })
    expect(views().map((view) => view.properties['path'])).toEqual(['/two'])
    expect((await kept(page)).cookie).toContain('interlock_anonymous=')
    await page.goto(`${web.site}/three`)
    await arrived(() => views().filter((view) => view.properties['path'] === '/three'), 1)

    // A no afterwards takes everything away and ends it.
    await say(page, `interlock.consent({ analytics: false }); interlock.track('After')`)
    expect(await kept(page)).toEqual({ cookie: '', names: [] })
    const before = web.asked.length
    await page.goto(`${web.site}/four`)
    await page.waitForFunction('window.interlock')
    await say(page, `new Promise((done) => setTimeout(done, 600))`)
    expect(web.asked.length).toBe(before)
  })

  it('with Global Privacy Control nothing is stored, nobody is named, and the events say denied', async () => {
    const page = await arrive(snippet(), { gpc: true })
    await page.goto(`${web.site}/one`)
    await arrived(views, 1)
    await say(page, `interlock.identify('asa'); interlock.track('Seen')`)
    await arrived(() => named('Seen'), 1)
    expect(await kept(page)).toEqual({ cookie: '', names: [] })
    await page.goto(`${web.site}/two`)
    await arrived(views, 2)
    expect(new Set(views().map((view) => view.anonymousId)).size).toBe(2)
    expect(web.sent().filter((one) => one.type === 'identify' || one.userId !== undefined)).toEqual([])
    expect(web.asked.map((one) => one.context['consent'])).toEqual(
      web.asked.map(() => ({ status: 'denied', because: 'gpc' })),
    )
    // An answer for this site outranks the signal.
    await say(page, `interlock.consent({ analytics: true })`)
    expect((await kept(page)).cookie).toContain('interlock_anonymous=')
  })

  it('cookieless stores nothing, and a signal that means off sends nothing', async () => {
    const page = await arrive(snippet('data-cookieless'))
    await page.goto(`${web.site}/one`)
    await arrived(views, 1)
    expect(await kept(page)).toEqual({ cookie: '', names: [] })
    await context.close()
    web.close()
    const silent = await arrive(snippet('data-privacy-signal="off"'), { gpc: true })
    await silent.goto(`${web.site}/one`)
    await silent.waitForFunction('window.interlock')
    await say(silent, `new Promise((done) => setTimeout(done, 600))`)
    expect(web.asked).toEqual([])
  })

  it('a form is told without its values, also where a field hides the form’s own properties, and not at all when it opted out', async () => {
    const form = (more: string, id: string) =>
      `<form ${more} id="${id}" name="letter" action="/join?mail=x" method="post"><input name="id" value="13"><input name="action"><input name="email" value="asa@il.example"><button>Go</button></form>`
    const page = await arrive(snippet() + form('', 'news') + form('data-interlock-ignore', 'secret'))
    for (const id of ['secret', 'news']) {
      await page.goto(`${web.site}/`)
      await page.waitForFunction('window.interlock')
      await page.locator(`form#${id} button`).click()
      await page.waitForURL(/join/)
      await page.waitForFunction('window.interlock')
    }
    await arrived(() => (new Set(named('Form Submitted').map((one) => one.messageId)).size === 1 ? [1] : []), 1)
    expect(named('Form Submitted')[0]?.properties).toEqual({ id: 'news', name: 'letter', action: '/join' })
    expect(JSON.stringify(web.asked)).not.toMatch(/asa@il|mail=x/)
  })

  it('a click on a link elsewhere and on a file is told by host and path', async () => {
    const page = await arrive(
      `${snippet()}<a id="out" href="https://other.example/path?who=asa#x"><b>out</b></a><a id="file" href="/price.PDF">file</a><a id="in" href="#in">in</a>`,
    )
    await page.goto(`${web.site}/`)
    await arrived(views, 1)
    await say(page, `addEventListener('click', (event) => event.preventDefault())`)
    for (const id of ['in', 'file', 'out']) await page.click(`#${id}`)
    await arrived(() => named('Outbound Link Clicked'), 1)
    expect(
      web
        .sent()
        .slice(1)
        .map((one) => [one.event, one.properties]),
    ).toEqual([
      ['File Downloaded', { host: new URL(web.site).host, path: '/price.PDF' }],
      ['Outbound Link Clicked', { host: 'other.example', path: '/path' }],
    ])
  })

  it('web vitals and the hosts that were loaded from leave by a beacon with the page, and are stored once', async () => {
    const page = await arrive(
      `${snippet('data-resource-rate="1"')}<h1>Rubrik</h1><img src="https://other.example/a/secret.png?x=1" alt=""><button>b</button>`,
    )
    await page.goto(`${web.site}/`)
    await arrived(views, 1)
    await page.click('button')
    await say(page, `new Promise((done) => setTimeout(done, 300))`)
    await page.goto('about:blank')
    await arrived(() => named('Resources Seen'), 1)
    expect(web.asked.at(-1)?.beacon).toBe(true)
    const [vitals] = named('Web Vitals')
    expect(vitals?.properties).toMatchObject({
      lcp_ms: expect.any(Number) as number,
      fcp_ms: expect.any(Number) as number,
      ttfb_ms: expect.any(Number) as number,
      cls: expect.any(Number) as number,
    })
    expect(vitals?.context['page']).toMatchObject({ path: '/' })
    expect(named('Resources Seen')[0]?.properties).toEqual({
      resources: [
        { host: new URL(web.door).host, initiatorTypes: expect.arrayContaining(['script']) as string[] },
        { host: 'other.example', initiatorTypes: ['img'] },
      ],
    })
    // The next page sends again what no answer came for; the server knows it.
    await page.goto(`${web.site}/next`)
    await arrived(views, 2)
    const all = web.sent()
    expect(await stored(all)).toBe(new Set(all.map((one) => one.messageId)).size)
  })

  it('what happens offline is sent once, online, in its order', async () => {
    const page = await arrive(snippet())
    await page.goto(`${web.site}/`)
    await arrived(views, 1)
    await context.setOffline(true)
    await say(page, `for (let number = 0; number < 30; number++) interlock.track('Offline', { number })`)
    await say(page, `new Promise((done) => setTimeout(done, 500))`)
    expect(named('Offline')).toEqual([])
    await context.setOffline(false)
    await arrived(() => named('Offline'), 30)
    expect(named('Offline').map((one) => one.properties['number'])).toEqual(Array.from({ length: 30 }, (_, at) => at))
    expect(await stored(web.sent())).toBe(31)
  })

  it('a server that says 503 is asked again after what it said, with the same messages', async () => {
    const page = await arrive(snippet())
    web.refuse.push({ status: 503, headers: { 'retry-after': '2' } })
    const began = performance.now()
    await page.goto(`${web.site}/`)
    await arrived(() => web.asked, 1)
    await arrived(views, 1)
    expect(performance.now() - began).toBeGreaterThan(2_000)
    expect(web.asked.map((one) => one.status)).toEqual([503, 200])
    expect(web.asked[0]?.events[0]?.messageId).toBe(web.asked[1]?.events[0]?.messageId)
    expect(await stored(web.sent())).toBe(1)
    expect((await kept(page)).names.filter((name) => /queue|retry/.test(name))).toEqual([])
  })

  it('two tabs send what waits once', async () => {
    const first = await arrive(snippet())
    await first.goto(`${web.site}/a`)
    await arrived(views, 1)
    const second = await newTab()
    await second.goto(`${web.site}/b`)
    await arrived(views, 2)
    await context.setOffline(true)
    for (const [at, tab] of [first, second].entries())
      await say(
        tab,
        `for (let number = 0; number < 25; number++) interlock.track('Tab', { number: number + ${String(at * 25)} })`,
      )
    await context.setOffline(false)
    await expect.poll(() => new Set(named('Tab').map((one) => one.messageId)).size, { timeout: 10_000 }).toBe(50)
    await say(first, `new Promise((done) => setTimeout(done, 500))`)
    expect(named('Tab')).toHaveLength(50)
    expect(new Set(web.sent().map((one) => one.context.session.id)).size).toBe(1)
    expect(await stored(web.sent())).toBe(52)
  })

  it('an unknown key is said in the console and drops what it was for, and the page goes on', async () => {
    const page = await arrive('<script async src="DOOR/interlock.js" data-write-key="nobody"></script>')
    await page.goto(`${web.site}/`)
    await arrived(() => web.asked, 1)
    expect(web.asked[0]?.status).toBe(401)
    await expect.poll(() => wrongs.splice(0)).toEqual([expect.stringContaining('Interlock: 401')])
    expect((await kept(page)).names.filter((name) => name.includes('queue'))).toEqual([])
  })
})
