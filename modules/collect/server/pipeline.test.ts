import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'
import { aClickHouse, aPostgres } from '../../../test/make/engines.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { PostgresPool } from '../../../platform/postgres/postgres.ts'
import type { Json } from '../contract.ts'
import { openDedupIndex } from '../../../platform/journal/dedup-index.ts'
import { dedupKey, type PipelineStep } from './pipeline.ts'

const track = (event: string, more: object = {}) => ({ type: 'track', event, userId: 'İsmail', ...more })
const many = (name: string, count: number) =>
  Array.from({ length: count }, (_, at) => track(name, { messageId: `${name} ${at}` }))

async function count(server: CollectServer, where = '1') {
  const [row] = await server.clickhouse.query<{ events: string; messages: string }>(
    `SELECT count() AS events, uniqExact(message_id) AS messages FROM event WHERE ${where}`,
  )
  return [Number(row?.events), Number(row?.messages)]
}
/** Nothing is lost, doubled or uncounted. */
async function residue(server: CollectServer) {
  const { total, lost } = await server.collect.ledger()
  const { received, stored, deduplicated, quarantined, rejected, inFlight } = total
  return { lost, difference: received - stored - deduplicated - quarantined - rejected - inFlight }
}

describe('an event that comes again', () => {
  it('is stored once, over connections, batches and restarts; the first body wins (C19, A13)', async () => {
    let server = await aCollectServer()
    const send = (body: unknown) => server.send('/v1/batch', { batch: [body] })
    await send(track('again', { messageId: 'm1', properties: { n: 'first' } }))
    await Promise.all(
      Array.from({ length: 300 }, (_, n) => send(track('again', { messageId: 'm1', properties: { n } }))),
    )
    await server.send('/v1/batch', { batch: many('again', 20).concat(many('again', 20)) })
    await server.collect.drained()
    server = await server.again()
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => send(track('again', { messageId: 'm1', properties: { n } }))),
    )
    await server.send('/v1/batch', { batch: many('again', 20) })
    await server.collect.drained()
    expect(await count(server)).toEqual([21, 21])
    const rows = await server.clickhouse.query(`SELECT properties FROM event WHERE message_id = 'm1'`)
    expect(rows).toEqual([{ properties: { n: 'first' } }])
    const { total } = await server.collect.ledger()
    expect(total).toMatchObject({ received: 461, stored: 21, deduplicated: 440, inFlight: 0 })
    await server.close()
  })

  it('of another source is another event', async () => {
    const server = await aCollectServer()
    const other = await server.postgres.transaction((tx) =>
      server.sources.createAs(tx, { kind: 'system', id: 'test' }, { name: 'other', kind: 'server' }),
    )
    await server.collect.accept(server.source, [track('x', { messageId: 'same' })], 'test')
    await server.collect.accept(other, [track('x', { messageId: 'same' })], 'test')
    await server.collect.drained()
    expect((await count(server))[0]).toBe(2)
    await server.close()
  })

  it('without a message id gets one that a replay gives it again (C19)', async () => {
    const server = await aCollectServer()
    await server.collect.accept(server.source, [track('a'), track('a')], 'test')
    await server.collect.drained()
    expect(await count(server)).toEqual([2, 2])
    await server.close()
  })

  it('is known even when the index was lost: it is rebuilt from the store', async () => {
    let server = await aCollectServer()
    await server.collect.accept(server.source, many('kept', 10), 'test')
    await server.collect.drained()
    const { rm } = await import('node:fs/promises')
    await server.close()
    for (const end of ['', '-wal', '-shm']) await rm(`${server.folder}/seen.sqlite${end}`, { force: true })
    server = await server.again()
    await server.collect.accept(server.source, many('kept', 11), 'test')
    await server.collect.drained()
    expect(await count(server)).toEqual([11, 11])
    await server.close()
  })
})

