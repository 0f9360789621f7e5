import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'
import { aPostgres } from '../../../test/make/engines.ts'
import { aReceiver, type Arrived, type Receiver } from '../../../test/make/receiver.ts'
import { aSalesforce, salesforceFields, type SalesforceRecord } from '../../../test/make/salesforce.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { createEgress } from '../../../platform/egress/open-egress.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { createJobs, prepareJobs } from '../../../platform/jobs/worker.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { createIds, seededRandom, systemRandom } from '../../../platform/random/random.ts'
import { createSecrets } from '../../../platform/secrets/secrets.ts'
import { createAudit } from '../../audit/server/index.ts'
import type { Connection, Plan, Run } from '../contract.ts'
import { createPulls } from './index.ts'

/** Waits are as long as the turn of the event loop; how long they were meant to be is written down. */
const waits: number[] = []
const clock = {
  ...systemClock,
  async sleep(ms: number) {
    waits.push(ms)
    await systemClock.sleep(1)
  },
}
const caller: Caller = {
  kind: 'person',
  accountId: 'account_åsa' as never,
  name: 'Åsa',
  side: 'it',
  roles: [],
  permissions: new Set(['data.write']),
  sessionId: undefined,
  steppedUpAtMs: undefined,
}
const secret = 'väl förvarat'
let server: CollectServer
let postgres: Awaited<ReturnType<typeof aPostgres>>
let receiver: Receiver
let theirs: ReturnType<typeof aSalesforce>
type Accept = CollectServer['collect']['accept']

/** One process. `accept` may make it die at a certain moment. */
function aLife(accept: Accept = (...of) => server.collect.accept(...of)) {
  return createPulls({
    postgres,
    clock,
    ids: createIds(clock, systemRandom),
    log: silentLog,
    secrets: createSecrets(new Uint8Array(32).fill(7), seededRandom(4)),
    dial: () => Promise.reject(new Error('no socket is opened to Salesforce')),
    egress: createEgress({ allow: [receiver.place] }),
    jobs: createJobs({ postgres, address: postgres.address, log: silentLog, concurrency: 1 }),
    audit: createAudit({ postgres, clock }),
    sources: server.sources,
    collect: { accept },
  })
}
const there = (): Connection & { kind: 'salesforce' } => ({
  kind: 'salesforce',
  loginUrl: `http://${receiver.place}`,
  clientId: '3MVG9',
})
let count = 0
const at = (ms = 0) => new Date(theirs.ms + ms).toISOString()
const aContact = (number: number, City: string, more: Partial<SalesforceRecord> = {}): SalesforceRecord => ({
  Id: `003${String(number).padStart(15, '0')}`,
  IsDeleted: false,
  Email: `k${String(number)}@å.example`,
  City,
  SystemModstamp: at(-7_200_000),
  LastModifiedDate: '2020-01-01T00:00:00.000Z',
  ...more,
})
const many = (from: number, howMany: number, city: string) =>
  Array.from({ length: howMany }, (_, index) => aContact(from + index, city))

async function aPull(object: string, change: (plan: Plan) => Plan = (plan) => plan) {
  const pulls = aLife()
  const name = `Kontakter ${String((count += 1))}`
  const made = await pulls.create(caller, { name, sourceId: server.source.id, connection: there(), password: secret })
  const { plan } = await pulls.look(made.id, { table: { schema: 'salesforce', name: object } })
  return pulls.plan(caller, made.id, change(plan))
}
function anObject(name: string, ...records: SalesforceRecord[]) {
  theirs.objects.set(name, { fields: salesforceFields('Email', 'City'), records: new Map() })
  theirs.put(name, ...records)
}
const counts = ({ counts: { rows, sent, unchanged, rejected, gone } }: Run) => ({
  rows,
  sent,
  unchanged,
  rejected,
  gone,
})
/** What was said of a contact, in order: cities, and † for gone. */
async function said(number: number): Promise<string[]> {
  await server.collect.drained()
  const rows = await server.clickhouse.query<{ what: string }>(
    `SELECT if(e.type = 'track', '†', e.traits.address.city::String) AS what FROM event AS e WHERE arrayExists(one -> one.value = {id:String}, e.external_ids) ORDER BY e.position`,
    { id: aContact(number, '').Id },
  )
  return rows.map((row) => row.what)
}
const theMark = async (id: string) =>
  (await postgres.query<{ mark: unknown }>('SELECT mark FROM pulls.pull WHERE id = $1', [id]))[0]?.mark
