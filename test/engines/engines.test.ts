import { beforeAll, describe, expect, it } from 'vitest'
import { Refusal } from '../../lib/refusals/refusals.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import type { PostgresPool } from '../../platform/postgres/postgres.ts'
import { aClickHouse, aPostgres } from '../make/engines.ts'

describe('the state store', () => {
  let postgres: PostgresPool
  beforeAll(async () => {
    postgres = await aPostgres()
    await postgres.query('CREATE TABLE note (id int PRIMARY KEY, text text, n bigint, at timestamptz, day date)')
  })

  it('gives whole numbers as numbers, instants as dates and calendar days as they are', async () => {
    const [row] = await postgres.query<{ n: number; at: Date; day: string }>(
      `INSERT INTO note VALUES (1, $1, 9007199254740991, '2028-02-29T09:59:59Z', '1900-01-01') RETURNING n, at, day`,
      ['Łoś'],
    )
    expect(row).toEqual({ n: 9_007_199_254_740_991, at: new Date('2028-02-29T09:59:59Z'), day: '1900-01-01' })
  })

  it('keeps nothing of a transaction that failed and runs what waits for the commit only after it', async () => {
    const told: string[] = []
    await expect(
      postgres.transaction(async (tx) => {
        await tx.query(`INSERT INTO note VALUES (2, 'lost')`)
        tx.afterCommit(() => told.push('lost'))
        throw new Error('changed our mind')
      }),
    ).rejects.toThrow('changed our mind')
    await postgres.transaction(async (tx) => {
      tx.afterCommit(() => told.push('kept'))
      await tx.transaction((inner) => inner.query(`INSERT INTO note VALUES (3, 'kept')`))
      expect(told).toEqual([])
    })
    expect(told).toEqual(['kept'])
    expect(await postgres.query('SELECT id FROM note WHERE id IN (2, 3)')).toEqual([{ id: 3 }])
  })

  it('says that it is busy, not that the statement is wrong, while its disk is full', async () => {
    const full = `DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$`
    await expect(postgres.query(full)).rejects.toMatchObject({ name: 'Refusal', code: 'busy' })
    await expect(postgres.transaction((tx) => tx.query(full))).rejects.toMatchObject({ name: 'Refusal', code: 'busy' })
  })

  it('runs a serializable transaction again when another got in its way, until both are right', async () => {
    await postgres.query(`INSERT INTO note VALUES (10, 'counter', 0)`)
    const addOne = () =>
      postgres.transaction(
        async (tx) => {
          const [row] = await tx.query<{ n: number }>('SELECT n FROM note WHERE id = 10')
          await tx.query('UPDATE note SET n = $1 WHERE id = 10', [(row?.n ?? 0) + 1])
        },
        { isolation: 'serializable' },
      )
    await Promise.all([addOne(), addOne(), addOne()])
    expect(await postgres.query('SELECT n FROM note WHERE id = 10')).toEqual([{ n: 3 }])
  })
})

describe('the analytics store', () => {
  let clickhouse: ClickHouse
  beforeAll(async () => {
    clickhouse = await aClickHouse()
    await clickhouse.command(
      'CREATE TABLE fact (n UInt32, text String, more JSON) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 1000',
    )
  })

  it('stores a batch once, however often it is handed in under the same token', async () => {
    const rows = [{ n: 1, text: `O'Brien \\ "Åhl"\n`, more: { a: { b: 'ö' } } }]
    for (let turn = 0; turn < 3; turn++) await clickhouse.insert('fact', rows, { token: 'one' })
    expect(await clickhouse.query('SELECT n, text, more.a.b::String AS b FROM fact')).toEqual([
      { n: 1, text: `O'Brien \\ "Åhl"\n`, b: 'ö' },
    ])
  })

  it('takes every value as a value, never as SQL', async () => {
    const hostile = `x' OR 1=1; DROP TABLE fact -- {n:UInt32} \\`
    expect(
      await clickhouse.query('SELECT {text:String} AS text, {list:Array(String)} AS list', {
        text: hostile,
        list: [hostile, "'"],
      }),
    ).toEqual([{ text: hostile, list: [hostile, "'"] }])
  })

  it('says that it is busy, not that the rows are wrong, while its disk is full', async () => {
    const full = `SELECT throwIf(1, 'Cannot write to file: errno: 28, strerror: No space left on device')`
    await expect(clickhouse.query(full)).rejects.toMatchObject({ name: 'Refusal', code: 'busy' })
  })

  it('does not carry the settings of one question into the next', async () => {
    await expect(
      clickhouse.query(
        'SELECT sum(sleepEachRow(0.2)) FROM numbers(20) SETTINGS max_block_size = 1',
        {},
        { seconds: 1 },
      ),
    ).rejects.toThrow(Refusal)
    const rows = await Promise.all(
      Array.from({ length: 12 }, () =>
        clickhouse.query<{ value: string }>(
          `SELECT value FROM system.settings WHERE name = 'max_execution_time'`,
          {},
          { seconds: 7 },
        ),
      ),
    )
    expect(new Set(rows.map(([row]) => row?.value))).toEqual(new Set(['7']))
  })

  it('ends a question in the engine when nobody waits for the answer any more', async () => {
    const stop = new AbortController()
    const asked = clickhouse.query(
      'SELECT sum(sleepEachRow(0.1)) AS waited FROM numbers(600) SETTINGS max_block_size = 1',
      {},
      { seconds: 100, signal: stop.signal },
    )
    await new Promise((resolve) => setTimeout(resolve, 300))
    stop.abort()
    await expect(asked).rejects.toThrow()
    for (let turn = 0; turn < 40; turn++) {
      const running = await clickhouse.query(
        `SELECT 1 FROM system.processes WHERE query LIKE '%AS waited%' AND query NOT LIKE '%system.processes%'`,
      )
      if (running.length === 0) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new Error('the question still runs')
  })

  it('says that it lives while each of its sessions is at work', async () => {
    const stop = new AbortController()
    const long = Array.from({ length: 4 }, () =>
      clickhouse
        .query(
          'SELECT sum(sleepEachRow(0.1)) FROM numbers(600) SETTINGS max_block_size = 1',
          {},
          { signal: stop.signal },
        )
        .catch(() => undefined),
    )
    await clickhouse.ping()
    stop.abort()
    await Promise.all(long)
  })

  it('tells an error that comes after the first rows', async () => {
    const read = async () => {
      for await (const rows of clickhouse.stream('SELECT throwIf(number = 1500000) FROM numbers(3000000)')) void rows
    }
    await expect(read()).rejects.toThrow('throwIf')
  })

  it('gives each of many questions at once its own answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => clickhouse.query<{ n: number }>('SELECT {n:UInt32} AS n', { n })),
    )
    expect(answers.map(([row]) => row?.n)).toEqual(Array.from({ length: 200 }, (_, n) => n))
  })

  it('refuses input(), which would store nothing and say that it did', async () => {
    await expect(
      clickhouse.command(`INSERT INTO fact SELECT n FROM input('n UInt32') FORMAT JSONEachRow`),
    ).rejects.toThrow('input()')
  })
})