describe('an index that does not hold everything', () => {
  /** The index as a crash half-way through its rebuilding leaves it: something is in it, and nobody said that it is all. */
  async function half(server: CollectServer, journalId: string, kept: string[]) {
    const { rm } = await import('node:fs/promises')
    for (const end of ['', '-wal', '-shm']) await rm(`${server.folder}/seen.sqlite${end}`, { force: true })
    const index = await openDedupIndex(`${server.folder}/seen.sqlite`, journalId)
    await index.record(kept.map((id, at) => ({ key: dedupKey(server.source.id, id), position: BigInt(at) })))
    await index.close()
  }

  it('is rebuilt whole when its rebuilding was cut off', async () => {
    let server = await aCollectServer()
    await server.collect.accept(server.source, many('cut', 10), 'test')
    await server.collect.drained()
    await server.close()
    await half(server, server.journal.id, ['cut 0', 'cut 1'])
    server = await server.again()
    await server.collect.accept(server.source, many('cut', 11), 'test')
    await server.collect.drained()
    expect(await count(server)).toEqual([11, 11])
    await server.close()
  })

  it('is rebuilt for a new journal too, whose positions are not those of the store', async () => {
    let server = await aCollectServer()
    await server.collect.accept(server.source, many('moved', 10), 'test')
    await server.collect.drained()
    await server.close()
    const { rm } = await import('node:fs/promises')
    await rm(`${server.folder}/journal`, { recursive: true })
    await half(server, 'f'.repeat(32), [])
    server = await server.again()
    await server.collect.accept(server.source, many('moved', 11), 'test')
    await server.collect.drained()
    expect(await count(server)).toEqual([11, 11])
    expect((await server.collect.ledger()).total).toMatchObject({ stored: 11, deduplicated: 10 })
    await server.close()
  })

  it('takes the batch that was stored and not yet recorded for itself, and counts it as stored', async () => {
    const real = { clickhouse: await aClickHouse(), postgres: await aPostgres() }
    const transaction: PostgresPool['transaction'] = () => Promise.reject(new Refusal('busy', 'away'))
    let server = await aCollectServer({ ...real, stands: true })
    await server.collect.accept(server.source, many('own', 10), 'test')
    server = await server.again({ ...real, postgres: { ...real.postgres, transaction }, stands: false })
    await waitFor(async () => (await count(server))[0] === 10)
    await server.close()
    await half(server, server.journal.id, [])
    server = await server.again({ ...real })
    await server.collect.drained()
    expect(await count(server)).toEqual([10, 10])
    expect((await server.collect.ledger()).total).toMatchObject({ stored: 10, deduplicated: 0 })
    await server.close()
  })
})

