import { Readable } from 'node:stream'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'
import { aPostgres } from '../../../test/make/engines.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { createFiles } from '../../../platform/files/files.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { createJobs, prepareJobs } from '../../../platform/jobs/worker.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { createIds, systemRandom } from '../../../platform/random/random.ts'
import { createAudit } from '../../audit/server/index.ts'
import { looksLikeConsent, type Import } from '../contract.ts'
import { createImports, type Imports } from './index.ts'

const day = 86_400_000
let offset = 0
const clock = { ...systemClock, ms: () => systemClock.ms() + offset, now: () => new Date(systemClock.ms() + offset) }
let server: CollectServer
let postgres: Awaited<ReturnType<typeof aPostgres>>
let count = 0
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
type Accept = CollectServer['collect']['accept']

/** One process: its jobs and its imports, on the engines that all share. `accept` may make it stop or die at a certain moment. */
function aLife(accept: Accept = (...of) => server.collect.accept(...of)) {
  const jobs = createJobs({ postgres, address: postgres.address, log: silentLog, concurrency: 1 })
  const imports = createImports({
    postgres,
    clock,
    ids: createIds(clock, systemRandom),
    log: silentLog,
    files: createFiles(join(server.folder, 'files')),
    jobs,
    audit: createAudit({ postgres, clock }),
    sources: server.sources,
    collect: { accept },
    rowsAtOnce: 500,
  })
  return {
    imports,
    jobs,
    async stop() {
      imports.stop()
      await jobs.stop()
    },
  }
}
const files = () => createFiles(join(server.folder, 'files'))
const handIn = (imports: Imports, text: string, name = `Kundenliste ${String((count += 1))}.csv`) =>
  imports.upload(caller, server.source.id, name, Readable.from([Buffer.from(text)]))
const becomes = (imports: Imports, id: Import['id'], state: Import['state']) =>
  vi.waitFor(
    async () => {
      const now = await imports.get(id)
      expect(now.state).toBe(state)
      return now
    },
    { timeout: 20_000, interval: 50 },
  )
/** Cities that the customers of one file were said to live in, in the order in which it was said. */
async function said(customer: string): Promise<string[]> {
  await server.collect.drained()
  const rows = await server.clickhouse.query<{ city: string }>(
    `SELECT e.traits.address.city::String AS city FROM event AS e WHERE e.type = 'identify' AND arrayExists(one -> one.value = {customer:String}, e.external_ids) ORDER BY e.position`,
    { customer },
  )
  return rows.map((row) => row.city)
}
async function stored(prefix: string): Promise<number> {
  await server.collect.drained()
  const [row] = await server.clickhouse.query<{ n: number }>(
    `SELECT toUInt32(count()) AS n FROM event AS e WHERE arrayExists(one -> startsWith(one.value, {prefix:String}), e.external_ids)`,
    { prefix },
  )
  return row?.n ?? 0
}
const table = (prefix: string, rows: number, city = 'Köln') =>
  ['CUST_NO;CITY', ...Array.from({ length: rows }, (_, at) => `${prefix}${String(at)};${city}`)].join('\n')

beforeAll(async () => {
  postgres = await aPostgres()
  await prepareJobs(postgres.address)
  server = await aCollectServer({ postgres })
})
afterAll(() => server.close())

