import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ask, runningServer } from '../../../apps/server/control.ts'
import { openEngines, type Engines } from '../../../apps/server/engines.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { readConfig } from '../../../platform/config/config.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { aFreePort, aProduct } from '../parts/product.ts'
import type { ClientReport } from '../parts/sdk-client.ts'
import { median, table } from '../parts/table.ts'
import { removeDataDirs } from '../../../platform/data-dir/remove.ts'

export const summary =
  'SIGKILL to the whole product every two seconds for a minute, while the real Segment and RudderStack SDKs send.'

const libraries = [
  { name: 'segment', package: '@segment/analytics-node' },
  { name: 'rudderstack', package: '@rudderstack/rudder-sdk-node' },
]
const seconds = 60
const aliveMs = 2000

export async function run(say: (line: string) => void): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-faults-'))
  const dataDir = join(folder, 'data')
  const port = await aFreePort()
  try {
    const struck: Struck[] = []
    for (const library of libraries) {
      say(`${library.package} sends for ${String(seconds)} s; the product is killed whenever it was up for two …`)
      struck.push(await strike(dataDir, port, library.name))
    }
    const engines = await openEngines(readConfig({}, { dataDir }), silentLog)
    try {
      const rows = [
        [
          'client',
          'sent',
          'acknowledged',
          'given up',
          'stored',
          'duplicated',
          'lost',
          'people wrong',
          'kills',
          'restart ms',
        ],
      ]
      let held = true
      for (const [at, { report, kills, restarts }] of struck.entries()) {
        const library = libraries[at]
        if (library === undefined) continue
        const found = await count(engines, library.name, report)
        held &&= found.lost === 0 && found.duplicated === 0 && found.wrong.length === 0 && kills > 0
        rows.push([
          library.package,
          ...[report.sent.length, report.acknowledged.length, report.failed].map(String),
          ...[found.stored, found.duplicated, found.lost, found.wrong.length, kills].map(String),
          `${String(median(restarts))} (most ${String(Math.max(...restarts))})`,
        ])
        for (const one of found.wrong.slice(0, 5)) say(`✕ ${one}`)
      }
      say(table(rows))
      say(
        held
          ? 'Everything acknowledged is stored exactly once, and each person is one profile with the traits they have.'
          : '✕ A promise was broken.',
      )
      return held
    } finally {
      await engines.close()
    }
  } finally {
    await removeDataDirs(folder)
  }
}

interface Struck {
  report: ClientReport
  kills: number
  /** Milliseconds each, from the kill until it answered again. */
  restarts: number[]
}

/** One client for its minute; resolves when it has an answer to each call and everything is stored. */
async function strike(dataDir: string, port: number, library: string): Promise<Struck> {
  let product = await aProduct(dataDir, port)
  try {
    return await struck()
  } finally {
    await product.kill()
  }

  async function struck(): Promise<Struck> {
    const local = () => {
      const server = runningServer(dataDir)
      if (server === undefined) throw new Error('The product does not say where it is.')
      return server
    }
    const source = (await ask(local(), 'POST', '/api/sources', { name: `Läden ${library}`, kind: 'server' })) as {
      writeKey: string
    }
    const client = fork(
      join(import.meta.dirname, '../parts/sdk-client.ts'),
      [library, `http://127.0.0.1:${String(port)}`, source.writeKey, String(seconds)],
      { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] },
    )
    let ending = ''
    const leave = () => client.kill('SIGKILL')
    process.once('exit', leave)
    const reported = once(client, 'message').then(([report]) => report as ClientReport)
    const died = once(client, 'disconnect')
    client.once('exit', (code, signal) => (ending = String(signal ?? code)))
    let kills = 0
    const restarts: number[] = []
    const began = performance.now()
    while (performance.now() - began < seconds * 1000) {
      await systemClock.sleep(aliveMs)
      const at = performance.now()
      await product.kill()
      kills += 1
      product = await aProduct(dataDir, port)
      restarts.push(Math.round(performance.now() - at))
    }
    const report = await Promise.race([
      reported,
      died.then(() => {
        throw new Error(`The client ended before it reported: ${ending}.`)
      }),
    ])
    await died
    process.off('exit', leave)
    for (;;) {
      const { total } = (await ask(local(), 'GET', '/api/collect/ledger')) as { total: { inFlight: number } }
      if (total.inFlight === 0) break
      await systemClock.sleep(200)
    }
    await product.stop()
    return { report, kills, restarts }
  }
}

/** What the stores have of a client's calls, by the number that each call carries. */
async function count({ clickhouse, postgres }: Engines, library: string, report: ClientReport) {
  const rows = await clickhouse.query<{ number: string; events: string; people: string }>(
    `SELECT if(type = 'identify', traits.number::String, properties.number::String) AS number, count() AS events, any(user_id) AS people
       FROM event WHERE startsWith(user_id, {prefix:String}) GROUP BY number`,
    { prefix: `${library}-` },
  )
  const events = new Map(rows.map((row) => [Number(row.number), Number(row.events)]))
  const stored = [...events.values()].reduce((sum, one) => sum + one, 0)
  const lost = report.acknowledged.filter((number) => !events.has(number)).length

  const people = await postgres.query<{
    user_id: string
    profiles: string
    traits: Record<string, unknown> | null
    email: string | null
  }>(
    `SELECT i.value AS user_id, count(*) AS profiles, (array_agg(p.traits))[1] AS traits, (array_agg(p.email))[1] AS email
       FROM identity.identifier i LEFT JOIN profiles.profile p ON p.id = i.profile_id
      WHERE i.type = 'user_id' AND i.value LIKE $1 GROUP BY i.value`,
    [`${library}-%`],
  )
  const byUser = new Map(people.map((row) => [row.user_id, row]))
  const wrong: string[] = []
  const numbers = new Map<number, { last: number | undefined }>()
  for (const { number, person, kind } of report.sent) {
    if (!events.has(number)) continue
    const known = numbers.get(person) ?? { last: undefined }
    if (kind === 'identify') known.last = number
    numbers.set(person, known)
  }
  for (const [person, { last }] of numbers) {
    const userId = `${library}-${String(person)}`
    const row = byUser.get(userId)
    if (row === undefined || Number(row.profiles) !== 1 || row.traits === null)
      wrong.push(`${userId} is not one profile`)
    else if (last !== undefined && row.traits['number'] !== last)
      wrong.push(`${userId} has the trait number ${String(row.traits['number'])}, not ${String(last)}`)
    else if (last !== undefined && row.email !== `${userId}@läden.example`)
      wrong.push(`${userId} has the address ${String(row.email)}`)
  }
  const [strays] = await clickhouse.query<{ users: string }>(
    `SELECT count() AS users FROM (SELECT user_id FROM event AS e WHERE startsWith(user_id, {prefix:String}) GROUP BY user_id HAVING uniqExact(profile_id) <> 1)`,
    { prefix: `${library}-` },
  )
  if (Number(strays?.users) > 0)
    wrong.push(`the events of ${strays?.users ?? ''} people lie with more than one profile`)
  return { stored, duplicated: stored - events.size, lost, wrong }
}
