import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, runningServer } from '../../../apps/server/control.ts'
import { openEngines } from '../../../apps/server/engines.ts'
import type { Ledger } from '../../../modules/collect/contract.ts'
import { readConfig } from '../../../platform/config/config.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { aFreePort, aProduct, below, type Product } from '../parts/product.ts'
import { aSender } from '../parts/sender.ts'
import { table } from '../parts/table.ts'
import { removeDataDirs } from '../../../platform/data-dir/remove.ts'

export const summary =
  'Two nodes that take events in, with two journals, before one that stores: SIGKILL to each in turn, the storing one away for 30 s with its databases.'

const secret = 'a secret that the three processes of this test share'
const eventsPerSecond = 500
const rounds = 3
const awayMs = 30_000

export async function run(say: (line: string) => void): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-faults-'))
  const store = { dataDir: join(folder, 'store'), port: await aFreePort() }
  const running: Product[] = []
  try {
    const environment = { INTERLOCK_SECRET_KEY: secret }
    let main = await aProduct(store.dataDir, store.port, environment)
    running.push(main)
    const link = join(folder, 'postgres')
    const database = await pointAtDatabase(link, main)
    const nodes = await Promise.all(
      ['north', 'south'].map(async (name) => {
        const place = { name, dataDir: join(folder, name), port: await aFreePort() }
        const start = async () =>
          aProduct(place.dataDir, place.port, {
            ...environment,
            INTERLOCK_ROLE: 'collect',
            INTERLOCK_RELAY_URL: `http://127.0.0.1:${String(store.port)}`,
            INTERLOCK_DATABASE_URL: database,
          })
        const product = await start()
        running.push(product)
        return { ...place, start, product }
      }),
    )
    const source = (await ask(local(store.dataDir), 'POST', '/api/sources', { name: 'Two nodes', kind: 'server' })) as {
      writeKey: string
    }
    // The nodes read the keys again every few seconds; until then they would ask the database for it.
    await sleep(6000)
    const senders = nodes.map(({ name, port }) => ({
      name,
      sender: aSender(name, `http://127.0.0.1:${String(port)}`, source.writeKey, eventsPerSecond),
    }))

    let kills = 0
    for (let round = 0; round < rounds; round++)
      for (const node of nodes) {
        await sleep(2000)
        await node.product.kill()
        node.product = await node.start()
        running.push(node.product)
        kills += 1
      }
    const before = senders.map(({ sender }) => sender.acknowledged())
    await main.kill()
    await sleep(awayMs)
    const taken = senders.map(({ sender }, at) => sender.acknowledged() - (before[at] ?? 0))
    main = await aProduct(store.dataDir, store.port, environment)
    running.push(main)
    await pointAtDatabase(link, main)
    say(
      `  ${String(kills)} kills of nodes; while the storing one and its databases were away for ${String(awayMs / 1000)} s the nodes acknowledged ${taken.join(' and ')} events`,
    )

    const reports = await Promise.all(senders.map(async ({ name, sender }) => ({ name, ...(await sender.stop()) })))
    const sent = reports.reduce((sum, one) => sum + one.sent, 0)
    const began = performance.now()
    let ledger = await ledgerOf(store.dataDir)
    while (ledger.total.stored < sent && performance.now() - began < 300_000) {
      await sleep(500)
      ledger = await ledgerOf(store.dataDir)
    }
    while (ledger.total.inFlight > 0) {
      await sleep(200)
      ledger = await ledgerOf(store.dataDir)
    }
    for (const { product } of nodes) await product.stop()
    await main.stop()

    const rows = [['node', 'sent', 'acknowledged', 'stored', 'duplicated', 'lost']]
    let held = ledger.lost === 0 && taken.every((events) => events > (awayMs / 1000) * eventsPerSecond * 0.8)
    const engines = await openEngines(readConfig({}, { dataDir: store.dataDir, secretKey: secret }), silentLog)
    try {
      for (const report of reports) {
        const found = await engines.clickhouse.query<{ message_id: string; events: string }>(
          'SELECT message_id, count() AS events FROM event WHERE startsWith(message_id, {prefix:String}) GROUP BY message_id',
          { prefix: `${report.name}-` },
        )
        const stored = new Set(found.map((row) => row.message_id))
        const all = found.reduce((sum, row) => sum + Number(row.events), 0)
        const lost = report.acknowledged.filter((number) => !stored.has(`${report.name}-${String(number)}`)).length
        held &&= lost === 0 && all === stored.size
        rows.push([
          report.name,
          ...[report.sent, report.acknowledged.length, stored.size, all - stored.size, lost].map(String),
        ])
      }
    } finally {
      await engines.close()
    }
    say(table(rows))
    say(
      `  residue ${String(ledger.lost)}, drained ${String(Math.round((performance.now() - began) / 1000))} s after the senders ended`,
    )
    say(held ? 'Everything a node acknowledged is stored exactly once.' : '✕ A promise was broken.')
    return held
  } finally {
    for (const one of running) await one.kill()
    await removeDataDirs(folder)
  }
}

function local(dataDir: string) {
  const server = runningServer(dataDir)
  if (server === undefined) throw new Error('The product does not say where it is.')
  return server
}
const ledgerOf = async (dataDir: string) => (await ask(local(dataDir), 'GET', '/api/collect/ledger')) as Ledger

/** The database of the storing process, as a server elsewhere would be named: by the folder of its socket, which each start makes anew. */
async function pointAtDatabase(link: string, main: Product): Promise<string> {
  const [pid] = below(main.pid, 'bin/postgres -D')
  const line = (await readFile(`/proc/${String(pid)}/cmdline`, 'utf8')).split('\0').join(' ')
  const directory = /unix_socket_directories=(\S+)/.exec(line)?.[1]
  if (directory === undefined) throw new Error('The database of the product was not found.')
  await rm(link, { force: true })
  await symlink(directory, link)
  return `postgres://interlock@localhost/interlock?host=${encodeURIComponent(link)}`
}