describe('a file that is handed in', () => {
  it('is looked at, corrected, tried dry and read in, and every row is counted once', async () => {
    const life = aLife()
    await life.jobs.start()
    const text =
      'CUST_NO;E-MAIL;CITY\nw1;Åsa@Fjörd.example;Malmö\nw2;keine;Köln\n;;Nirgends\nw1;Åsa@Fjörd.example;Malmö\nw3;c@d.example\n'
    const uploaded = await handIn(life.imports, text)
    expect(uploaded).toMatchObject({ state: 'uploaded', format: { delimiter: ';', hasHeader: true }, counts: null })
    const planned = await life.imports.plan(caller, uploaded.id, uploaded.format, [
      { index: 2, type: 'text', meaning: { kind: 'trait', name: 'address.city' } },
    ])
    expect(planned.columns[2]?.meaning).toEqual({ kind: 'trait', name: 'address.city' })

    await life.imports.check(caller, uploaded.id)
    const counts = { rows: 5, sent: 2, unchanged: 1, rejected: 2, withProblems: 1 }
    const checked = await becomes(life.imports, uploaded.id, 'checked')
    expect(checked.counts).toMatchObject(counts)
    expect(checked.worst.map((row) => [row.line, row.rejected])).toEqual([
      [4, true],
      [6, true],
      [3, false],
    ])
    expect(await stored('w')).toBe(0)

    await life.imports.run(caller, uploaded.id)
    expect((await becomes(life.imports, uploaded.id, 'done')).counts).toMatchObject(counts)
    expect(await stored('w')).toBe(2)

    await life.imports.run(caller, uploaded.id)
    expect((await becomes(life.imports, uploaded.id, 'done')).counts).toMatchObject({
      rows: 5,
      sent: 0,
      unchanged: 3,
      rejected: 2,
    })
    expect(await stored('w')).toBe(2)
    await life.stop()
  })

  it.each([
    ['empty', '', 'The file is empty.'],
    ['no text', 'PK\u0000\u0003', 'This is no text file'],
    ['one endless line', 'a;'.repeat(60_000), 'at most 1,000'],
  ])('is refused when it is %s, and nothing of it stays', async (_what, text, because) => {
    const before = await files().list()
    await expect(handIn(aLife().imports, text)).rejects.toThrow(because)
    expect(await files().list()).toEqual(before)
  })

  it('counts the rows that were put aside at the door apart, also when it goes on after a stop', async () => {
    const { imports } = aLife()
    const text = `CUST_NO;NAME\nq2;Åsa\nq3;Zoë\n;nobody\nq1;${'x'.repeat(300_000)}\n`
    const { id } = await handIn(imports, text)
    const counts = { rows: 4, sent: 2, unchanged: 0, quarantined: 1, rejected: 1 }
    expect((await imports.through(id, 'run')).counts).toMatchObject(counts)
    expect(await stored('q')).toBe(2)
    // As a process leaves it that was killed before it wrote the end down.
    await postgres.query(`UPDATE imports.import SET state = 'uploaded', run = run - 1 WHERE id = $1`, [id])
    expect((await imports.through(id, 'run')).counts).toMatchObject(counts)
    expect((await imports.through(id, 'run')).counts).toMatchObject({ rows: 4, sent: 0, unchanged: 3, quarantined: 0 })
  })

  it('records consent only to a topic that a person chose, and says before how many', async () => {
    const { imports } = aLife()
    const { id, format, columns } = await handIn(imports, 'CUST_NO;Newsletter\nn1;ja\nn2;nein\nn3;ja\n')
    expect(columns[1]?.meaning).toEqual({ kind: 'trait', name: 'newsletter' })
    expect(columns.filter(looksLikeConsent).map(({ name }) => name)).toEqual(['Newsletter'])
    const means = (topic?: string) =>
      imports.plan(caller, id, format, [
        { index: 1, type: 'boolean', meaning: { kind: 'consent', part: 'state', ...(topic && { topic }) } },
      ])
    await means()
    await expect(imports.run(caller, id)).rejects.toThrow('“Newsletter” says whether people agreed, but not to what')
    await means('offers')
    const consents = [{ topic: 'offers', given: 2, withdrawn: 1 }]
    expect((await imports.through(id, 'check')).counts).toMatchObject({ consents })
    expect((await imports.through(id, 'run')).counts).toMatchObject({ consents })
    expect((await imports.through(id, 'check')).counts).toMatchObject({ consents: [] })
  })

  it('needs a column that says whom a row is about', async () => {
    const { imports } = aLife()
    const uploaded = await handIn(imports, 'CITY;COUNTRY\nMalmö;SE\nKöln;DE\n')
    await expect(imports.run(caller, uploaded.id)).rejects.toThrow('No column is an identifier')
  })

  it('names a line that never ends and goes on behind it', async () => {
    const { imports } = aLife()
    const pieces = function* () {
      yield Buffer.from('CUST_NO;CITY\nendless1;Köln\nendless2;')
      const piece = Buffer.alloc(1_048_576, 'x')
      for (let at = 0; at < 20; at++) yield piece
      yield Buffer.from('\nendless3;Malmö\n')
    }
    const uploaded = await imports.upload(caller, server.source.id, 'endless.csv', Readable.from(pieces()))
    const done = await imports.through(uploaded.id, 'run')
    expect(done.counts).toMatchObject({
      rows: 3,
      sent: 2,
      rejected: 1,
      reasons: [{ reason: 'the line is longer than 1,048,576 characters', rows: 1 }],
    })
  })
})