describe('whatever fails', () => {
  /** Engines whose n-th call fails, and every call after it, either before or after it was done. */
  function failing(engines: { clickhouse: ClickHouse; postgres: PostgresPool }, from: number, done: boolean) {
    const calls = { count: 0 }
    const guard = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      calls.count++
      if (calls.count > from) throw new Refusal('busy', 'failpoint: away')
      if (calls.count < from) return work()
      if (done) await work()
      throw new Refusal('busy', 'failpoint: no answer')
    }
    const clickhouse: ClickHouse = {
      ...engines.clickhouse,
      insert: (...sent) => guard(() => engines.clickhouse.insert(...sent)),
      insertLines: (...sent) => guard(() => engines.clickhouse.insertLines(...sent)),
      insertBinary: (...sent) => guard(() => engines.clickhouse.insertBinary(...sent)),
    }
    const postgres: PostgresPool = {
      ...engines.postgres,
      transaction: (...sent) => guard(() => engines.postgres.transaction(...sent)),
    }
    return { clickhouse, postgres, calls }
  }

  it.each([false, true])(
    'at any call, done or not (done: %s), every event is stored and counted once',
    async (done) => {
      const real = { clickhouse: await aClickHouse(), postgres: await aPostgres() }
      let sent = 0
      for (let from = 1; ; from++) {
        const broken = failing(real, from, done)
        const first = await aCollectServer({ ...real, stands: true })
        const batch = many(`round ${from} ${done}`, 5)
        await first.collect.accept(first.source, [...batch, { type: 'track', userId: 'no name' }], 'test')
        sent += 5
        const server = await first.again({ ...broken, stands: false })
        await Promise.race([server.collect.drained(), waitFor(() => broken.calls.count > from)])
        const finished = broken.calls.count < from
        const healthy = await server.again({ ...real, stands: false })
        await healthy.collect.drained()
        expect(await count(healthy), `failed at call ${from}`).toEqual([sent, sent])
        const [aside] = await healthy.clickhouse.query<{ n: string }>('SELECT count() AS n FROM quarantined')
        expect(Number(aside?.n)).toBe(from)
        expect((await healthy.collect.ledger()).total).toMatchObject({ stored: sent, quarantined: from, inFlight: 0 })
        expect(await residue(healthy)).toEqual({ lost: 0, difference: 0 })
        await healthy.close()
        if (finished) {
          expect(from, 'the loop did meet calls').toBeGreaterThan(3)
          break
        }
      }
    },
  )

  it('while the store is away, events are taken; when it is back, all are stored once', async () => {
    let away = true
    const real = await aClickHouse()
    const insertBinary: ClickHouse['insertBinary'] = (...sent) => {
      if (away) throw new Refusal('busy', 'away')
      return real.insertBinary(...sent)
    }
    const server = await aCollectServer({ clickhouse: { ...real, insertBinary } })
    for (let round = 0; round < 10; round++) {
      expect((await server.send('/v1/batch', { batch: many(`away ${round}`, 50) })).statusCode).toBe(200)
    }
    expect(server.collect.health()).toMatchObject({ ok: true, inFlight: 500 })
    expect((await server.collect.ledger()).total).toMatchObject({ received: 500, inFlight: 500 })
    expect((await server.collect.ledger()).bySource[0]).toMatchObject({ inFlight: 500 })
    away = false
    await server.collect.drained()
    expect(await count(server)).toEqual([500, 500])
    expect((await server.collect.ledger()).bySource[0]).toMatchObject({ inFlight: 0, stored: 500 })
    await server.close()
  })

  it('one event on which a step throws is put aside after three tries, and the others go on', async () => {
    const tries: Record<string, number> = {}
    const step: PipelineStep = {
      name: 'picky',
      async run({ events }) {
        for (const { event } of events) {
          if (!event.name.startsWith('poison')) continue
          tries[event.name] = (tries[event.name] ?? 0) + 1
          throw new Error(`cannot digest ${event.name}`)
        }
        for (const one of events) one.profileId = 'profile_1' as never
      },
    }
    const server = await aCollectServer({ steps: [step] })
    const batch = many('fine', 60)
    batch.splice(17, 0, track('poison 1'))
    batch.splice(40, 0, track('poison 2'))
    await server.collect.accept(server.source, batch, 'test')
    await server.collect.drained()
    expect(await count(server, `profile_id = 'profile_1'`)).toEqual([60, 60])
    const { samples } = await server.collect.quarantine({})
    expect(new Set(samples.map((one) => `${one.reason} ${one.because}`))).toEqual(
      new Set(['step_failed picky: cannot digest poison 1', 'step_failed picky: cannot digest poison 2']),
    )
    expect(tries['poison 2']).toBeGreaterThanOrEqual(3)
    expect(await residue(server)).toEqual({ lost: 0, difference: 0 })
    await server.close()
  })

  it('a step may put an event aside or refuse it; both are counted', async () => {
    const step: PipelineStep = {
      name: 'judge',
      run({ events }) {
        for (const one of events) {
          if (one.event.name === 'refused') one.outcome = { kind: 'rejected', reason: 'no_consent' }
        }
        return Promise.resolve()
      },
    }
    const seen: string[] = []
    const after: PipelineStep = {
      name: 'after',
      run({ events }) {
        seen.push(...events.map((one) => one.event.name))
        return Promise.resolve()
      },
    }
    const server = await aCollectServer({ steps: [step, after] })
    await server.collect.accept(server.source, [track('kept'), track('refused')], 'test')
    await server.collect.drained()
    expect(seen).toEqual(['kept'])
    expect((await server.collect.ledger()).total).toMatchObject({ stored: 1, rejected: 1, received: 2 })
    await server.close()
  })

  it('a full disk is 503 with whole seconds in Retry-After, and nothing is acknowledged (C6, C9)', async () => {
    const server = await aCollectServer({ journal: { minFreeBytes: 1e18 } })
    const answer = await server.send('/v1/track', track('no room'))
    expect([answer.statusCode, answer.headers['retry-after'], answer.json().code]).toEqual([503, '30', 'busy'])
    expect(server.journal.head).toBe(0n)
    expect(server.collect.health().ok).toBe(false)
    await server.close()
  })

  it('unknown keys are 503 while the database is away, never 401 (C5)', async () => {
    const real = await aPostgres()
    let away = false
    const guard = <Sent extends unknown[], Result>(work: (...sent: Sent) => Promise<Result>) => {
      return (...sent: Sent) => (away ? Promise.reject(new Error('ECONNREFUSED')) : work(...sent))
    }
    const postgres: PostgresPool = {
      ...real,
      query: guard(real.query) as never,
      transaction: guard(real.transaction) as never,
    }
    const server = await aCollectServer({ postgres })
    away = true
    const unknown = await server.send('/v1/track', track('x'), {
      authorization: `Basic ${Buffer.from('new:').toString('base64')}`,
    })
    expect([unknown.statusCode, unknown.headers['retry-after']]).toEqual([503, '5'])
    const known = await server.send('/v1/track', track('x'))
    expect(known.statusCode).toBe(200)
    away = false
    await server.collect.drained()
    expect(await count(server)).toEqual([1, 1])
    await server.close()
  })
})

