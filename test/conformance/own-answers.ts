import type { Browser } from 'playwright-core'
import { systemClock } from '../../platform/clock/clock.ts'
import { aVisitor, ready } from './browser-clients.ts'
import { clients, everyoneRetries, type BrowserClient, type Client } from './expected.ts'
import { driveNode } from './node-clients.ts'
import { aProxy, type Proxy } from './proxy.ts'
import type { House, Part } from './house.ts'
import type { Shop } from './shop.ts'
import { table } from './table.ts'

interface Seen {
  client: Client
  story: string
  sent: number
  ids: Set<string>
  answers: number[]
}

/** Whoever tries again. Beacons are left out: nobody looks at the answer. */
const patient = ['segment-node', 'rudderstack-node', 'segment-snippet', 'segment-npm', 'rudderstack-npm'] as const
const fine = [200, 204, 304]

/**
 * What we answer ourselves when we cannot take an event: a source that is too fast (429), a server that is stopped and started
 * again. Everything arrives in the end, and no answer is one after which any client gives up.
 */
export async function ownAnswers(house: House, browsers: { browser: Browser; shop: Shop } | undefined): Promise<Part> {
  const seen: Seen[] = []
  const those = patient.filter((client) => browsers !== undefined || client.endsWith('-node'))

  /** A client that calls `calls` times, one every `everyMs`. */
  async function send(story: string, client: (typeof those)[number], writeKey: string, calls: number, everyMs: number) {
    const proxy = await aProxy(house, undefined)
    try {
      let sent = calls
      if (client === 'segment-node' || client === 'rudderstack-node') {
        await driveNode(client, { url: proxy.url, writeKey, person: `${client} ${story}` }, { events: calls, everyMs })
      } else if (browsers !== undefined) {
        await visit(browsers, client, proxy, { writeKey, calls, everyMs })
        sent += 1
      }
      const ids = new Set(proxy.exchanges.flatMap((exchange) => exchange.messageIds))
      seen.push({ client, story, sent, ids, answers: [...proxy.ownAnswers].sort((a, b) => a - b) })
    } finally {
      await proxy.close()
    }
  }

  house.say('A source that sends more than it may …')
  await Promise.all(
    those.map(async (client) =>
      send('too fast', client, await house.source(`Too fast ${client}`, { kind: 'web', eventsPerSecond: 3 }), 70, 0),
    ),
  )
  house.say('A server that is stopped and started while everybody sends …')
  const writeKey = await house.source('Restarted', { kind: 'web' })
  await Promise.all([
    ...those.map((client) => send('restart', client, writeKey, 60, 100)),
    systemClock.sleep(3500).then(() => house.restart()),
  ])

  return {
    judge(stored) {
      const rows = [['client', 'our trouble', 'sent', 'stored', 'twice', 'our answers', '']]
      let held = true
      for (const { client, story, sent, ids, answers } of seen) {
        const here = [...ids].filter((id) => stored.has(id)).length
        const twice = [...ids].filter((id) => (stored.get(id) ?? 0) > 1).length
        const wrong = [
          here === sent ? '' : 'lost',
          twice === 0 ? '' : 'stored twice',
          answers.every(
            (status) => fine.includes(status) || (everyoneRetries as readonly string[]).includes(String(status)),
          )
            ? ''
            : 'an answer after which somebody gives up',
        ].filter((text) => text !== '')
        held &&= wrong.length === 0
        rows.push([
          clients[client],
          story,
          ...[sent, here, twice].map(String),
          answers.join(' '),
          wrong.length === 0 ? '✓' : `✕ ${wrong.join('; ')}`,
        ])
      }
      house.say(table(rows))
      // How many come while the bucket is empty is a matter of a client's own pace; that nobody did would be none.
      const told = seen.some(({ answers }) => answers.includes(429))
      if (!told) house.say('✕ Nobody was ever told to wait: this tried nothing.')
      return held && told
    },
  }
}

async function visit(
  { browser, shop }: { browser: Browser; shop: Shop },
  client: BrowserClient,
  proxy: Proxy,
  at: { writeKey: string; calls: number; everyMs: number },
): Promise<void> {
  const { context, page } = await aVisitor(browser, shop, proxy)
  try {
    await page.goto(shop.page(client, { url: proxy.url, writeKey: at.writeKey }))
    await ready(page)
    await page.evaluate(async ({ calls, everyMs }) => {
      const { analytics } = window as unknown as { analytics: { track(name: string, more: object): unknown } }
      for (let number = 0; number < calls; number++) {
        analytics.track('Køb', { number })
        if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs))
      }
    }, at)
    const until = performance.now() + 90_000
    while (proxy.acknowledged().size < at.calls + 1 && performance.now() < until) await systemClock.sleep(50)
  } finally {
    await context.close()
  }
}
