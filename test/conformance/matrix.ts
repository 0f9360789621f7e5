import type { Browser } from 'playwright-core'
import { driveBrowser } from './browser-clients.ts'
import { browserClients, clients, delivers, everyoneRetries, troubles, type Client } from './expected.ts'
import { driveNode } from './node-clients.ts'
import { aProxy, type Exchange, type Proxy } from './proxy.ts'
import type { House, Part } from './house.ts'
import type { Shop } from './shop.ts'
import { table } from './table.ts'

interface Case {
  client: Client
  trouble: string
}
interface Seen extends Case {
  sent: number
  /** What the client says itself, or, in a browser, what it got a 2xx for. */
  acknowledged: number
  elsewhere: string[]
  exchanges: Exchange[]
}

/** Pages at a time: most of them wait. */
const atOnce = 8

/** Every client meets every trouble: those for Node twice, those in a browser once; then the way is free. */
export async function matrix(house: House, browsers: { browser: Browser; shop: Shop } | undefined): Promise<Part> {
  const seen: Seen[] = []
  const writeKeys = { node: await house.source('Läden Node'), web: await house.source('Läden web', { kind: 'web' }) }

  async function through(
    one: Case,
    times: number,
    drive: (proxy: Proxy) => Promise<Pick<Seen, 'sent' | 'acknowledged' | 'elsewhere'>>,
  ) {
    const trouble = troubles[one.trouble]
    const proxy = await aProxy(house, trouble === undefined ? undefined : { trouble, times })
    try {
      seen.push({ ...one, ...(await drive(proxy)), exchanges: proxy.exchanges })
    } finally {
      await proxy.close()
    }
  }

  const names = Object.keys(troubles)
  house.say(`The clients for Node, ${String(names.length)} answers each …`)
  await Promise.all(
    (['segment-node', 'rudderstack-node'] as const).flatMap((client) =>
      names.map((trouble) =>
        through({ client, trouble }, 2, async (proxy) => ({
          ...(await driveNode(client, { url: proxy.url, writeKey: writeKeys.node, person: `${client} ${trouble}` })),
          elsewhere: [],
        })),
      ),
    ),
  )
  if (browsers !== undefined) {
    const cases = browserClients.flatMap((client) => names.map((trouble) => ({ client, trouble })))
    house.say(`The clients in Chromium, ${String(cases.length)} pages …`)
    const waiting = [...cases]
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
          const { client, trouble } = one
          await through(one, 1, async (proxy) => ({
            ...(await driveBrowser(browsers.browser, browsers.shop, client, {
              proxy,
              writeKey: writeKeys.web,
              person: `${client} ${trouble}`,
            })),
            acknowledged: proxy.acknowledged().size,
          }))
        }
      }),
    )
  }

  return {
    judge(stored) {
      let held = true
      const rows = [['client', 'answer', 'sent', 'acknowledged', 'stored', 'twice', 'expected', 'first wait', '']]
      const order = Object.keys(clients)
      for (const one of seen.toSorted(
        (a, b) =>
          order.indexOf(a.client) - order.indexOf(b.client) || names.indexOf(a.trouble) - names.indexOf(b.trouble),
      )) {
        const ids = new Set(one.exchanges.flatMap((exchange) => exchange.messageIds))
        const here = [...ids].filter((id) => stored.has(id)).length
        const twice = [...ids].reduce((sum, id) => sum + Math.max(0, (stored.get(id) ?? 0) - 1), 0)
        const wanted = delivers[one.client](one.trouble) ? one.sent : 0
        const wrong = [
          ids.size === one.sent ? '' : `${String(ids.size)} messages for ${String(one.sent)} calls`,
          here < wanted ? 'lost, although another try would have saved it' : '',
          twice > 0 ? 'stored twice' : '',
          one.acknowledged > here && one.trouble !== '301' ? 'acknowledged and not stored' : '',
          one.elsewhere.length > 0 ? `asked ${one.elsewhere.join(', ')}` : '',
        ].filter((text) => text !== '')
        held &&= wrong.length === 0
        rows.push([
          clients[one.client],
          one.trouble,
          ...[one.sent, one.acknowledged, here, twice].map(String),
          wanted === 0 ? 'lost' : `${String(wanted)} stored`,
          firstWait(one.exchanges),
          wrong.length > 0 ? `✕ ${wrong.join('; ')}` : here > wanted ? '✓ better: the browser itself tried again' : '✓',
        ])
      }
      house.say(table(rows))
      house.say(
        `Everybody tries again after ${everyoneRetries.join(', ')}. A 301 counts as delivered for the clients and brings nothing: it is never sent here.`,
      )
      return held
    },
  }
}

/** How long the first message waited between its first two tries. */
function firstWait(exchanges: readonly Exchange[]): string {
  const [first] = exchanges
  const id = first?.messageIds[0]
  if (first === undefined || id === undefined) return '–'
  const again = exchanges.slice(1).find((one) => one.messageIds.includes(id))
  return again === undefined ? '–' : `${((again.atMs - first.atMs) / 1000).toFixed(1)} s`
}
