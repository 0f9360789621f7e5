import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aBrowser, chromiumPath } from '../../../test/browser.ts'
import { driveBrowser } from '../../../test/conformance/browser-clients.ts'
import { browserClients, delivers, troubles } from '../../../test/conformance/expected.ts'
import { leave } from '../../../test/conformance/leaving.ts'
import { aProxy, type Exchange } from '../../../test/conformance/proxy.ts'
import { aShop, type Shop } from '../../../test/conformance/shop.ts'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'

/** The small half of `npm run conformance`: the guide's own lines in Chromium, on what we answer most. */
describe.skipIf(chromiumPath === undefined)('the real SDKs in Chromium, by the lines of the guide', () => {
  let server: CollectServer
  let browser: Browser
  let shop: Shop
  let port = 0
  beforeAll(async () => {
    ;[server, browser, shop] = await Promise.all([aCollectServer({ kind: 'web' }), aBrowser(), aShop()])
    await server.app.listen({ host: '127.0.0.1', port: 0 })
    port = (server.app.server.address() as AddressInfo).port
  })
  afterAll(async () => {
    await Promise.all([browser.close(), shop.close()])
    await server.close()
  })

  /** How often each message of these requests is stored. */
  async function stored(exchanges: readonly Exchange[]): Promise<number[]> {
    await server.collect.drained()
    const ids = [...new Set(exchanges.flatMap((one) => one.messageIds))]
    const rows = await server.clickhouse.query<{ message_id: string; events: string }>(
      'SELECT message_id, count() AS events FROM event WHERE message_id IN {ids:Array(String)} GROUP BY message_id',
      { ids },
    )
    return rows.map((row) => Number(row.events))
  }

  it.concurrent.each(
    browserClients.flatMap((client) => ['200', '503 after 2 s'].map((trouble) => ({ client, trouble }))),
  )(
    '$client delivers what it can after $trouble, once, and asks nobody else (C10–C14)',
    async ({ client, trouble }) => {
      const met = troubles[trouble]
      const proxy = await aProxy({ port }, met === undefined ? undefined : { trouble: met, times: 1 })
      const { writeKey } = server.source
      const { elsewhere } = await driveBrowser(browser, shop, client, {
        proxy,
        writeKey,
        person: `${client} ${trouble}`,
      })
      await proxy.close()
      expect(elsewhere).toEqual([])
      expect(await stored(proxy.exchanges)).toEqual(delivers[client](trouble) ? [1, 1, 1] : [])
    },
  )

  it.concurrent.each(browserClients)(
    '%s brings what a visitor did in the moment of leaving, once (C14)',
    async (client) => {
      const proxy = await aProxy({ port }, undefined)
      const left = await leave({ browser, shop }, client, { proxy, writeKey: server.source.writeKey, awayMs: 1000 })
      await proxy.close()
      expect(left.elsewhere).toEqual([])
      // Two calls of the last moment, and the page views of both visits.
      expect(await stored(left.exchanges)).toEqual([1, 1, 1, 1])
    },
  )
})
