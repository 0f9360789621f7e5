import { connect } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'
import { aPostgres } from '../../../test/make/engines.ts'
import { aMariaDb, mariadbPath, type MariaDb } from '../../../test/make/mariadb.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { dialBy } from '../../../platform/databases/open.ts'
import { createEgress } from '../../../platform/egress/open-egress.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { createJobs, prepareJobs } from '../../../platform/jobs/worker.ts'
import { silentLog } from '../../../platform/log/log.ts'
import type { PostgresAddress } from '../../../platform/postgres/pool.ts'
import { createIds, seededRandom, systemRandom } from '../../../platform/random/random.ts'
import { createSecrets } from '../../../platform/secrets/secrets.ts'
import { createAudit } from '../../audit/server/index.ts'
import type { Connection, DatabaseConnection, Plan, Pull } from '../contract.ts'
import { createPulls } from './index.ts'

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
let theirs: Awaited<ReturnType<typeof aPostgres>>
let writer: pg.Client
const registry = new Registry()
type Accept = CollectServer['collect']['accept']

const socketOf = (address: PostgresAddress) =>
  'socketDirectory' in address ? join(address.socketDirectory, '.s.PGSQL.5432') : ''
const nameOf = (address: PostgresAddress) => ('database' in address ? address.database : '')

/** One process. `accept` may make it die at a certain moment. */
function aLife(accept: Accept = (...of) => server.collect.accept(...of), metrics = new Registry()) {
  const jobs = createJobs({ postgres, address: postgres.address, log: silentLog, concurrency: 1 })
  const egress = createEgress({ allow: [`127.0.0.1:${String(maria?.port ?? 1)}`] })
  const dial = dialBy(egress)
  return createPulls({
    postgres,
    clock,
    ids: createIds(clock, systemRandom),
    log: silentLog,
    secrets: createSecrets(new Uint8Array(32).fill(7), seededRandom(4)),
    // The embedded server has no port: what is asked of this name goes to its socket.
    dial: (place) =>
      place.host === 'gammal.example' ? Promise.resolve(connect(socketOf(theirs.address))) : dial(place),
    egress,
    jobs,
    audit: createAudit({ postgres, clock }),
    sources: server.sources,
    collect: { accept },
    registry: metrics,
  })
}
let maria: MariaDb | undefined

const elsewhere = (): DatabaseConnection => ({
  kind: 'postgres',
  host: 'gammal.example',
  port: 5432,
  database: nameOf(theirs.address),
  user: 'interlock',
  tls: 'off',
})
let count = 0
async function aPull(
  table: string,
  change: (plan: Plan) => Plan = (plan) => plan,
  connection: Connection = elsewhere(),
  schema = 'public',
) {
  const pulls = aLife()
  const made = await pulls.create(caller, {
    name: `Gamla kunder ${String((count += 1))} “é”`,
    sourceId: server.source.id,
    connection,
    password: connection.kind === 'mysql' ? (maria?.password ?? '') : 'hemligt',
  })
  const looked = await pulls.look(made.id, { table: { schema, name: table } })
  return pulls.plan(caller, made.id, change(looked.plan))
}
const counts = (run: { counts: { rows: number; sent: number; unchanged: number; rejected: number; gone: number } }) => {
  const { rows, sent, unchanged, rejected, gone } = run.counts
  return { rows, sent, unchanged, rejected, gone }
}
/** What was said of a customer, in order: cities, and † for gone. */
async function said(customer: string): Promise<string[]> {
  await server.collect.drained()
  const rows = await server.clickhouse.query<{ what: string }>(
    `SELECT if(e.type = 'track', '†', e.traits.address.city::String) AS what FROM event AS e WHERE arrayExists(one -> one.value = {customer:String}, e.external_ids) ORDER BY e.position`,
    { customer },
  )
  return rows.map((row) => row.what)
}

beforeAll(async () => {
  postgres = await aPostgres()
  theirs = await aPostgres()
  await prepareJobs(postgres.address)
  server = await aCollectServer({ postgres })
  writer = new pg.Client({
    host: socketOf(theirs.address).replace(/\/[^/]*$/, ''),
    user: 'interlock',
    database: nameOf(theirs.address),
  })
  await writer.connect()
  maria = mariadbPath === undefined ? undefined : await aMariaDb()
})
afterAll(async () => {
  await writer.end()
  await maria?.stop()
  await server.close()
})

