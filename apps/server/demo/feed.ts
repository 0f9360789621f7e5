import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { systemClock } from '../../../platform/clock/clock.ts'
import type { App } from '../build.ts'
import { dice } from './dice.ts'
import { people, type DemoPerson } from './people.ts'
import { asCsv, crmColumns, crmExport, newsletterColumns, newsletterList } from './records.ts'
import type { Id } from '../../../lib/ids/ids.ts'
import { products, sessionsOf, shopUserId, type ShopEvent } from './shop.ts'

export const demoSeed = 20_261_124
export const demoPeople = 20_000
const days = 120
const dayMs = 86_400_000

/** The company of a seed: the same people, products and records every time. */
export function company(seed: number, count: number): { chance: ReturnType<typeof dice>; everybody: DemoPerson[] } {
  const chance = dice(seed)
  return { chance, everybody: people(chance.fork('people'), count) }
}

/**
 * Customers come in by the same doors as anybody's: shop events through collect, the old CRM and the newsletter list as files through imports.
 * The truth is written beside the data, for tests and for whoever wants to check what identity made of it.
 */
export async function feed(
  app: App,
  directory: string,
  progress: (says: string, share: number) => void,
  stopping: () => boolean,
): Promise<void> {
  const { chance, everybody } = company(demoSeed, demoPeople)
  const catalogue = products(chance.fork('products'))
  const now = systemClock.ms()
  const start = now - days * dayMs
  const bySource = new Map(app.sources.list().map((source) => [source.name, source]))
  const source = (name: string) => {
    const found = bySource.get(name)
    if (found === undefined) throw new Error(`the demo company has no source ${name}`)
    return found
  }

  const crm = crmExport(chance.fork('crm'), everybody, 9_000)
  const newsletter = newsletterList(chance.fork('newsletter'), everybody, now)
  const files = [
    ['Old CRM', 'crm-export-2026.csv', asCsv(crmColumns, crm, ';')],
    ['Newsletter list', 'newsletter.csv', asCsv(newsletterColumns, newsletter, ',')],
  ] as const
  writeFileSync(
    join(directory, 'truth.json'),
    JSON.stringify({
      seed: demoSeed,
      people: everybody.map((person) => ({
        number: person.number,
        userId: person.inShop ? shopUserId(person) : null,
        email: person.email,
        inShop: person.inShop,
        inCrm: person.inCrm,
        inNewsletter: person.inNewsletter,
      })),
      crm: crm.map((row) => [row.cells['CUST_NO'], row.person]),
    }),
    { mode: 0o600 },
  )

  const shoppers = everybody.filter((person) => person.inShop)
  let waiting: { web: ShopEvent[]; app: ShopEvent[]; till: ShopEvent[] } = { web: [], app: [], till: [] }
  const flush = async () => {
    const now = waiting
    waiting = { web: [], app: [], till: [] }
    if (now.web.length > 0) await app.collect.accept(source('Web shop'), now.web, 'demo')
    if (now.app.length > 0) await app.collect.accept(source('Shop app'), now.app, 'demo')
    if (now.till.length > 0) await app.collect.accept(source('Tills'), now.till, 'demo')
  }
  for (const [index, person] of shoppers.entries()) {
    if (stopping()) return
    for (const event of sessionsOf(person, chance.fork(`shop ${String(person.number)}`), catalogue, start, days)) {
      const library = (event.context['library'] as { name: string } | undefined)?.name
      if (library === 'till') waiting.till.push(event)
      else if (library === 'analytics-kotlin') waiting.app.push(event)
      else waiting.web.push(event)
    }
    if (waiting.web.length + waiting.app.length + waiting.till.length >= 4_000) {
      await flush()
      progress('120 days of the web shop, the app and the tills come in.', (index / shoppers.length) * 0.6)
    }
  }
  await flush()
  const read = new Set((await app.imports.list()).filter((one) => one.state === 'done').map((one) => one.fileName))
  for (const [at, [name, fileName, text]] of files.entries()) {
    if (read.has(fileName)) continue
    progress(`The file ${fileName} is read.`, 0.6 + at * 0.1)
    const uploaded = await app.imports.upload(
      { kind: 'api-key', accountId: 'demo' as Id<'account'>, name: 'the demo company' },
      source(name).id,
      fileName,
      Readable.from([Buffer.from(text)]),
    )
    await app.imports.through(uploaded.id, 'run')
    if (stopping()) return
  }
  progress('The last events are put where they belong.', 0.85)
  await app.collect.drained()
}