describe('an export that comes again every month', () => {
  it('says again what was said before and changed in between, and nothing that is as it was', async () => {
    const { imports } = aLife()
    for (const [city, counts] of [
      ['Paris', { sent: 2, unchanged: 0 }],
      ['Lyon', { sent: 1, unchanged: 1 }],
      ['Paris', { sent: 1, unchanged: 1 }],
      ['Paris', { sent: 0, unchanged: 2 }],
    ] as const) {
      const { id } = await handIn(imports, `CUST_NO;CITY\nm1;${city}\nm2;Köln\n`)
      expect((await imports.through(id, 'check')).counts).toMatchObject(counts)
      expect((await imports.through(id, 'run')).counts).toMatchObject({ rows: 2, ...counts })
    }
    expect(await said('m1')).toEqual(['Paris', 'Lyon', 'Paris'])
    expect(await said('m2')).toEqual(['Köln'])
  })

  it('says the row that is left of two', async () => {
    const { imports } = aLife()
    for (const rows of ['d1;Paris\nd1;Lyon\n', 'd1;Paris\nd1;Lyon\n', 'd1;Paris\n', 'd1;Paris\n'])
      await imports.through((await handIn(imports, `CUST_NO;CITY\n${rows}`)).id, 'run')
    expect(await said('d1')).toEqual(['Paris', 'Lyon', 'Paris'])
  })

  it('follows an address that changes and changes back', async () => {
    const { imports } = aLife()
    for (const at of ['a', 'b', 'a'])
      await imports.through((await handIn(imports, `CUST_NO;E-MAIL;CITY\nb1;${at}@fjörd.example;${at}\n`)).id, 'run')
    expect(await said('b1')).toEqual(['a', 'b', 'a'])
  })
})

describe('how a file is read and what its columns mean', () => {
  it('is kept when it is read in, and laid over the next file of the source that has the same columns', async () => {
    const life = aLife()
    await life.jobs.start()
    const first = await handIn(life.imports, 'CUST_NO;Wohnhaft;Seit\nk1;Köln;03/04/2020\n')
    expect(first.mapped).toBeNull()
    await life.imports.plan(caller, first.id, { ...first.format, dateOrder: 'mdy' }, [
      { index: 1, type: 'text', meaning: { kind: 'trait', name: 'address.city' } },
      { index: 2, type: 'date', meaning: { kind: 'trait', name: 'customerSince' } },
    ])
    // Only looked at and corrected, it is nobody's rule yet.
    expect((await handIn(life.imports, 'CUST_NO;Wohnhaft;Seit\nk1;Köln;03/04/2020\n')).mapped).toBeNull()
    await life.imports.run(caller, first.id)
    await becomes(life.imports, first.id, 'done')

    const next = await handIn(life.imports, 'Seit;CUST_NO;Wohnhaft\n05/06/2021;k2;Malmö\n')
    expect(next).toMatchObject({ format: { dateOrder: 'mdy' }, mapped: { by: 'Ивайло' } })
    expect(next.columns.map((column) => column.meaning)).toEqual([
      { kind: 'trait', name: 'customerSince' },
      { kind: 'identifier', type: 'crm_id' },
      { kind: 'trait', name: 'address.city' },
    ])
    expect((await handIn(life.imports, 'CUST_NO;Wohnhaft\nk3;Malmö\n')).mapped).toBeNull()
    await life.stop()
  })

  it('holds for lines of JSON too, and a value without a column is named', async () => {
    const { imports } = aLife()
    const many = Array.from({ length: 4_000 }, (_, at) =>
      JSON.stringify({ crm_id: `j${String(at)}`, address: { city: 'Köln'.repeat(10) } }),
    )
    const { id } = await handIn(imports, [...many, '{"crm_id":"late","shoe":42}'].join('\n'), 'people.ndjson')
    const done = await imports.through(id, 'run')
    expect(done.counts).toMatchObject({ rows: 4_001, sent: 4_001, withProblems: 1 })
    expect(done.worst[0]?.problems).toEqual(['shoe: the first rows have no such column, so it is left out'])
  })
})