describe('a table of another PostgreSQL', () => {
  it('that was emptied says of nobody that they are gone before a person confirms it', async () => {
    await writer.query(`CREATE TABLE tom (id int PRIMARY KEY, email text, city text);
      INSERT INTO tom SELECT n, 'tom' || n || '@fjörd.example', 'Malmö' FROM generate_series(88001, 88005) n`)
    const pull = await aPull('tom', (plan) => ({ ...plan, deletes: { by: 'comparison', everyRuns: 1 } }))
    const pulls = aLife()
    await pulls.through(caller, pull.id)
    await writer.query('DELETE FROM tom WHERE id <> 88001')
    for (const _again of [1, 2])
      expect(await pulls.through(caller, pull.id)).toMatchObject({
        state: 'failed',
        asksGone: true,
        because: expect.stringContaining('4 of 5 rows are not there any more') as string,
        counts: { gone: 0 },
      })
    expect(await said('88002')).toEqual(['Malmö'])
    expect(await pulls.through(caller, pull.id, true)).toMatchObject({
      state: 'done',
      asksGone: false,
      counts: { gone: 4 },
    })
    expect(await said('88002')).toEqual(['Malmö', '†'])
    expect(await pulls.through(caller, pull.id)).toMatchObject({ state: 'done', counts: { gone: 0 } })
  })

  it('is looked at, planned, read, and read again: only what changed goes in, and what is gone is said', async () => {
    await writer.query(`CREATE TABLE kunder (id int PRIMARY KEY, "E-Mail" text, city text, notes text);
      INSERT INTO kunder SELECT n, 'k' || n || '@fjörd.example', 'Malmö', 'x' FROM generate_series(1, 9000) n;
      INSERT INTO kunder VALUES (9001, 'keine', 'Köln', NULL)`)
    const pull = await aPull('kunder')
    expect(pull.plan).toMatchObject({ key: ['id'], finding: { by: 'transactions' } })
    expect(
      pull.plan?.columns.map(({ meaning }) =>
        'type' in meaning ? meaning.type : 'name' in meaning ? meaning.name : meaning.kind,
      ),
    ).toEqual(['crm_id', 'email', 'address.city', 'ignore'])
    const pulls = aLife()
    const first = await pulls.through(caller, pull.id)
    expect(first).toMatchObject({ state: 'done', because: null, counts: { withProblems: 1 } })
    expect(counts(first)).toEqual({ rows: 9001, sent: 9001, unchanged: 0, rejected: 0, gone: 0 })

    await writer.query(
      `UPDATE kunder SET city = 'Lund' WHERE id = 7; UPDATE kunder SET notes = 'y' WHERE id = 8; DELETE FROM kunder WHERE id = 9`,
    )
    await pulls.plan(caller, pull.id, { ...pull.plan!, deletes: { by: 'comparison', everyRuns: 1 } })
    const again = await pulls.through(caller, pull.id)
    expect(counts(again)).toEqual({ rows: 9000, sent: 1, unchanged: 8999, rejected: 0, gone: 1 })
    await writer.query(
      `UPDATE kunder SET city = 'Malmö' WHERE id = 7; INSERT INTO kunder VALUES (9, NULL, 'Ystad', NULL)`,
    )
    expect(counts(await pulls.through(caller, pull.id))).toEqual({
      rows: 2,
      sent: 2,
      unchanged: 0,
      rejected: 0,
      gone: 0,
    })
    expect(await said('7')).toEqual(['Malmö', 'Lund', 'Malmö'])
    expect(await said('9')).toEqual(['Malmö', '†', 'Ystad'])
    expect(await said('8')).toEqual(['Malmö'])
    const nothing = counts(await pulls.through(caller, pull.id))
    // While somebody else's transaction is open on that server, rows behind it are read again; none is said again.
    expect(nothing).toEqual({ ...nothing, sent: 0, rejected: 0, gone: 0, unchanged: nothing.rows })
  })

  it('brings a row that was written before the last run and committed after it', async () => {
    await writer.query(
      `CREATE TABLE sent_late (id int PRIMARY KEY, email text, city text, updated_at timestamptz(6) NOT NULL)`,
    )
    const pull = await aPull('sent_late')
    const pulls = aLife()
    const slow = new pg.Client({ host: writer.host, user: 'interlock', database: writer.database! })
    await slow.connect()
    await slow.query(
      `BEGIN; INSERT INTO sent_late VALUES (70001, 'l@x.example', 'Umeå', '2001-01-01 00:00:00.000001+00')`,
    )
    await writer.query(`INSERT INTO sent_late VALUES (70002, 'm@x.example', 'Kiruna', now())`)
    expect(counts(await pulls.through(caller, pull.id)).sent).toBe(1)
    await slow.query('COMMIT')
    await slow.end()
    expect(counts(await pulls.through(caller, pull.id)).sent).toBe(1)
    expect(await said('70001')).toEqual(['Umeå'])
    expect(await said('70002')).toEqual(['Kiruna'])
  })

  it('goes on where it was killed, and neither loses nor doubles what was on its way', async () => {
    await writer.query(`CREATE TABLE killed (id int PRIMARY KEY, city text);
      INSERT INTO killed SELECT n, 'Malmö' FROM generate_series(100001, 110000) n`)
    const pull = await aPull('killed')
    let calls = 0
    // It dies after the second chunk is on disk and before that is written down.
    const dying = aLife(async (...of) => {
      const done = await server.collect.accept(...of)
      if ((calls += 1) === 2) throw Object.assign(new Error('killed'), { name: 'Killed' })
      return done
    })
    expect((await dying.through(caller, pull.id)).state).toBe('failed')
    // Meanwhile one row of the chunk changes and another goes back and forth.
    await writer.query(`UPDATE killed SET city = 'Lund' WHERE id = 104500; DELETE FROM killed WHERE id = 104501`)
    const run = await aLife().through(caller, pull.id)
    expect(run.state).toBe('done')
    expect(await said('104500')).toEqual(['Malmö', 'Lund'])
    expect(await said('104501')).toEqual(['Malmö', '†'])
    const [row] = await server.clickhouse.query<{ events: number; people: number }>(
      `SELECT toUInt32(count()) AS events, toUInt32(uniqExact(e.external_ids[1].value)) AS people FROM event AS e WHERE e.type = 'identify' AND toUInt32OrZero(e.external_ids[1].value) BETWEEN 100001 AND 110000`,
    )
    expect(row).toEqual({ events: 10_001, people: 10_000 })
  })

  it('reads a view by a cursor with microseconds, rows without one, and a column that says deleted', async () => {
    await writer.query(`CREATE TABLE base (id int PRIMARY KEY, city text, changed_at timestamptz(6), deleted_at timestamptz);
      INSERT INTO base SELECT n, 'Malmö', '2026-01-01 00:00:00.000001+00'::timestamptz + (n % 3) * interval '1 microsecond', NULL FROM generate_series(200001, 200100) n;
      INSERT INTO base VALUES (200200, 'Nora', NULL, NULL);
      CREATE VIEW seen AS SELECT * FROM base`)
    const pull = await aPull('seen', (plan) => ({
      ...plan,
      key: ['id'],
      finding: { by: 'cursor', column: 'changed_at', overlap: 0 },
      deletes: { by: 'column', column: 'deleted_at' },
    }))
    const pulls = aLife()
    expect(counts(await pulls.through(caller, pull.id))).toMatchObject({ rows: 101, sent: 101 })
    await writer.query(`INSERT INTO base VALUES (200201, 'Åre', '2026-01-01 00:00:00.000004+00', NULL);
      UPDATE base SET deleted_at = now(), changed_at = '2026-01-01 00:00:00.000005+00' WHERE id = 200001; UPDATE base SET city = 'Nås' WHERE id = 200200`)
    const again = await pulls.through(caller, pull.id)
    // The last microsecond is read again (a third of a hundred), two are new, one has no cursor.
    expect(counts(again)).toMatchObject({ sent: 3, gone: 1 })
    expect(again.counts.rows).toBe(33 + 2 + 1)
    expect(await said('200001')).toEqual(['Malmö', '†'])
    expect(await said('200200')).toEqual(['Nora', 'Nås'])
  })

  it('counts what it cannot use, with the reason', async () => {
    await writer.query(`CREATE TABLE nobody (id int PRIMARY KEY, email text, city text);
      INSERT INTO nobody VALUES (300001, NULL, 'X'), (300002, 'p@x.example', 'Y')`)
    const pull = await aPull('nobody', (plan) => ({
      ...plan,
      columns: plan.columns.map((column) =>
        column.name === 'id' ? { ...column, meaning: { kind: 'ignore' as const } } : column,
      ),
    }))
    const run = await aLife().through(caller, pull.id)
    expect(counts(run)).toMatchObject({ rows: 2, sent: 1, rejected: 1 })
    expect(run.worst).toEqual([{ key: '300001', reason: 'no identifier: the row cannot be told to belong to anyone' }])
  })

  it('follows its schedule, tells when the promise is missed, and keeps its password to itself', async () => {
    await writer.query(
      'CREATE TABLE scheduled (id int PRIMARY KEY, city text); INSERT INTO scheduled VALUES (400001, $$Ü$$)',
    )
    const pulls = aLife(undefined, registry)
    let pull: Pull = await aPull('scheduled')
    await expect(pulls.settings(caller, pull.id, { schedule: 'every day' })).rejects.toThrow('is no schedule')
    pull = await pulls.settings(caller, pull.id, { schedule: '*/15 * * * *', promiseHours: 2 })
    expect(Date.parse(pull.nextAt ?? '') - clock.ms()).toBeLessThanOrEqual(15 * 60_000)
    expect(pull.freshness.missed).toBe(false)
    offset += 3 * 3_600_000
    expect((await pulls.get(pull.id)).freshness.missed).toBe(true)
    expect(await registry.metrics()).toContain(`interlock_pull_promise_missed{pull="${pull.name}"} 1`)
    await pulls.start()
    pulls.stop()
    expect((await pulls.get(pull.id)).last).toMatchObject({ state: 'running', startedBy: 'the schedule' })
    await pulls.cancel(caller, pull.id)
    await pulls.through(caller, pull.id)
    expect((await pulls.get(pull.id)).freshness).toMatchObject({ missed: false })
    expect(JSON.stringify(await pulls.list())).not.toContain('hemligt')
    const [stored] = await postgres.query<{ all: string }>(`SELECT p::text AS all FROM pulls.pull p WHERE id = $1`, [
      pull.id,
    ])
    expect(stored?.all).not.toContain('hemligt')
    await expect(pulls.connect(caller, pull.id, { ...elsewhere(), host: 'evil.example' }, undefined)).rejects.toThrow(
      'Say the password again',
    )
    await pulls.remove(caller, pull.id)
    await expect(pulls.get(pull.id)).rejects.toThrow('no such pull')
  })

  it('says what is wrong with a connection', async () => {
    const pulls = aLife()
    expect(await pulls.test(elsewhere(), '')).toMatchObject({ ok: true })
    expect(await pulls.test({ ...elsewhere(), database: 'inget' }, '')).toEqual({
      ok: false,
      says: 'There is no database “inget” on this server.',
    })
    expect(await pulls.test({ ...elsewhere(), tls: 'encrypt' }, '')).toMatchObject({
      says: 'The server does not offer TLS.',
    })
    expect((await pulls.test({ ...elsewhere(), host: '10.0.0.7' }, '')).says).toContain('is not allowed')
    expect((await pulls.test({ ...elsewhere(), host: '127.0.0.1' }, '')).says).toContain('is not allowed')
  })
})

