import { mkdir, readdir, rename, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'
import { aPostgres } from '../../../test/make/engines.ts'
import { aReceiver } from '../../../test/make/receiver.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { createEgress } from '../../../platform/egress/open-egress.ts'
import { createFiles } from '../../../platform/files/files.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { createJobs, prepareJobs } from '../../../platform/jobs/worker.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { createIds, seededRandom, systemRandom } from '../../../platform/random/random.ts'
import { createSecrets } from '../../../platform/secrets/secrets.ts'
import { createAudit } from '../../audit/server/index.ts'
import { createImports } from '../../imports/server/index.ts'
import type { Place } from '../contract.ts'
import { createStandingImports } from './index.ts'

const day = 86_400_000
let offset = 0
const clock = { ...systemClock, ms: () => systemClock.ms() + offset, now: () => new Date(systemClock.ms() + offset) }
const caller: Caller = {
  kind: 'person',
  accountId: 'account_ивайло' as never,
  name: 'Ивайло',
  side: 'it',
  roles: [],
  permissions: new Set(['data.write']),
  sessionId: undefined,
  steppedUpAtMs: undefined,
}
let server: CollectServer
let postgres: Awaited<ReturnType<typeof aPostgres>>
let inbox: string
const registry = new Registry()
const receiver = await aReceiver()

/** One process, whose imports may be changed to make it die, on the engines and folders that all share. */
function aLife(changes: Partial<ReturnType<typeof createImports>> = {}, metrics = new Registry()) {
  const jobs = createJobs({ postgres, address: postgres.address, log: silentLog, concurrency: 1 })
  const shared = {
    postgres,
    clock,
    ids: createIds(clock, systemRandom),
    log: silentLog,
    jobs,
    audit: createAudit({ postgres, clock }),
    sources: server.sources,
  }
  const imports = createImports({
    ...shared,
    files: createFiles(join(server.folder, 'files')),
    collect: server.collect,
  })
  const standing = createStandingImports({
    ...shared,
    secrets: createSecrets(new Uint8Array(32).fill(7), seededRandom(4)),
    egress: createEgress({ allow: [receiver.place] }),
    imports: { ...imports, ...changes },
    folders: [join(server.folder, 'Eingang')],
    mayBePlain: (place) => place === receiver.place,
    registry: metrics,
  })
  return { imports, standing, jobs }
}
let life: ReturnType<typeof aLife>

let count = 0
async function aStanding(place: Place, secret?: string) {
  const source = await server.sources.create(caller, { name: `Kunden ${String(count)}`, kind: 'crm' })
  const made = await life.standing.create(caller, {
    name: `Kunden jede Nacht ${String((count += 1))} “é”`,
    sourceId: source.id,
    place,
    secret,
  })
  return made.id
}
async function aFolder(changes: Partial<Extract<Place, { kind: 'folder' }>> = {}) {
  const folder = join(inbox, `Büro ${String((count += 1))}`)
  await mkdir(folder)
  const id = await aStanding({ kind: 'folder', folder, pattern: '*.csv', done: false, ...changes })
  const put = async (name: string, text: string, hoursAgo = 1) => {
    const at = clock.ms() / 1000 - hoursAgo * 3600
    await writeFile(join(folder, name), text)
    await utimes(join(folder, name), at, at)
  }
  /** Two looks, as far apart as a file has to stay as it is. */
  const look = async () => {
    await life.standing.through(id)
    offset += 11_000
    return life.standing.through(id)
  }
  return { id, folder, put, look }
}
/** Reads the file that asks in, as a person does on the page of its import. */
async function answer(id: Parameters<typeof life.standing.get>[0]) {
  const { importId } = (await life.standing.get(id)).last ?? {}
  if (importId == null) throw new Error('nothing asks')
  await life.imports.run(caller, importId)
  await vi.waitFor(
    async () => {
      expect((await life.imports.get(importId)).state).toBe('done')
    },
    { timeout: 20_000, interval: 50 },
  )
}
const takings = async (id: Parameters<typeof life.standing.get>[0]) =>
  (await life.standing.takings(id)).map(({ fileName, state }) => [fileName, state])
async function cityOf(customer: string): Promise<string[]> {
  await server.collect.drained()
  const rows = await server.clickhouse.query<{ city: string }>(
    `SELECT e.traits.address.city::String AS city FROM event AS e WHERE arrayExists(one -> one.value = {customer:String}, e.external_ids) ORDER BY e.position`,
    { customer },
  )
  return rows.map((row) => row.city)
}

beforeAll(async () => {
  postgres = await aPostgres()
  await prepareJobs(postgres.address)
  server = await aCollectServer({ postgres })
  inbox = join(server.folder, 'Eingang')
  await mkdir(inbox)
  life = aLife({}, registry)
  await life.jobs.start()
})
afterAll(async () => {
  await life.jobs.stop()
  await server.close()
})

describe('files that are put into a folder', () => {
  it('are taken when they stayed as they are between two looks; the first one asks, those like it are read by themselves', async () => {
    const { id, put, look } = await aFolder()
    await put('kunden-1.csv', 'CUST_NO;CITY\nf1;Paris\n', 3)
    await put('notizen.txt', 'nothing for us')
    expect((await life.standing.through(id)).look.says).toContain('stayed as it is for ten seconds')
    expect(await takings(id)).toEqual([])
    const asks = await look()
    expect(asks.last).toMatchObject({ fileName: 'kunden-1.csv', state: 'open', asks: { first: true } })
    expect(await cityOf('f1')).toEqual([])

    await answer(id)
    await put('kunden-2.csv', 'CITY;CUST_NO\nLyon;f1\n', 2)
    const done = await look()
    expect(await takings(id)).toEqual([
      ['kunden-2.csv', 'read'],
      ['kunden-1.csv', 'read'],
    ])
    expect(done.last?.counts).toMatchObject({ rows: 1, sent: 1 })
    expect(await cityOf('f1')).toEqual(['Paris', 'Lyon'])
    expect(Date.parse(done.freshness.freshAt ?? '')).toBeCloseTo(clock.ms() - 2 * 3_600_000, -5)
  })

  it('are not taken while they grow, nor overtaken by a newer one', async () => {
    const { id, put, look } = await aFolder()
    await put('a.csv', 'CUST_NO;CITY\ng1;Pa', 2)
    await put('b.csv', 'CUST_NO;CITY\ng1;Lyon\n', 1)
    await life.standing.through(id)
    offset += 11_000
    await put('a.csv', 'CUST_NO;CITY\ng1;Paris\n', 2)
    await life.standing.through(id)
    expect(await takings(id)).toEqual([])
    await look()
    expect(await takings(id)).toEqual([['a.csv', 'open']])
  })

  it('are taken once each by what is in them, whatever they are called, and moved to done/ when they were read', async () => {
    const { id, folder, put, look } = await aFolder({ done: true })
    await put('kunden.csv', 'CUST_NO;CITY\nh1;Köln\n', 4)
    await look()
    await answer(id)
    await look()
    expect(await readdir(folder)).toEqual(['done'])
    await put('kunden noch einmal.csv', 'CUST_NO;CITY\nh1;Köln\n', 2)
    await look()
    expect(await takings(id)).toEqual([['kunden.csv', 'read']])
    expect(await readdir(join(folder, 'done'))).toEqual(['kunden noch einmal.csv', 'kunden.csv'])
    // The same name with other rows is another file.
    await put('kunden.csv', 'CUST_NO;CITY\nh1;Malmö\n', 1)
    await look()
    expect(await cityOf('h1')).toEqual(['Köln', 'Malmö'])
    expect(await readdir(join(folder, 'done'))).toHaveLength(3)
  })

  it('stop with a question when their columns changed, and the next ones wait until it is answered or left out', async () => {
    const { id, put, look } = await aFolder()
    await put('1.csv', 'CUST_NO;Stadt;Seit\ni1;Köln;2020-01-01\n', 5)
    await look()
    await answer(id)
    await put('2.csv', 'CUST_NO;Stadt;Alter\ni1;Lyon;42\n', 4)
    await put('3.csv', 'CUST_NO;Stadt;Seit\ni1;Malmö;2020-01-01\n', 3)
    const asks = await look()
    expect(asks.last).toMatchObject({
      fileName: '2.csv',
      state: 'open',
      asks: { first: false, added: ['Alter'], missing: ['Seit'] },
    })
    expect(asks.look.says).toContain('waits for an answer')
    await look()
    expect(await takings(id)).toHaveLength(2)
    await life.standing.leave(caller, id)
    await look()
    expect((await takings(id)).slice(0, 2)).toEqual([
      ['3.csv', 'read'],
      ['2.csv', 'left'],
    ])
  })

  it('stop with a question when they are written otherwise, though their columns have the same names', async () => {
    const { id, put, look } = await aFolder()
    await put('1.csv', 'CUST_NO;Stadt\nu1;Köln\n', 5)
    await look()
    await answer(id)
    await put('2.csv', 'CUST_NO,Stadt\nu1,Lyon\n', 4)
    expect((await look()).last).toMatchObject({
      fileName: '2.csv',
      state: 'open',
      asks: { first: false, added: [], missing: [] },
    })
  })

  it('that are no table are named and left where they are, and the next one has its turn', async () => {
    const { id, folder, put, look } = await aFolder({ done: true })
    await put('leer.csv', '', 5)
    await put('kunden.csv', 'CUST_NO;CITY\nj1;Köln\n', 4)
    await look()
    expect(await takings(id)).toEqual([
      ['kunden.csv', 'open'],
      ['leer.csv', 'refused'],
    ])
    await look()
    expect(await readdir(folder)).toContain('leer.csv')
  })

  it('that are links out of the allowed folder are refused and named', async () => {
    const { folder, look } = await aFolder()
    await writeFile(join(server.folder, 'geheim.csv'), 'CUST_NO;CITY\nk1;Köln\n')
    await symlink(join(server.folder, 'geheim.csv'), join(folder, 'kunden.csv'))
    expect((await look()).look.says).toContain('“kunden.csv” is not taken: a link that leads out')
    await expect(aStanding({ kind: 'folder', folder: server.folder, pattern: '*', done: false })).rejects.toThrow(
      'not allowed',
    )
  })

  it('are looked for in vain when the folder is gone, and the page says so until it is back', async () => {
    const { folder, look } = await aFolder()
    await rename(folder, `${folder} weg`)
    expect((await look()).look).toMatchObject({
      failed: true,
      says: expect.stringContaining('There is no folder') as string,
    })
    await rename(`${folder} weg`, folder)
    expect((await look()).look).toMatchObject({ failed: false })
  })

  it('are read on by the next process when one died between taking and reading', async () => {
    const { id, put, look } = await aFolder()
    await put('1.csv', 'CUST_NO;Ort\nl1;Köln\n', 5)
    await look()
    await answer(id)
    await look()
    await put('2.csv', 'CUST_NO;Ort\nl1;Lyon\n', 4)
    const { standing: dying } = aLife({ readIn: () => Promise.reject(new Error('killed')) })
    await dying.through(id)
    offset += 11_000
    await dying.through(id)
    expect(await takings(id)).toEqual([
      ['2.csv', 'open'],
      ['1.csv', 'read'],
    ])
    await life.standing.through(id)
    expect(await takings(id)).toEqual([
      ['2.csv', 'read'],
      ['1.csv', 'read'],
    ])
  })
})

describe('a file on a server', () => {
  const at = (path: string, auth: 'none' | 'basic' | 'bearer' = 'none', user = ''): Place => ({
    kind: 'https',
    url: `${receiver.url}${path}`,
    auth,
    user,
  })

  it('is read when it is new, by its mark or by what is in it, and the secret stays in the house', async () => {
    const id = await aStanding(at('/export/Kunden%202026.csv', 'basic', 'export'), 'geheim:é')
    let body = 'CUST_NO;CITY\ns1;Paris\n'
    receiver.answer = ({ headers }) =>
      headers['if-none-match'] === `"${String(body.length)}"`
        ? { status: 304 }
        : { status: 200, headers: { etag: `"${String(body.length)}"` }, body }
    const first = await life.standing.through(id)
    expect(first.last).toMatchObject({ fileName: 'Kunden 2026.csv', asks: { first: true } })
    expect(receiver.arrived.at(-1)?.headers.authorization).toBe(
      `Basic ${Buffer.from('export:geheim:é').toString('base64')}`,
    )
    await answer(id)
    expect((await life.standing.through(id)).look.says).toBe('The file is the one that is here.')
    expect(receiver.arrived.at(-1)?.headers['if-none-match']).toBe('"22"')

    body = 'CUST_NO;CITY\ns1;Marseille\n'
    await life.standing.through(id)
    expect(await cityOf('s1')).toEqual(['Paris', 'Marseille'])
    // A server without marks sends the same again: nothing is taken twice.
    receiver.answer = () => ({ status: 200, body })
    expect((await life.standing.through(id)).look.says).toBe('The file is the one that is here.')
    expect(await takings(id)).toHaveLength(2)
    const all = JSON.stringify([
      await life.standing.list(),
      await createAudit({ postgres, clock }).list({ limit: 100 }),
    ])
    expect(all).not.toContain('geheim:é')

    await expect(life.standing.place(caller, id, at('/anders.csv', 'basic', 'admin'), undefined)).rejects.toThrow(
      'Say the password',
    )
    await expect(
      life.standing.place(caller, id, at('/anders.csv', 'basic', 'export'), undefined),
    ).resolves.toBeDefined()
  })

  it.each([
    [401, 'does not let us in'],
    [302, 'points elsewhere'],
    [500, 'answered 500'],
  ])('that answers %i is told in words', async (status, says) => {
    const id = await aStanding(at('/x.csv'))
    receiver.answer = () => ({ status, headers: { location: 'http://127.0.0.1:1/' } })
    expect((await life.standing.through(id)).look).toMatchObject({
      failed: true,
      says: expect.stringContaining(says) as string,
    })
  })

  it.each([
    ['http://crm.example/x.csv', 'must begin with https'],
    ['https://me:secret@crm.example/x.csv', 'have fields of their own'],
  ])('is not asked at %s', async (url, because) => {
    await expect(aStanding({ kind: 'https', url, auth: 'none', user: '' })).rejects.toThrow(because)
  })

  it('inside the own network is not asked unless that was allowed', async () => {
    const id = await aStanding({ kind: 'https', url: 'https://127.0.0.1:8443/x.csv', auth: 'none', user: '' })
    expect((await life.standing.through(id)).look).toMatchObject({
      failed: true,
      says: expect.stringContaining('not allowed') as string,
    })
  })
})

describe('a promise of freshness', () => {
  it('is kept by the schedule, red when it is missed, and not by what is paused', async () => {
    const { id, put } = await aFolder()
    await life.standing.settings(caller, id, { schedule: '*/5 * * * *', promiseHours: 24 })
    await put('1.csv', 'CUST_NO;Ort;Land\nm1;Köln;DE\n', 1)
    const looked = async () => (await life.standing.get(id)).look.at
    const before = await looked()
    offset += 301_000
    await life.standing.start()
    life.standing.stop()
    await vi.waitFor(
      async () => {
        expect(await looked()).not.toBeNull()
      },
      { timeout: 20_000 },
    )
    const next = Date.parse((await life.standing.get(id)).nextAt ?? '')
    expect(next).toBeGreaterThan(clock.ms())
    expect(before).toBeNull()
    expect((await life.standing.get(id)).freshness.missed).toBe(false)
    offset += day + 1000
    const now = await life.standing.get(id)
    expect(now.freshness).toMatchObject({ freshAt: null, missed: true })
    expect(await registry.metrics()).toContain(
      `interlock_standing_import_promise_missed{standing_import="${now.name}"} 1`,
    )

    await life.standing.settings(caller, id, { paused: true })
    expect((await life.standing.get(id)).nextAt).toBeNull()
    await expect(life.standing.settings(caller, id, { schedule: 'nightly' })).rejects.toThrow('five fields')
  })
})
