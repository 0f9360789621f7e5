import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Misuse } from '../apps/server/commands/command.ts'
import { openEngines, type Engines } from '../apps/server/engines.ts'
import type { Id } from '../lib/ids/ids.ts'
import { qualityOf } from '../lib/linkage/measure.ts'
import { createIdentity } from '../modules/identity/server/index.ts'
import { systemClock } from '../platform/clock/clock.ts'
import { readConfig } from '../platform/config/config.ts'
import { removeDataDirs } from '../platform/data-dir/remove.ts'
import { createLog } from '../platform/log/log.ts'
import { createIds, systemRandom } from '../platform/random/random.ts'
import { aDemoServer } from '../test/story/server.ts'

/**
 * `npx interlock bench truth [data=DIR]`: what the whole pipeline makes of the demo company's customers (web shop, app, tills, an old CRM with slips, nicknames, shared household
 * addresses and people entered twice, a newsletter list), held against who they really are: over all pairs of customer numbers, addresses and devices. With `data=`, of a demo
 * that was loaded and stopped before.
 */
export const name = 'truth'

interface Truth {
  people: { number: number; userId: string | null; email: string }[]
  crm: [customer: string, person: number][]
}

export async function run(words: readonly string[] = []) {
  const given = words.find((word) => word.startsWith('data='))?.slice('data='.length)
  if (words.length > (given === undefined ? 0 : 1)) throw new Misuse('Say: bench truth [data=DIR]')
  if (given !== undefined) return held(given)
  const server = await aDemoServer(() => undefined)
  await server.end()
  try {
    return await held(server.dataDir)
  } finally {
    await removeDataDirs(dirname(server.dataDir))
  }
}

async function held(dataDir: string) {
  const truth = JSON.parse(readFileSync(join(dataDir, 'truth.json'), 'utf8')) as Truth
  const engines = await openEngines(readConfig({}, { dataDir }), createLog('error'))
  try {
    const records = await recordsOf(engines, truth)
    const clusters = new Map<string, number>()
    for (const { profile } of records) if (!clusters.has(profile)) clusters.set(profile, clusters.size)
    const over = (some: readonly Record[]) =>
      qualityOf(
        some.map(({ profile }) => clusters.get(profile) ?? 0),
        some.map(({ person }) => String(person)),
      )
    const all = over(records)
    const figures: { [name: string]: number } = {
      records: records.length,
      people: new Set(records.map(({ person }) => person)).size,
      profiles: clusters.size,
      precision: round(all.precision),
      recall: round(all.recall),
      f1: round(all.f1),
    }
    for (const kind of ['user_id', 'crm_id', 'email', 'device'] as const) {
      const some = records.filter((record) => record.kind === kind)
      figures[`${kind}_records`] = some.length
    }
    for (const [one, other] of [
      ['user_id', 'device'],
      ['user_id', 'email'],
      ['crm_id', 'email'],
      ['crm_id', 'user_id'],
    ] as const) {
      const { precision, recall } = over(records.filter(({ kind }) => kind === one || kind === other))
      figures[`${one}_and_${other}_precision`] = round(precision)
      figures[`${one}_and_${other}_recall`] = round(recall)
    }
    return { figures, notes: await largest(engines, records) }
  } finally {
    await engines.close()
  }
}

const round = (value: number) => Math.round(value * 10_000) / 10_000

interface Record {
  kind: 'user_id' | 'crm_id' | 'email' | 'device'
  person: number
  profile: string
}

/** Everything of which the truth is known, with the profile that it is in. */
async function recordsOf({ postgres, clickhouse }: Engines, truth: Truth): Promise<Record[]> {
  const users = new Map(truth.people.flatMap(({ userId, number }) => (userId === null ? [] : [[userId, number]])))
  const emails = new Map(truth.people.map(({ email, number }) => [email.toLowerCase(), number]))
  const customers = new Map(truth.crm)
  const devices = new Map<string, number>()
  for await (const rows of clickhouse.stream<{ device: string; person: string }>(
    `SELECT DISTINCT anonymous_id AS device, splitByChar('-', message_id)[2] AS person FROM event WHERE anonymous_id != '' AND startsWith(message_id, 'shop-')`,
    {},
  ))
    for (const { device, person } of rows) devices.set(device, Number(person))
  const identifiers = await postgres.query<{ type: string; value: string; profile_id: string }>(
    'SELECT type, value, profile_id FROM identity.identifier ORDER BY no',
  )
  return identifiers.flatMap(({ type, value, profile_id: profile }): Record[] => {
    const [kind, person] =
      type === 'user_id'
        ? (['user_id', users.get(value)] as const)
        : type === 'email'
          ? (['email', emails.get(value)] as const)
          : type === 'anonymous_id'
            ? (['device', devices.get(value)] as const)
            : (['crm_id', customers.get(value)] as const)
    return person === undefined ? [] : [{ kind, person, profile }]
  })
}

/** The profile with most identifiers, and how it came about. */
async function largest({ postgres, clickhouse }: Engines, records: readonly Record[]): Promise<string[]> {
  const [row] = await postgres.query<{ profile_id: string; many: string }>(
    'SELECT profile_id, count(*) AS many FROM identity.identifier GROUP BY profile_id ORDER BY count(*) DESC, profile_id LIMIT 1',
  )
  if (row === undefined) return []
  const identity = createIdentity({
    postgres,
    clickhouse,
    clock: systemClock,
    ids: createIds(systemClock, systemRandom),
    log: createLog('error'),
    isOnDevice: () => true,
  })
  const { identifiers, links, refused, decisions } = await identity.explain(row.profile_id as Id<'profile'>)
  const people = new Set(records.filter(({ profile }) => profile === row.profile_id).map(({ person }) => person))
  return [
    `The largest profile has ${row.many} identifiers of ${String(people.size)} ${people.size === 1 ? 'person' : 'people'}: ${identifiers.map((one) => `${one.type} ${one.value}${one.shared ? ' (shared)' : ''}`).join(', ')}.`,
    ...links.map(
      (link) =>
        `${link.a} and ${link.b}: ${link.rule}, ${String(link.events)} ${link.events === 1 ? 'event' : 'events'}, first ${link.at}${link.holds === null ? '' : '; holds alone'}.`,
    ),
    ...refused.slice(0, 5).map((one) => `Not ${one.a} and ${one.b}: ${one.because}.`),
    ...decisions.slice(0, 5).map((one) => `${one.kind} ${one.identifiers.join(', ')}: ${one.because}.`),
  ]
}