describe('awkward events', () => {
  it('are stored as they are, whatever their text and their keys', async () => {
    const server = await aCollectServer()
    const body = `{"batch":[
      {"type":"track","event":"Käufe\\u0000 “ñ” \\ud83d 😀","userId":"NUL\\u0000l","properties":{"a.q":1,"a":{"b":2,"c":[1,"x",null,{"d":[[]]}]},"":"empty","$x y":true,"__proto__":{"polluted":1},"big":123456789012345678901234567890,"small":1e-400,"huge":1e400}},
      {"type":"track","event":"Käufe\\u0000 “ñ” \\ud83d 😀","userId":"u","properties":{"a":"text now","n":18446744073709551615,"neg":-9223372036854775809,"d":"2026-02-30","nested":{"nested":{"nested":null}}}},
      {"type":"track","event":"Käufe\\u0000 “ñ” \\ud83d 😀","userId":"u","properties":[1,2],"context":"nothing","timestamp":"9999-12-31T00:00:00Z"}
    ]}`
    expect((await server.send('/v1/batch', body)).json()).toMatchObject({ accepted: 3 })
    await server.collect.drained()
    const rows = await server.clickhouse.query<Record<string, unknown>>('SELECT * FROM event ORDER BY position')
    expect(await server.collect.quarantine({})).toMatchObject({ samples: [] })
    expect(rows).toHaveLength(3)
    expect(rows[0]).toMatchObject({ name: 'Käufe “ñ” \ufffd 😀', user_id: 'NULl' })
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(rows[2]).toMatchObject({ clamped: 1, properties: {} })
    await server.close()
  })

  it('with any keys and values are stored, or put aside because they say something twice', async () => {
    const server = await aCollectServer()
    const key = fc.oneof(
      fc.constantFrom('a', 'a.b', 'b', '', '.', 'a.', 'c d', '`x`', 'null', '0'),
      fc.string({ unit: 'grapheme' }),
    )
    const { value } = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constant(null),
        fc.boolean(),
        fc.integer(),
        fc.double({ noNaN: true }),
        fc.string({ unit: 'binary' }),
        fc.constantFrom('2026-02-30', '1e5', 'true', '9'.repeat(40)),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(key, tie('value'), { maxKeys: 5 }),
      ),
    }))
    const all = fc.sample(fc.dictionary(key, value, { maxKeys: 6 }), { numRuns: 3000, seed: 77 })
    await server.collect.accept(
      server.source,
      all.map((properties) => track('anything', { properties })),
      'test',
    )
    await server.collect.drained()
    const { reasons } = await server.collect.quarantine({})
    const [stored = 0] = await count(server)
    expect(reasons.map((one) => one.reason)).toEqual(['same_key_twice'])
    expect(stored + (reasons[0]?.events ?? 0)).toBe(3000)
    expect(stored).toBeGreaterThan(2500)
    await server.close()
  })

  it('of thirty years in one batch are all stored', async () => {
    const server = await aCollectServer()
    const batch = Array.from({ length: 360 }, (_, month) =>
      track('history', { timestamp: new Date(Date.UTC(1996, month, 15)).toISOString() }),
    )
    await server.collect.accept(server.source, batch, 'import')
    await server.collect.drained()
    expect(await count(server)).toEqual([360, 360])
    const [row] = await server.clickhouse.query(
      'SELECT min(time) AS first, uniqExact(toYYYYMM(time)) AS months FROM event',
    )
    expect(row).toEqual({ first: '1996-01-15 00:00:00.000', months: '360' })
    await server.close()
  })

  it('show in the inspector as they arrive and when they are settled', async () => {
    const server = await aCollectServer({ stands: true })
    const told: string[] = []
    const stop = server.collect.inspector.watch((events) => {
      told.push(...events.map((one) => `${one.type} ${one.outcome}`))
    })
    await server.collect.accept(server.source, [track('seen', { anonymousId: 'a1' }), { type: 'page' }], 'test')
    await server.collect.start([])
    await server.collect.drained()
    await waitFor(() => told.length >= 4)
    expect(told).toEqual(['track in-flight', ' in-flight', 'track stored', ' quarantined'])
    stop()
    const [latest, before] = server.collect.inspector.recent({ limit: 10 })
    expect(latest).toMatchObject({ outcome: 'quarantined', reason: 'no_identifier' })
    expect(before).toMatchObject({
      outcome: 'stored',
      name: 'seen',
      userId: 'İsmail',
      anonymousId: 'a1',
      sourceId: server.source.id,
    })
    expect(JSON.parse((await server.collect.raw(BigInt(before!.position))).raw)).toEqual(
      track('seen', { anonymousId: 'a1' }),
    )
    await expect(server.collect.raw(99n)).rejects.toMatchObject({ code: 'gone' })
    await server.close()
  })
})

async function waitFor(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10))
}