describe('a run that does not get to its end', () => {
  it('goes on in the next process after a stop, and counts what went in before as gone in', async () => {
    let chunks = 0
    const first: ReturnType<typeof aLife> = aLife(async (...of) => {
      const done = await server.collect.accept(...of)
      chunks += 1
      // The stop waits for the reader, the reader for nobody.
      if (chunks === 2) stopped = first.stop()
      return done
    })
    let stopped: Promise<void> | undefined
    await first.jobs.start()
    await first.imports.start()
    const { id } = await handIn(first.imports, table('stop', 2_600))
    await first.imports.run(caller, id)
    await vi.waitFor(
      () => {
        expect(stopped).toBeDefined()
      },
      { timeout: 20_000 },
    )
    await stopped
    const between = await first.imports.get(id)
    expect(between.state).toBe('running')
    expect(between.counts?.sent).toBeLessThan(2_600)

    const second = aLife()
    await second.jobs.start()
    await second.imports.start()
    const done = await becomes(second.imports, id, 'done')
    expect(done.counts).toMatchObject({ rows: 2_600, sent: 2_600, unchanged: 0, rejected: 0 })
    await second.stop()
    expect(await stored('stop')).toBe(2_600)
  })

  it('is taken up when its process died between the journal and its own table, and nothing is doubled', async () => {
    let died: (() => void) | undefined
    const dead = new Promise<void>((resolve) => (died = resolve))
    let chunks = 0
    const first = aLife(async (...of) => {
      const done = await server.collect.accept(...of)
      chunks += 1
      if (chunks < 3) return done
      died?.()
      return new Promise(() => {})
    })
    const { id } = await handIn(first.imports, table('kill', 2_600))
    void first.imports.through(id, 'run')
    await dead

    const second = aLife()
    await second.jobs.start()
    await second.imports.start()
    await second.imports.start()
    // As long as it may live, nobody takes it away.
    expect((await second.imports.get(id)).state).toBe('running')
    expect(chunks).toBe(3)
    offset += 100_000
    await second.imports.start()
    const done = await becomes(second.imports, id, 'done')
    expect(done.counts).toMatchObject({ rows: 2_600, sent: 2_600, unchanged: 0, rejected: 0 })
    await second.stop()
    expect(await stored('kill')).toBe(2_600)
  })
})

describe('the file itself', () => {
  it('is deleted at once when a run is stopped, and handed in again nothing is stored twice', async () => {
    let cancel: (() => Promise<unknown>) | undefined
    let chunks = 0
    const { imports } = aLife(async (...of) => {
      const done = await server.collect.accept(...of)
      chunks += 1
      if (chunks === 1) await cancel?.()
      return done
    })
    const { id } = await handIn(imports, table('cancel', 1_200))
    cancel = () => imports.cancel(caller, id)
    const now = await imports.through(id, 'run')
    expect(now).toMatchObject({ state: 'cancelled', fileUntil: null })
    expect(await files().list()).not.toContain(id)
    await expect(imports.run(caller, id)).rejects.toThrow('Hand it in again')
    await expect(imports.plan(caller, id, now.format, [])).rejects.toThrow('Hand it in again')

    const again = await imports.through((await handIn(imports, table('cancel', 1_200))).id, 'run')
    expect(again.counts).toMatchObject({ rows: 1_200, sent: 700, unchanged: 500 })
    expect(await stored('cancel')).toBe(1_200)
  })

  it('stays when only a check is stopped', async () => {
    const life = aLife()
    const { id } = await handIn(life.imports, table('dry', 3))
    await life.imports.check(caller, id)
    expect(await life.imports.cancel(caller, id)).toMatchObject({ state: 'uploaded' })
    expect(await files().list()).toContain(id)
  })

  it('is deleted 30 days after the end with every cell of it that is shown, and the audit log says so', async () => {
    const life = aLife()
    const { id } = await handIn(life.imports, 'CUST_NO;CITY\nold1;Malmö\n;Geheim\n')
    const done = await life.imports.through(id, 'run')
    expect(done.fileUntil).toBe(new Date(Date.parse(done.finishedAt ?? '') + 30 * day).toISOString())
    offset += 29 * day
    await life.imports.start()
    life.imports.stop()
    expect(await files().list()).toContain(id)
    offset += day + 1_000
    await life.imports.start()
    life.imports.stop()
    expect(await files().list()).not.toContain(id)
    const after = await life.imports.get(id)
    expect(after).toMatchObject({ state: 'done', fileUntil: null, worst: [], counts: { rows: 2 } })
    expect(JSON.stringify(after)).not.toMatch(/Malmö|Geheim/)
    const log = await createAudit({ postgres, clock }).list({ kind: 'import', id, limit: 10 })
    expect(log[0]).toMatchObject({ deed: 'import.file_removed' })
  })
})
