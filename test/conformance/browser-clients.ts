import type { Browser, BrowserContext, Page } from 'playwright-core'
import { systemClock } from '../../platform/clock/clock.ts'
import type { BrowserClient } from './expected.ts'
import type { Proxy } from './proxy.ts'
import type { Shop } from './shop.ts'

/** What a page did. */
export interface Visit {
  sent: number
  /** Requests to anybody but the shop and the proxy, by their address; all were stopped. */
  elsewhere: string[]
}

/** So long nobody hears of a message before it counts as given up: the longest first wait of the four clients, twice. */
const silenceMs = 9000

/** Opens the shop in a browser profile of its own, with every request to other hosts stopped and noted. */
export async function aVisitor(
  browser: Browser,
  shop: Shop,
  proxy: Proxy,
): Promise<{ context: BrowserContext; page: Page; elsewhere: string[] }> {
  const context = await browser.newContext()
  const elsewhere: string[] = []
  const ours = [new URL(shop.plain).origin, proxy.url]
  const isOurs = (url: string) =>
    ours.some((origin) => url.startsWith(`${origin}/`)) || /^(?:data|blob|about):/.test(url)
  context.on('request', (request) => {
    if (!isOurs(request.url())) elsewhere.push(request.url())
  })
  await context.route(
    (url) => !isOurs(url.href),
    (route) => route.abort(),
  )
  return { context, page: await context.newPage(), elsewhere }
}

/** The SDK is there and not only the queue that stands in for it. */
export async function ready(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const { analytics } = window as unknown as { analytics: { ready(call: () => void): unknown } }
        analytics.ready(() => {
          resolve()
        })
      }),
  )
}

/** Two calls beside the page view of the guide's lines. */
export const say = (page: Page, person: string) =>
  page.evaluate((person) => {
    const { analytics } = window as unknown as {
      analytics: Record<'track' | 'identify', (name: string, more: object) => unknown>
    }
    analytics.identify(person, { by: 'browser' })
    analytics.track('Køb', { person })
  }, person)

/** Three events: the page view, an identify and a track. Waits until all were taken, or nobody hears of the rest any more. */
export async function driveBrowser(
  browser: Browser,
  shop: Shop,
  client: BrowserClient,
  at: { proxy: Proxy; writeKey: string; person: string },
): Promise<Visit> {
  const { context, page, elsewhere } = await aVisitor(browser, shop, at.proxy)
  try {
    await page.goto(shop.page(client, { url: at.proxy.url, writeKey: at.writeKey }))
    await ready(page)
    await say(page, at.person)
    // Beacons leave every ten seconds, or with the visitor.
    if (client === 'rudderstack-beacon') await page.goto(shop.plain)
    await settled(at.proxy, 3)
    return { sent: 3, elsewhere }
  } finally {
    await context.close()
  }
}

/** Until so many messages have a 2xx, or no request came for a while. */
export async function settled(proxy: Proxy, messages: number, patienceMs = silenceMs): Promise<void> {
  const began = performance.now()
  for (;;) {
    if (proxy.acknowledged().size >= messages) return
    const last = proxy.exchanges.at(-1)?.atMs ?? began
    if (performance.now() - last > patienceMs) return
    await systemClock.sleep(50)
  }
}
