import type { Browser } from 'playwright-core'
import { systemClock } from '../../platform/clock/clock.ts'
import { aVisitor, ready, settled } from './browser-clients.ts'
import { browserClients, clients, type BrowserClient } from './expected.ts'
import { aProxy, type Exchange, type Proxy } from './proxy.ts'
import type { House, Part } from './house.ts'
import type { Shop } from './shop.ts'
import { table } from './table.ts'

export interface Left {
  client: BrowserClient
  /** Of the calls in the page's last moment: the messages that came in while the visitor was away. */
  atOnce: number
  /** And after the next visit. */
  afterReturn: number
  calls: number
  elsewhere: string[]
  exchanges: Exchange[]
}

/** After about ten seconds a page takes over what an earlier page of the same visitor had begun to send: RudderStack's queues by their time of sign of life. */
const inheritedMs = 25_000

/** A visitor who buys and leaves in the same moment: the calls of a page's last moment, and whether they arrive now or with the next visit. */
export async function leave(
  { browser, shop }: { browser: Browser; shop: Shop },
  client: BrowserClient,
  at: { proxy: Proxy; writeKey: string; awayMs?: number },
): Promise<Left> {
  const { proxy, awayMs = 2500 } = at
  const { context, page, elsewhere } = await aVisitor(browser, shop, proxy)
  try {
    const address = shop.page(client, { url: proxy.url, writeKey: at.writeKey })
    await page.goto(address)
    await ready(page)
    if (client !== 'rudderstack-beacon') await settled(proxy, 1)
    const before = client === 'rudderstack-beacon' ? 0 : 1
    const left = page.waitForURL(shop.plain)
    await page.evaluate((plain) => {
      const { analytics } = window as unknown as { analytics: { track(name: string, more: object): unknown } }
      analytics.track('Sidste', { n: 1 })
      analytics.track('Sidste', { n: 2 })
      location.assign(plain)
    }, shop.plain)
    await left
    await systemClock.sleep(awayMs)
    const atOnce = proxy.acknowledged().size - before
    await page.goto(address)
    await ready(page)
    // The beacon of the second visit's own page view leaves with the visitor too.
    if (client === 'rudderstack-beacon') await page.goto(shop.plain)
    await settled(proxy, 4, inheritedMs)
    return {
      client,
      atOnce: client === 'rudderstack-beacon' ? atOnce - 1 : atOnce,
      afterReturn: proxy.acknowledged().size - 2,
      calls: 2,
      elsewhere,
      exchanges: proxy.exchanges,
    }
  } finally {
    await context.close()
  }
}

export async function leaving(house: House, browsers: { browser: Browser; shop: Shop }): Promise<Part> {
  house.say('Visitors who leave in the moment of their last click …')
  const writeKey = await house.source('Läden, last moments', { kind: 'web' })
  const seen = await Promise.all(
    browserClients.map(async (client) => {
      const proxy = await aProxy(house, undefined)
      try {
        return await leave(browsers, client, { proxy, writeKey })
      } finally {
        await proxy.close()
      }
    }),
  )
  return {
    judge(stored) {
      const rows = [['client', 'leaving', 'calls', 'arrived at once', 'after return', 'stored', 'twice', '']]
      let held = true
      for (const one of seen) {
        const ids = new Set(one.exchanges.flatMap((exchange) => exchange.messageIds))
        const counts = [...ids].map((id) => stored.get(id) ?? 0)
        const here = counts.filter((count) => count > 0).length - 2
        const twice = counts.filter((count) => count > 1).length
        const right = here === one.calls && twice === 0 && one.elsewhere.length === 0
        held &&= right
        rows.push([
          clients[one.client],
          'in the moment of the call',
          ...[one.calls, one.atOnce, one.afterReturn, here, twice].map(String),
          right ? '✓' : `✕ ${one.elsewhere.join(', ')}`,
        ])
      }
      house.say(table(rows))
      return held
    },
  }
}
