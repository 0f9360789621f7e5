import { ask, runningServer, type RunningServer } from '../../../apps/server/control.ts'
import { openEngines } from '../../../apps/server/engines.ts'
import type { Ledger } from '../../../modules/collect/contract.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { readConfig } from '../../../platform/config/config.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { aProduct, type Product } from '../parts/product.ts'
import { aSender, type Sender, type SenderReport } from '../parts/sender.ts'

/** The product on a data directory, with a sender at its door. */
export interface House {
  product: Product
  /** SIGKILL to all of it, and up again. @returns milliseconds from the kill until it answered */
  killAndRestart(): Promise<number>
  /** While the sender goes on: until no more is in flight than it sends in a second. @returns milliseconds */
  drained(): Promise<number>
  ledger(): Promise<Ledger>
}

/** One line of the table: what was done, and what is left. */
export interface Outcome {
  fault: string
  sent: number
  acknowledged: number
  stored: number
  duplicated: number
  lost: number
  /** Acknowledged and in no state, as the ledger says it, and what its sums do not explain. */
  residue: number
  says: string
  /** What else was promised and did not hold. */
  broken: string[]
}

/** @param work breaks things; what it returns is said in the table */
export async function underFire(
  fault: string,
  place: { dataDir: string; port: number; eventsPerSecond: number },
  work: (house: House, sender: Sender) => Promise<{ says: string; broken?: string[] }>,
): Promise<Outcome> {
  const { dataDir, port } = place
  const name = fault.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  let product = await aProduct(dataDir, port)
  const local = (): RunningServer => {
    const server = runningServer(dataDir)
    if (server === undefined) throw new Error('The product does not say where it is.')
    return server
  }
  /** While the database is away the ledger cannot be read; it is asked again. */
  const settled = async (most: number) => {
    while (((await house.ledger().catch(() => undefined))?.total.inFlight ?? Infinity) > most)
      await systemClock.sleep(200)
  }
  const house: House = {
    get product() {
      return product
    },
    async killAndRestart() {
      const at = performance.now()
      await product.kill()
      product = await aProduct(dataDir, port)
      return Math.round(performance.now() - at)
    },
    async ledger() {
      return (await ask(local(), 'GET', '/api/collect/ledger')) as Ledger
    },
    async drained() {
      const at = performance.now()
      await settled(place.eventsPerSecond)
      return Math.round(performance.now() - at)
    },
  }
  try {
    const source = (await ask(local(), 'POST', '/api/sources', { name: `Fault ${name}`, kind: 'server' })) as {
      writeKey: string
    }
    const sender = aSender(name, `http://127.0.0.1:${String(port)}`, source.writeKey, place.eventsPerSecond)
    const { says, broken = [] } = await work(house, sender)
    const report = await sender.stop()
    await settled(0)
    const { total, lost } = await house.ledger()
    const unexplained =
      total.received - total.stored - total.deduplicated - total.quarantined - total.rejected - total.inFlight
    await product.stop()
    const found = await count(dataDir, name, report)
    return {
      fault,
      sent: report.sent,
      acknowledged: report.acknowledged.length,
      ...found,
      residue: Math.abs(lost) + Math.abs(unexplained),
      says,
      broken,
    }
  } finally {
    await product.kill()
  }
}

async function count(dataDir: string, name: string, report: SenderReport) {
  const engines = await openEngines(readConfig({}, { dataDir }), silentLog)
  try {
    const rows = await engines.clickhouse.query<{ message_id: string; events: string }>(
      'SELECT message_id, count() AS events FROM event WHERE startsWith(message_id, {prefix:String}) GROUP BY message_id',
      { prefix: `${name}-` },
    )
    const stored = new Set(rows.map((row) => row.message_id))
    const all = rows.reduce((sum, row) => sum + Number(row.events), 0)
    return {
      stored: stored.size,
      duplicated: all - stored.size,
      lost: report.acknowledged.filter((number) => !stored.has(`${name}-${String(number)}`)).length,
    }
  } finally {
    await engines.close()
  }
}
