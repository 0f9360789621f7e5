import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ask, runningServer } from '../../apps/server/control.ts'
import { openEngines } from '../../apps/server/engines.ts'
import { systemClock } from '../../platform/clock/clock.ts'
import { readConfig } from '../../platform/config/config.ts'
import { silentLog } from '../../platform/log/log.ts'
import { aBrowser, chromiumPath } from '../browser.ts'
import { aProduct } from '../faults/parts/product.ts'
import type { House, Part } from './house.ts'
import { matrix } from './matrix.ts'
import { leaving } from './leaving.ts'
import { ownAnswers } from './own-answers.ts'
import { mutated } from './mutated.ts'
import { aShop } from './shop.ts'
import { removeDataDirs } from '../../platform/data-dir/remove.ts'

/**
 * `npm run conformance`: the four real clients against the whole product, with a proxy between them that answers with every status and then
 * passes on. Exit code 1 when an event is lost that another try could have saved, when one is stored twice, or when a page asked another host.
 */
const say = (line: string) => {
  process.stdout.write(`${line}\n`)
}

// RudderStack's SDK tells every failed try to the console; here they are made on purpose.
for (const level of ['log', 'warn', 'error'] as const) console[level] = () => undefined

async function aFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function run(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-conformance-'))
  const dataDir = join(folder, 'data')
  const port = await aFreePort()
  let product = await aProduct(dataDir, port)
  const local = () => {
    const server = runningServer(dataDir)
    if (server === undefined) throw new Error('The product does not say where it is.')
    return server
  }
  const house: House = {
    dataDir,
    port,
    async source(name, { kind = 'server', ...more } = {}) {
      const made = await ask(local(), 'POST', '/api/sources', { name, kind, ...more })
      return (made as { writeKey: string }).writeKey
    },
    async restart() {
      await product.stop()
      product = await aProduct(dataDir, port)
    },
    say,
  }
  try {
    if (chromiumPath === undefined)
      say('There is no Chromium: the browser clients are left out. Install it: apt-get install -y chromium')
    const [browser, shop] =
      chromiumPath === undefined ? [undefined, undefined] : await Promise.all([aBrowser(), aShop()])
    const parts: Part[] = []
    try {
      const browsers = browser === undefined || shop === undefined ? undefined : { browser, shop }
      const all: Record<string, () => Promise<Part | undefined>> = {
        matrix: () => matrix(house, browsers),
        leaving: async () => (browsers === undefined ? undefined : leaving(house, browsers)),
        answers: () => ownAnswers(house, browsers),
        mutated: () => mutated(house),
      }
      const wanted = process.argv.slice(2)
      for (const name of wanted.length > 0 ? wanted : Object.keys(all)) {
        const part = await all[name]?.()
        if (part !== undefined) parts.push(part)
      }
    } finally {
      await Promise.all([browser?.close(), shop?.close()])
    }
    for (;;) {
      const { total } = (await ask(local(), 'GET', '/api/collect/ledger')) as { total: { inFlight: number } }
      if (total.inFlight === 0) break
      await systemClock.sleep(200)
    }
    await product.stop()
    const engines = await openEngines(readConfig({}, { dataDir }), silentLog)
    try {
      const rows = await engines.clickhouse.query<{ message_id: string; events: string }>(
        'SELECT message_id, count() AS events FROM event GROUP BY message_id',
      )
      const stored = new Map(rows.map((row) => [row.message_id, Number(row.events)]))
      const held = parts.map((part) => part.judge(stored)).every(Boolean)
      say(held ? 'Every client delivers what it can, once, to nobody else.' : '✕ A promise was broken.')
      return held
    } finally {
      await engines.close()
    }
  } finally {
    await product.kill().catch(() => undefined)
    await removeDataDirs(folder)
  }
}

process.exitCode = (await run().catch((error: unknown) => {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return false
}))
  ? 0
  : 1
