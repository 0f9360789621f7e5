import { createReadStream } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { ask, runningServer, type RunningServer } from '../../../apps/server/control.ts'
import { openEngines } from '../../../apps/server/engines.ts'
import { writeCustomers } from '../../../bench/import.ts'
import type { Import } from '../../../modules/imports/contract.ts'
import type { Source } from '../../../modules/sources/contract.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { readConfig } from '../../../platform/config/config.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { aProduct, type Product } from '../parts/product.ts'
import { removeDataDirs } from '../../../platform/data-dir/remove.ts'

export const summary =
  'A CSV of a million rows, one in a hundred of them bad; SIGKILL to the whole product in the middle, twice. It goes on by itself, and every row counts once.'

const rows = 1_000_000
const badEvery = 100
/** Shares of the file at which the product is killed. */
const killAt = [0.3, 0.7]

export const run = (say: (line: string) => void) => strike(rows, say)

/** @returns whether every row was counted once and every good one is stored once */
export async function strike(count: number, say: (line: string) => void): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-faults-import-'))
  const dataDir = join(folder, 'data')
  const file = join(folder, 'customers.csv')
  const port = await aFreePort()
  let product: Product | undefined
  try {
    await writeCustomers(file, count, badEvery)
    product = await aProduct(dataDir, port)
    const { id, sourceId } = await begin(dataDir, file)
    for (const share of killAt) {
      const before = await until(dataDir, id, (one) => one.state !== 'running' || one.bytesRead > one.bytes * share)
      await product.kill()
      say(`killed at ${counted(before)}, state ${before.state}`)
      product = await aProduct(dataDir, port)
      say(`up again after ${String(Math.round(product.readyMs))} ms`)
    }
    const done = await until(dataDir, id, (one) => one.state !== 'running')
    say(`ended ${done.state}: ${counted(done)}`)
    await allStored(dataDir)
    await product.stop()
    product = undefined
    const engines = await openEngines(readConfig({}, { dataDir }), silentLog)
    try {
      const [found] = await engines.clickhouse.query<{ events: string; messages: string; people: string }>(
        `SELECT count() AS events, uniqExact(message_id) AS messages, uniqExact(external_ids[1].value) AS people FROM event WHERE source_id = {sourceId:String}`,
        { sourceId },
      )
      const bad = Math.floor(count / badEvery)
      const good = count - bad
      say(
        `stored: ${String(found?.events)} events, ${String(found?.messages)} message ids, ${String(found?.people)} customers; ${String(good)} were good`,
      )
      const { counts } = done
      return (
        done.state === 'done' &&
        counts !== null &&
        counts.rows === count &&
        counts.rejected === bad &&
        counts.sent + counts.unchanged === good &&
        [found?.events, found?.messages, found?.people].every((one) => Number(one) === good)
      )
    } finally {
      await engines.close()
    }
  } finally {
    await product?.kill()
    await removeDataDirs(folder)
  }
}

const counted = ({ counts }: Import) =>
  counts === null
    ? 'nothing yet'
    : `${String(counts.rows)} rows = ${String(counts.sent)} sent + ${String(counts.unchanged)} unchanged + ${String(counts.rejected)} rejected`

async function begin(dataDir: string, file: string): Promise<Import> {
  const server = serverOf(dataDir)
  const source = (await ask(server, 'POST', '/api/sources', { name: 'Old CRM', kind: 'crm' })) as Source
  const query = new URLSearchParams({ sourceId: source.id, fileName: 'customers.csv' })
  const body = Readable.toWeb(createReadStream(file))
  const { id } = (await ask(server, 'POST', `/api/imports?${query.toString()}`, body)) as Import
  return (await ask(server, 'POST', `/api/imports/${id}/run`)) as Import
}

/** Waits for at most an hour. */
async function until(dataDir: string, id: string, holds: (now: Import) => boolean): Promise<Import> {
  for (let tries = 0; tries < 36_000; tries++) {
    const now = (await ask(serverOf(dataDir), 'GET', `/api/imports/${id}`)) as Import
    if (holds(now)) return now
    await systemClock.sleep(100)
  }
  throw new Error('The import does not get on.')
}

async function allStored(dataDir: string): Promise<void> {
  for (let tries = 0; tries < 3_600; tries++) {
    // A machine that stores a million events may be too busy to say how many.
    const ledger = (await ask(serverOf(dataDir), 'GET', '/api/collect/ledger').catch(() => undefined)) as
      { total: { inFlight: number } } | undefined
    if (ledger?.total.inFlight === 0) return
    await systemClock.sleep(1_000)
  }
  throw new Error('The pipeline does not get on.')
}

function serverOf(dataDir: string): RunningServer {
  const server = runningServer(dataDir)
  if (server === undefined) throw new Error('The product is not running.')
  return server
}

async function aFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