describe.skipIf(mariadbPath === undefined)('a table of a MariaDB', () => {
  const there = (): DatabaseConnection => ({
    kind: 'mysql',
    host: '127.0.0.1',
    port: maria?.port ?? 0,
    database: maria?.database ?? '',
    user: maria?.user ?? '',
    tls: 'off',
  })

  it('is read by a cursor, with late commits, equal microseconds, empty cursors, numbers beyond 2^53 and rows that go', async () => {
    const db = await maria!.connect()
    await db.query(`CREATE TABLE kunder (id bigint unsigned PRIMARY KEY, mail varchar(200), city varchar(50), pic varbinary(8), updated_at datetime(6), KEY (updated_at, id)) ENGINE=InnoDB;
      INSERT INTO kunder SELECT 18446744073709500000 + seq, concat('m', seq, '@å.example'), 'Malmö', X'00FF', '2026-01-01 00:00:00.000001' FROM seq_1_to_6000;
      INSERT INTO kunder VALUES (910005, 'e@x.example', 'Nora', NULL, NULL)`)
    const slow = await maria!.connect()
    await slow.query(
      `BEGIN; INSERT INTO kunder VALUES (910006, 's@x.example', 'Umeå', NULL, '2026-01-01 00:00:00.000000')`,
    )
    const pull = await aPull(
      'kunder',
      (plan) => ({ ...plan, deletes: { by: 'comparison', everyRuns: 1 } }),
      there(),
      'gammal',
    )
    expect(pull.plan).toMatchObject({ key: ['id'], finding: { by: 'cursor', column: 'updated_at', overlap: 3600 } })
    const pulls = aLife()
    const first = await pulls.through(caller, pull.id)
    expect(first.because).toBeNull()
    expect(counts(first)).toEqual({ rows: 6001, sent: 6001, unchanged: 0, rejected: 0, gone: 0 })
    await slow.query('COMMIT')
    await db.query(`UPDATE kunder SET city = 'Lund', updated_at = now(6) WHERE id = 18446744073709500003;
      UPDATE kunder SET city = 'Nås' WHERE id = 910005; DELETE FROM kunder WHERE id = 18446744073709500004`)
    const again = await pulls.through(caller, pull.id)
    expect(counts(again)).toMatchObject({ sent: 3, gone: 1 })
    expect(await said('18446744073709500003')).toEqual(['Malmö', 'Lund'])
    expect(await said('18446744073709500004')).toEqual(['Malmö', '†'])
    expect(await said('910006')).toEqual(['Umeå'])
    expect(await said('910005')).toEqual(['Nora', 'Nås'])
    await slow.end()
    await db.end()
  })

  it('goes on behind the last row in the order of cursor and key', async () => {
    const db = await maria!.connect()
    await db.query(`CREATE TABLE många (a varchar(9), b decimal(20,3), city varchar(9), updated_at timestamp(6) NOT NULL, PRIMARY KEY (a, b)) ENGINE=InnoDB;
      INSERT INTO många SELECT concat('ä', seq % 7), seq + 0.125, 'Malmö', '2026-01-01 00:00:00.5' FROM seq_600001_to_609000`)
    const pull = await aPull(
      'många',
      (plan) => ({
        ...plan,
        columns: plan.columns.map((column) =>
          column.name === 'b'
            ? { ...column, type: 'text' as const, meaning: { kind: 'identifier' as const, type: 'crm_id' } }
            : column,
        ),
      }),
      there(),
      'gammal',
    )
    let calls = 0
    const dying = aLife(async (...of) => {
      const done = await server.collect.accept(...of)
      if ((calls += 1) === 2) throw Object.assign(new Error('stop'), { name: 'AbortError' })
      return done
    })
    expect((await dying.through(caller, pull.id)).state).toBe('failed')
    // As a kill would leave it: begun, and nobody has it.
    await postgres.query(`UPDATE pulls.run SET state = 'running', finished_at = NULL WHERE pull_id = $1`, [pull.id])
    const next = aLife()
    await next.start()
    next.stop()
    const jobs = await postgres.query<{ payload: { id: string } }>(
      `SELECT payload FROM graphile_worker._private_jobs ORDER BY id DESC LIMIT 1`,
    )
    expect(jobs[0]?.payload.id).toBeDefined()
    const done = await next.resume(jobs[0]!.payload.id as never)
    expect(counts(done)).toMatchObject({ rows: 9000, sent: 9000, unchanged: 0 })
    await server.collect.drained()
    const [row] = await server.clickhouse.query<{ events: number; people: number }>(
      `SELECT toUInt32(count()) AS events, toUInt32(uniqExact(e.external_ids[1].value)) AS people FROM event AS e WHERE e.external_ids[1].value LIKE '60%.125'`,
    )
    expect(row).toEqual({ events: 9000, people: 9000 })
    await db.end()
  })

  it('says what is wrong with a connection', async () => {
    const pulls = aLife()
    expect((await pulls.test(there(), maria!.password)).says).toMatch(
      /^MariaDB .* answers; this user may read \d+ tables and views.$/,
    )
    expect(await pulls.test(there(), 'falskt')).toEqual({
      ok: false,
      says: 'The server does not accept this user with this password.',
    })
    expect(await pulls.test({ ...there(), database: 'inget' }, maria!.password)).toEqual({
      ok: false,
      says: 'There is no database “inget” on this server.',
    })
  })
})