const refusing = (
  path: RegExp,
  status: number,
  errorCode: string,
  headers: Record<string, string> = {},
  times = Infinity,
) => {
  let left = times
  return (arrived: Arrived) =>
    path.test(arrived.path) && (left -= 1) >= 0
      ? { status, headers, body: JSON.stringify([{ errorCode, message: 'no' }]) }
      : undefined
}

beforeAll(async () => {
  postgres = await aPostgres()
  await prepareJobs(postgres.address)
  server = await aCollectServer({ postgres })
  receiver = await aReceiver((arrived) => theirs.answer(arrived))
})
beforeEach(() => {
  theirs = aSalesforce({ id: '3MVG9', secret })
  theirs.instance = `http://${receiver.place}`
  waits.length = 0
})
afterAll(async () => {
  await server.close()
})

describe('an object of Salesforce (a stand-in)', () => {
  it('is looked at, planned, read in pages, and read again: only what changed goes in, and what was deleted is said', async () => {
    anObject('Contact', ...many(1, 9001, 'Malmö'), aContact(9100, 'Ystad', { Email: 'inte en adress' }))
    theirs.put(
      'Contact',
      aContact(9200, 'Kiruna', { IsDeleted: true }),
      aContact(9201, 'Sala, “vid ån”\n"andra" raden'),
    )
    const pull = await aPull('Contact')
    expect(pull.plan).toMatchObject({
      key: ['Id'],
      finding: { by: 'cursor', column: 'SystemModstamp', overlap: 3600 },
      deletes: { by: 'column', column: 'IsDeleted' },
    })
    expect(pull.plan?.columns.map((column) => column.name)).not.toContain('MailingAddress')
    const pulls = aLife()
    const first = await pulls.through(caller, pull.id)
    expect(first).toMatchObject({ state: 'done', because: null, counts: { withProblems: 1 } })
    // One that was deleted before it was ever here is nobody's news.
    expect(counts(first)).toEqual({ rows: 9004, sent: 9003, unchanged: 1, rejected: 0, gone: 0 })
    expect(theirs.asked[0]).toEqual({
      operation: 'queryAll',
      query: `SELECT Id, IsDeleted, Email, City, SystemModstamp FROM Contact WHERE SystemModstamp < ${at()}`,
    })
    expect(receiver.arrived.filter((one) => one.path.includes('locator=')).length).toBeGreaterThanOrEqual(2)
    expect(await said(9201)).toEqual(['Sala, “vid ån”\n"andra" raden'])

    theirs.ms += 7_200_000
    theirs.put('Contact', aContact(7, 'Lund'), aContact(8, 'Malmö'), aContact(9, 'Malmö', { IsDeleted: true }))
    const again = await pulls.through(caller, pull.id)
    expect(counts(again)).toEqual({ rows: 3, sent: 2, unchanged: 1, rejected: 0, gone: 1 })
    expect(await said(7)).toEqual(['Malmö', 'Lund'])
    expect(await said(8)).toEqual(['Malmö'])
    expect(await said(9)).toEqual(['Malmö', '†'])
    theirs.ms += 60_000
    // Out of the recycle bin again.
    theirs.put('Contact', aContact(9, 'Malmö', { SystemModstamp: at(-1) }))
    expect(counts(await pulls.through(caller, pull.id))).toMatchObject({ sent: 1 })
    expect(await said(9)).toEqual(['Malmö', '†', 'Malmö'])
    expect(theirs.jobs.size).toBe(0)
  })

  it('brings a row that came late with the very millisecond of the mark, and one of the overlap', async () => {
    anObject('Late', aContact(20_001, 'Malmö', { SystemModstamp: at(-1) }))
    const pull = await aPull('Late', (plan) => ({
      ...plan,
      finding: { by: 'cursor', column: 'SystemModstamp', overlap: 5 },
    }))
    const pulls = aLife()
    const started = theirs.ms
    await pulls.through(caller, pull.id)
    theirs.ms += 10_000
    const stamp = (ms: number) => ({ SystemModstamp: new Date(started + ms).toISOString() })
    theirs.put('Late', aContact(20_002, 'Umeå', stamp(-5_000)), aContact(20_003, 'Luleå', stamp(-5_000)))
    theirs.put('Late', aContact(20_004, 'Boden', stamp(-5_001)), aContact(20_005, 'Piteå', stamp(0)))
    const run = await pulls.through(caller, pull.id)
    expect(theirs.asked[1]?.query).toContain(`SystemModstamp >= ${new Date(started - 5_000).toISOString()} AND `)
    expect(counts(run)).toEqual({ rows: 4, sent: 3, unchanged: 1, rejected: 0, gone: 0 })
    expect([await said(20_002), await said(20_003), await said(20_005)]).toEqual([['Umeå'], ['Luleå'], ['Piteå']])
    // Before the overlap began: that is what the overlap is for, and “read everything again” finds it.
    expect(await said(20_004)).toEqual([])
  })

  it('leaves what changes while it is read to the next run, and loses nothing of it', async () => {
    anObject('Moving', ...many(30_001, 10, 'Malmö'))
    const pull = await aPull('Moving')
    // The time of the run is taken, and then, before the job comes to it, the row moves on.
    theirs.refuse = (arrived) => {
      if (arrived.method === 'POST' && arrived.path.endsWith('/jobs/query'))
        theirs.put('Moving', aContact(30_005, 'Lund', { SystemModstamp: at(1_000) }))
      return undefined
    }
    const pulls = aLife()
    expect(counts(await pulls.through(caller, pull.id))).toMatchObject({ rows: 9, sent: 9 })
    theirs.refuse = () => undefined
    theirs.ms += 60_000
    expect(counts(await pulls.through(caller, pull.id))).toMatchObject({ sent: 1 })
    expect(await said(30_005)).toEqual(['Lund'])
  })

  it('goes on in its job where it was killed, and neither loses nor doubles what was on its way', async () => {
    anObject('Killed', ...many(100_001, 10_000, 'Malmö'))
    const pull = await aPull('Killed')
    let calls = 0
    let dead = false
    // It dies after the second page is on disk and before that is written down: from then on nothing of it leaves the house either.
    const dying = aLife(async (...of) => {
      const done = await server.collect.accept(...of)
      if ((calls += 1) < 2) return done
      dead = true
      throw new Error('killed')
    })
    theirs.refuse = (arrived) => (dead && arrived.method !== 'GET' ? 'cut' : undefined)
    await dying.through(caller, pull.id)
    theirs.refuse = () => undefined
    const { id } = (await dying.runs(pull.id))[0]!
    await postgres.query(`UPDATE pulls.run SET state = 'running', finished_at = NULL, because = NULL WHERE id = $1`, [
      id,
    ])
    expect(theirs.jobs.size).toBe(1)
    const run = await aLife().resume(id)
    expect(run).toMatchObject({ state: 'done', counts: { rows: 10_000, sent: 10_000 } })
    expect(theirs.asked).toHaveLength(1)
    expect(theirs.jobs.size).toBe(0)
    expect(await everyOne(100_001)).toEqual({ events: 10_000, people: 10_000 })
  })

  it('begins again when its job is gone, and compares what went in', async () => {
    anObject('Begun', ...many(120_001, 5_000, 'Malmö'))
    const pull = await aPull('Begun')
    let calls = 0
    const dying = aLife(async (...of) => {
      if ((calls += 1) === 2) throw new Error('killed')
      return server.collect.accept(...of)
    })
    expect(await dying.through(caller, pull.id)).toMatchObject({ state: 'failed' })
    // Failing is an end too: the job is deleted.
    expect(theirs.jobs.size).toBe(0)
    const { id } = (await dying.runs(pull.id))[0]!
    await postgres.query(`UPDATE pulls.run SET state = 'running', finished_at = NULL, because = NULL WHERE id = $1`, [
      id,
    ])
    const run = await aLife().resume(id)
    expect(counts(run)).toEqual({ rows: 9_000, sent: 5_000, unchanged: 4_000, rejected: 0, gone: 0 })
    expect(await everyOne(120_001)).toEqual({ events: 5_000, people: 5_000 })
  })

  it('finds rows that are gone without a word by comparing the keys', async () => {
    anObject('Compared', ...many(40_001, 10, 'Malmö'))
    const pull = await aPull('Compared', (plan) => ({ ...plan, deletes: { by: 'comparison', everyRuns: 1 } }))
    const pulls = aLife()
    await pulls.through(caller, pull.id)
    theirs.objects.get('Compared')?.records.delete(aContact(40_003, '').Id)
    expect(counts(await pulls.through(caller, pull.id))).toMatchObject({ gone: 1, sent: 0 })
    expect(theirs.asked.at(-1)).toEqual({ operation: 'query', query: 'SELECT Id FROM Compared' })
    expect(await said(40_003)).toEqual(['Malmö', '†'])
    expect(theirs.jobs.size).toBe(0)
  })

  it('logs in once more when the session has ended, and says so when that does not help', async () => {
    anObject('Ended', ...many(50_001, 10, 'Malmö'))
    const pull = await aPull('Ended')
    const before = theirs.logins
    let ended = false
    theirs.refuse = (arrived) => {
      if (!ended && arrived.path.includes('/results')) theirs.endSessions()
      ended ||= arrived.path.includes('/results')
      return undefined
    }
    const pulls = aLife()
    expect(await pulls.through(caller, pull.id)).toMatchObject({ state: 'done', counts: { sent: 10 } })
    expect(theirs.logins).toBe(before + 2)
    theirs.refuse = refusing(/results/, 401, 'INVALID_SESSION_ID')
    expect((await pulls.through(caller, pull.id)).because).toContain('ended the session, and the next one at once')
  })

  it('waits a little when Salesforce asks for it, and fails with a sentence when it goes on asking', async () => {
    anObject('Busy', ...many(60_001, 10, 'Malmö'))
    const pull = await aPull('Busy')
    const pulls = aLife()
    theirs.refuse = refusing(/jobs/, 503, 'SERVER_UNAVAILABLE', { 'retry-after': '7' }, 2)
    expect(await pulls.through(caller, pull.id)).toMatchObject({ state: 'done', counts: { sent: 10 } })
    expect(waits.filter((ms) => ms === 7_000)).toHaveLength(2)
    theirs.ms += 36_000_000
    theirs.put('Busy', aContact(60_003, 'Lund', { SystemModstamp: at(-18_000_000) }))
    for (const [status, code, says] of [
      [503, 'SERVER_UNAVAILABLE', 'takes no more requests for the moment (503)'],
      [429, 'TOO_MANY', 'takes no more requests for the moment (429)'],
      [403, 'REQUEST_LIMIT_EXCEEDED', 'requests to Salesforce for these 24 hours are used up'],
    ] as const) {
      theirs.refuse = refusing(/jobs/, status, code)
      expect(await pulls.through(caller, pull.id)).toMatchObject({
        state: 'failed',
        because: expect.stringContaining(says) as string,
      })
    }
    theirs.refuse = () => undefined
    // Runs that failed have moved no mark.
    expect(await pulls.through(caller, pull.id)).toMatchObject({ state: 'done', counts: { rows: 1, sent: 1 } })
  })

  it('says why a job failed or was aborted, and deletes it', async () => {
    anObject('Failed', ...many(70_001, 10, 'Malmö'))
    const pull = await aPull('Failed')
    const pulls = aLife()
    theirs.jobsEnd = { state: 'Failed', errorMessage: 'Retried more than 15 times' }
    expect((await pulls.through(caller, pull.id)).because).toBe(
      'The job failed in Salesforce: Retried more than 15 times',
    )
    theirs.jobsEnd = { state: 'Aborted' }
    expect((await pulls.through(caller, pull.id)).because).toContain('aborted the job')
    expect(theirs.jobs.size).toBe(0)
    theirs.jobsEnd = undefined
    expect(counts(await pulls.through(caller, pull.id))).toMatchObject({ sent: 10 })
  })

  it('is stopped by a person, and the job with it', async () => {
    anObject('Stopped', ...many(75_001, 10, 'Malmö'))
    const pull = await aPull('Stopped')
    const pulls = aLife()
    theirs.looks = 5
    let looked = 0
    let stopped: Promise<unknown> = Promise.resolve()
    theirs.refuse = (arrived) => {
      if (arrived.method === 'GET' && arrived.path.includes('/jobs/') && (looked += 1) === 2)
        stopped = pulls.cancel(caller, pull.id)
      return undefined
    }
    expect(await pulls.through(caller, pull.id)).toMatchObject({ state: 'cancelled' })
    await stopped
    expect(theirs.jobs.size).toBe(0)
  })

  it('leaves no job behind when its run is stopped after the process that made it has died', async () => {
    anObject('Orphan', ...many(77_001, 5_000, 'Malmö'))
    const pull = await aPull('Orphan')
    let dead = false
    const dying = aLife(async () => {
      dead = true
      throw new Error('killed')
    })
    theirs.refuse = (arrived) => (dead && arrived.method !== 'GET' ? 'cut' : undefined)
    await dying.through(caller, pull.id)
    theirs.refuse = () => undefined
    await postgres.query(
      `UPDATE pulls.run SET state = 'running', finished_at = NULL, because = NULL WHERE pull_id = $1`,
      [pull.id],
    )
    const pulls = aLife()
    await pulls.cancel(caller, pull.id)
    expect(theirs.jobs.size).toBe(1)
    expect(await pulls.through(caller, pull.id)).toMatchObject({ state: 'done', counts: { rows: 5_000 } })
    expect(theirs.jobs.size).toBe(0)
    expect(await everyOne(77_001)).toEqual({ events: 5_000, people: 5_000 })
  })

  it('says which field is not there any more', async () => {
    anObject('Field', ...many(80_001, 3, 'Malmö'))
    const pull = await aPull('Field')
    const object = theirs.objects.get('Field')!
    object.fields = object.fields.filter((field) => field.name !== 'City')
    const pulls = aLife()
    expect((await pulls.through(caller, pull.id)).because).toContain("No such column 'City' on entity 'Field'")
    await expect(pulls.plan(caller, pull.id, pull.plan!)).rejects.toThrow('There is no column “City” any more')
    theirs.objects.delete('Field')
    expect((await pulls.through(caller, pull.id)).because).toContain('has no such object')
  })

  it('takes a page that is not whole for none', async () => {
    anObject('Cut', ...many(85_001, 10, 'Malmö'))
    const pull = await aPull('Cut')
    theirs.refuse = (arrived) =>
      arrived.path.includes('/results')
        ? {
            status: 200,
            headers: { 'sforce-numberofrecords': '10', 'sforce-locator': 'null' },
            body: '"Id","IsDeleted","Email","City","SystemModstamp"\n',
          }
        : undefined
    expect(await aLife().through(caller, pull.id)).toMatchObject({
      state: 'failed',
      because: 'A page of Salesforce is not whole. The next run reads it again.',
    })
  })

  it('asks for fewer rows when a page is longer than is taken', async () => {
    anObject('Long', ...many(87_001, 2_500, 'Malmö'))
    const pull = await aPull('Long')
    const bomb = gzipSync(Buffer.alloc(33 * 1024 * 1024))
    theirs.refuse = (arrived) =>
      /maxRecords=[24]000/.test(arrived.path)
        ? { status: 200, headers: { 'content-encoding': 'gzip', 'sforce-locator': 'null' }, body: bomb }
        : undefined
    expect(await aLife().through(caller, pull.id)).toMatchObject({
      state: 'done',
      counts: { rows: 2_500, sent: 2_500 },
    })
    theirs.refuse = (arrived) =>
      arrived.path.includes('/results')
        ? { status: 200, headers: { 'content-encoding': 'gzip' }, body: bomb }
        : undefined
    theirs.put('Long', aContact(87_001, 'Lund', { SystemModstamp: at(-1) }))
    expect((await aLife().through(caller, pull.id)).because).toContain('longer than the 32 MiB')
  })

  it.each([
    ['nothing at all', {}, ''],
    ['a page of a proxy', { 'content-type': 'text/html' }, '<html>\n<h1>Back soon</h1>\n</html>\n'],
    ['rows without a head', { 'sforce-numberofrecords': '1', 'sforce-locator': 'null' }, '"003000000000000001"\n'],
    ['the fields of another question', { 'sforce-numberofrecords': '0', 'sforce-locator': 'null' }, '"Name"\n'],
    ['no word of what follows', { 'sforce-numberofrecords': '0' }, '"Id"\n'],
  ])(
    'is not taken for empty by a remote that answers with %s: no mark moves, and nobody is gone',
    async (what, headers, body) => {
      const object = `Odd${what.replaceAll(/\W/g, '')}`
      anObject(object, ...many(180_001, 3, 'Malmö'))
      const pull = await aPull(object, (plan) => ({ ...plan, deletes: { by: 'comparison', everyRuns: 1 } }))
      const pulls = aLife()
      expect(await pulls.through(caller, pull.id)).toMatchObject({ state: 'done' })
      const mark = await theMark(pull.id)
      theirs.ms += 7_200_000
      // Of the keys alone, which have one column as any text has.
      for (const which of [/Id FROM \w+$/, /SystemModstamp FROM/]) {
        theirs.refuse = (arrived) =>
          arrived.path.includes('/results') && which.test(theirs.asked.at(-1)?.query.replace(/ WHERE.*/, '') ?? '')
            ? { status: 200, headers, body }
            : undefined
        const run = await pulls.through(caller, pull.id)
        expect(run.state, `${what} ${run.because ?? ''}`).toBe('failed')
        expect(run.counts.gone).toBe(0)
        expect(await theMark(pull.id)).toEqual(mark)
      }
    },
  )

  it('does not read on for ever in a page that is its own next', async () => {
    anObject('Endless', ...many(185_001, 3, 'Malmö'))
    const pull = await aPull('Endless')
    let asked = 0
    theirs.refuse = (arrived) => {
      if (!arrived.path.includes('/results')) return undefined
      asked += 1
      const next = asked > 50 ? 'null' : `MTAw${String(asked % 2)}`
      return {
        status: 200,
        headers: { 'sforce-numberofrecords': '0', 'sforce-locator': next },
        body: '"Id","IsDeleted","Email","City","SystemModstamp"\n',
      }
    }
    expect(await aLife().through(caller, pull.id)).toMatchObject({ state: 'failed' })
    expect(asked).toBeLessThan(5)
  })

  it('tells nobody the secret or the session, whatever the remote repeats of them', async () => {
    anObject('Echo', ...many(186_001, 3, 'Malmö'))
    const pull = await aPull('Echo')
    const pulls = aLife()
    const echo = (arrived: Arrived) =>
      `you sent ${String(arrived.headers.authorization)} and ${decodeURIComponent(arrived.body.replaceAll('+', ' '))}`
    theirs.refuse = (arrived) =>
      arrived.path.includes('/jobs/')
        ? { status: 400, body: JSON.stringify([{ errorCode: 'ODD', message: echo(arrived) }]) }
        : undefined
    const session = await pulls.through(caller, pull.id)
    expect(session.because).toContain('you sent')
    expect(session.because).not.toMatch(/00D!/)
    theirs.refuse = (arrived) =>
      arrived.path.includes('/token')
        ? { status: 400, body: JSON.stringify({ error: 'odd', error_description: echo(arrived) }) }
        : undefined
    const login = await pulls.through(caller, pull.id)
    expect(login.because).toContain('you sent')
    expect(login.because).not.toContain(secret)
  })

  it('takes a cell with a character that no store takes', async () => {
    anObject(
      'Nul',
      aContact(187_001, 'Mal\0mö'),
      aContact(187_002, 'Ystad', { Email: 'a\0@b.example' }),
      aContact(187_003, 'Umeå', { Id: '00300\x0000' }),
    )
    const pull = await aPull('Nul')
    const run = await aLife().through(caller, pull.id)
    expect(run).toMatchObject({ state: 'done', because: null, counts: { rows: 3 } })
    expect(await said(187_001)).toEqual(['Malmö'])
  })

  it('holds no more rows than it asked for, however many come', async () => {
    anObject('Flood', ...many(188_001, 3, 'Malmö'))
    const pull = await aPull('Flood')
    const flood = gzipSync(
      Buffer.concat([
        Buffer.from('"Id","IsDeleted","Email","City","SystemModstamp"\n'),
        Buffer.alloc(30 * 1024 * 1024, ',,,,\n'),
      ]),
    )
    theirs.refuse = (arrived) =>
      arrived.path.includes('/results')
        ? {
            status: 200,
            headers: { 'content-encoding': 'gzip', 'sforce-numberofrecords': '6291456', 'sforce-locator': 'null' },
            body: flood,
          }
        : undefined
    const run = await aLife().through(caller, pull.id)
    expect(run).toMatchObject({ state: 'failed', counts: { rows: 0 } })
    expect(run.because).toContain('rows that were asked for')
  })

  it('takes whole objects only, by names that are names, known by Id and found by SystemModstamp', async () => {
    anObject('Named', aContact(90_001, 'Malmö'))
    const pull = await aPull('Named')
    const plan = pull.plan!
    const pulls = aLife()
    const refusedAs = (change: Partial<Plan>) => expect(pulls.plan(caller, pull.id, { ...plan, ...change })).rejects
    await refusedAs({ from: { query: 'SELECT Id FROM Contact' } }).toThrow('Of Salesforce whole objects are read')
    await expect(
      pulls.look(pull.id, { table: { schema: 'salesforce', name: 'Contact WHERE Id != null' } }),
    ).rejects.toThrow('is no name of Salesforce')
    await refusedAs({ key: ['Email'] }).toThrow('known by its Id')
    await refusedAs({ finding: { by: 'cursor', column: 'LastModifiedDate', overlap: 0 } }).toThrow(
      'only SystemModstamp',
    )
    await refusedAs({ finding: { by: 'transactions' } }).toThrow('Only tables of PostgreSQL')
    await refusedAs({ deletes: { by: 'column', column: 'City' } }).toThrow('IsDeleted says')
  })

  it('says what is wrong with a connection, and keeps its secret to itself', async () => {
    anObject('Kept', aContact(95_001, 'Malmö'))
    anObject('Account')
    const pulls = aLife()
    expect(await pulls.test(there(), secret)).toEqual({
      ok: true,
      says: 'Salesforce (API 62.0) answers; this user may read 2 objects.',
    })
    expect(await pulls.test(there(), 'fel')).toEqual({
      ok: false,
      says: 'Salesforce does not accept this client ID with this secret.',
    })
    expect((await pulls.test({ ...there(), loginUrl: 'https://10.0.0.7' }, secret)).says).toContain(
      'allow exactly 10.0.0.7:443',
    )
    theirs.refuse = () => ({ status: 200, body: '<html>' })
    expect((await pulls.test(there(), secret)).says).toContain('does not answer as Salesforce does')
    theirs.refuse = () => undefined
    theirs.instance = 'http://elsewhere.example'
    expect((await pulls.test(there(), secret)).says).toContain('without encryption')
    theirs.instance = `http://${receiver.place}`
    const pull = await aPull('Kept')
    expect(JSON.stringify(await pulls.list())).not.toContain(secret)
    const [stored] = await postgres.query<{ all: string }>('SELECT p::text AS all FROM pulls.pull p WHERE id = $1', [
      pull.id,
    ])
    expect(stored?.all).not.toContain(secret)
    await expect(pulls.connect(caller, pull.id, { ...there(), clientId: 'another' }, undefined)).rejects.toThrow(
      'Say the password again',
    )
    await expect(pulls.connect(caller, pull.id, there(), undefined)).resolves.toMatchObject({ connection: there() })
  })
})

async function everyOne(from: number) {
  await server.collect.drained()
  const [row] = await server.clickhouse.query<{ events: number; people: number }>(
    `SELECT toUInt32(count()) AS events, toUInt32(uniqExact(e.external_ids[1].value)) AS people FROM event AS e WHERE e.external_ids[1].value BETWEEN {from:String} AND {to:String}`,
    { from: aContact(from, '').Id, to: aContact(from + 9_999, '').Id },
  )
  return row
}
