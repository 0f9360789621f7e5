import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startClickHouse } from '../clickhouse/child.ts'
import { connectTo } from '../clickhouse/open.ts'
import { stoppedClock, systemClock } from '../clock/clock.ts'
import { silentLog } from '../log/log.ts'
import { startPostgres } from '../postgres/child.ts'
import { restartPauses } from './pulse.ts'

const quick = { everyMs: 100, deadlineMs: 1_500, misses: 2 }

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await systemClock.sleep(100)
}

describe('an engine that hangs without ending', () => {
  let directory: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'il-hung-'))
  })
  afterAll(() => {
    const database = join(directory, 'postgres')
    if (existsSync(database)) rmSync(realpathSync(database), { recursive: true, force: true })
    rmSync(directory, { recursive: true, force: true })
  })

  it('is ended and started again: PostgreSQL, with what was committed', async () => {
    const server = await startPostgres(directory, silentLog, systemClock, quick)
    const ask = async (text: string): Promise<unknown[]> => {
      const client = new pg.Client({
        host: server.socketDirectory,
        user: 'interlock',
        database: 'postgres',
        connectionTimeoutMillis: 1_000,
      })
      client.on('error', () => undefined)
      await client.connect()
      try {
        return (await client.query(text)).rows as unknown[]
      } finally {
        await client.end()
      }
    }
    try {
      await ask('CREATE TABLE note AS SELECT 1 AS n')
      const before = server.pid()
      const postmaster = Number(
        readFileSync(join(realpathSync(join(directory, 'postgres')), 'postmaster.pid'), 'utf8').split('\n')[0],
      )
      // Every process of it, as on a disk that does not answer; one client is in the middle of a question.
      const asked = ask('SELECT pg_sleep(600)').catch((error: unknown) => error)
      await until(
        async () => (await ask(`SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'`)).length > 0,
      )
      const others = await ask('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()')
      for (const { pid } of [...(others as { pid: number }[]), { pid: postmaster }]) process.kill(pid, 'SIGSTOP')
      await until(() => server.pid() !== undefined && server.pid() !== before)
      expect(await asked).toBeInstanceOf(Error)
      await until(() =>
        ask('SELECT n FROM note').then(
          (rows) => rows.length === 1,
          () => false,
        ),
      )
    } finally {
      await server.stop()
    }
  })

  it('is ended and started again: ClickHouse', async () => {
    const engine = await startClickHouse(directory, silentLog, systemClock, quick)
    const clickhouse = connectTo(engine, 'interlock')
    try {
      const before = engine.pid() ?? 0
      process.kill(before, 'SIGSTOP')
      await until(() => engine.pid() !== undefined && engine.pid() !== before)
      await until(() =>
        clickhouse.query('SELECT 1').then(
          () => true,
          () => false,
        ),
      )
      expect(() => execFileSync('kill', ['-0', String(before)], { stdio: 'ignore' })).toThrow()
    } finally {
      await clickhouse.close()
      await engine.stop()
    }
  })
})

describe('a data directory with letters that mean something to the engine', () => {
  it.each(['one {two,three}', 'a*b', "it's"])('stores what is sent into “%s”', async (name) => {
    const parent = mkdtempSync(join(tmpdir(), 'il-named-'))
    // A neighbour whose name the pattern of ours would fit.
    for (const folder of ['one two', 'one three', 'a b']) mkdirSync(join(parent, folder))
    const engine = await startClickHouse(join(parent, name), silentLog, systemClock)
    const clickhouse = connectTo(engine, 'interlock')
    try {
      await clickhouse.command('CREATE TABLE said (n UInt8) ENGINE = MergeTree ORDER BY n')
      await clickhouse.insertBinary('said', ['n'], Buffer.from([7, 8]), { token: 'one' })
      // Somebody tidied up.
      rmSync(join(parent, name, 'clickhouse-inbox'), { recursive: true })
      await clickhouse.insert('said', [{ n: 9 }], { token: 'two' })
      expect(await clickhouse.query('SELECT n FROM said ORDER BY n')).toEqual([{ n: 7 }, { n: 8 }, { n: 9 }])
      expect(readdirSync(join(parent, name, 'clickhouse-inbox'))).toEqual([])
    } finally {
      await clickhouse.close()
      await engine.stop()
      rmSync(parent, { recursive: true, force: true })
    }
  })
})

describe('the pause before a restart', () => {
  it('grows while the engine dies soon, and is short again only after it stayed up for a minute', async () => {
    const clock = stoppedClock()
    const pauses = restartPauses(clock)
    pauses.launched()
    expect([pauses.next(), pauses.next(), pauses.next()]).toEqual([200, 400, 800])
    for (let turn = 0; turn < 10; turn++) pauses.next()
    expect(pauses.next()).toBe(10_000)
    pauses.launched()
    await clock.advance(59_999)
    expect(pauses.next()).toBe(10_000)
    pauses.launched()
    await clock.advance(60_000)
    expect(pauses.next()).toBe(200)
  })
})
