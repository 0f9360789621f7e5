import { connect } from 'node:net'
import { createPulls, type Pulls } from '../../../modules/pulls/server/index.ts'
import type { Plan } from '../../../modules/pulls/contract.ts'
import type { Audit } from '../../../modules/audit/server/index.ts'
import type { Collect } from '../../../modules/collect/server/index.ts'
import type { Source, Sources } from '../../../modules/sources/server/index.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { createEgress } from '../../../platform/egress/open-egress.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { silentLog } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { createIds, seededRandom, systemRandom } from '../../../platform/random/random.ts'
import { createSecrets } from '../../../platform/secrets/secrets.ts'
import type { Legacy, Writer } from './legacy.ts'

/** What takes part on our side, on real engines. */
export interface Here {
  postgres: Postgres
  clickhouse: ClickHouse
  audit: Audit
  sources: Sources
  source: Source
  collect: Collect
}

export interface Stormed {
  database: string
  rounds: number
  kills: number
  written: number
  late: number
  rows: number
  missing: number
  doubled: number
  deleted: number
  deletesUnseen: number
  wrong: number
}

const caller: Caller = {
  kind: 'person',
  accountId: 'account_storm' as never,
  name: 'Storm',
  side: 'it',
  roles: [],
  permissions: new Set(),
  sessionId: undefined,
  steppedUpAtMs: undefined,
}
const lateWriters = 3

/**
 * Writers insert, update and delete; some hold their transaction open while others commit later cursors before them; cursors are equal, a
 * microsecond apart, or empty. Pulls run all the time, and every third is killed at some moment: before its events are handed on, or after that and
 * before it is written down. At the end one more pull, and both sides are compared, row by row.
 */
export async function storm(
  legacy: Legacy,
  here: Here,
  rounds: number,
  seed: number,
  holdMs: number,
): Promise<Stormed> {
  const dice = seededRandom(seed)
  const roll = (sides: number) => {
    const [a = 0, b = 0, c = 0] = dice.bytes(3)
    return (a * 65_536 + b * 256 + c) % sides
  }
  /** Every value of city is written once, so that a value that came twice came doubled. */
  let version = 0
  let next = 0
  let written = 0
  let late = 0
  const base = seed * 1_000_000
  const now = legacy.kind === 'postgres' ? 'clock_timestamp()' : 'SYSDATE(6)'
  const cursor = () =>
    roll(12) === 0 ? 'NULL' : roll(3) === 0 ? `date_trunc_second` : roll(2) === 0 ? now : `plus_microsecond`
  const at = () => {
    const kind = cursor()
    if (kind === 'date_trunc_second')
      return legacy.kind === 'postgres' ? `date_trunc('second', ${now})` : `DATE_FORMAT(${now}, '%Y-%m-%d %H:%i:%s')`
    if (kind === 'plus_microsecond')
      return legacy.kind === 'postgres'
        ? `date_trunc('second', ${now}) + interval '1 microsecond'`
        : `DATE_FORMAT(${now}, '%Y-%m-%d %H:%i:%s') + INTERVAL 1 MICROSECOND`
    return kind
  }
  const alive = new Set<number>()
  const dead = new Set<number>()
  /** Rows in an open transaction: nobody else touches them, or writers would wait for each other. */
  const held = new Set<number>()
  const pick = () => {
    const free = [...alive].filter((id) => !held.has(id))
    return free[roll(Math.max(1, free.length))]
  }
  const city = () => `v${String(seed)}.${String((version += 1))}`

  async function change(writer: Writer): Promise<number[]> {
    const touched: number[] = []
    const hold = (id: number) => {
      held.add(id)
      touched.push(id)
    }
    for (let count = 0; count < 12; count++) {
      written += 1
      const dicey = roll(10)
      const id = pick()
      if (dicey < 5 || id === undefined) {
        const fresh = base + (next += 1)
        hold(fresh)
        alive.add(fresh)
        await writer.run(`INSERT INTO kunder (id, city, updated_at) VALUES (${String(fresh)}, '${city()}', ${at()})`)
      } else if (dicey < 9) {
        hold(id)
        await writer.run(`UPDATE kunder SET city = '${city()}', updated_at = ${at()} WHERE id = ${String(id)}`)
      } else {
        hold(id)
        alive.delete(id)
        dead.add(id)
        await writer.run(`DELETE FROM kunder WHERE id = ${String(id)}`)
      }
    }
    return touched
  }

  const stopping = new AbortController()
  const steady = async () => {
    const writer = await legacy.writer()
    while (!stopping.signal.aborted) {
      for (const id of await change(writer)) held.delete(id)
      await systemClock.sleep(20)
    }
    await writer.end()
  }
  const holding = async () => {
    const writer = await legacy.writer()
    while (!stopping.signal.aborted) {
      await writer.run('BEGIN')
      const touched = await change(writer)
      await systemClock.sleep(200 + roll(holdMs), stopping.signal)
      late += touched.length
      await writer.run('COMMIT')
      for (const id of touched) held.delete(id)
    }
    await writer.end()
  }
  const writers = [steady(), ...Array.from({ length: lateWriters }, holding)]

  /** A process of our side, which may die when it hands events on. */
  let dies: 'before' | 'after' | undefined
  const life = (): Pulls =>
    createPulls({
      postgres: here.postgres,
      clock: systemClock,
      ids: createIds(systemClock, systemRandom),
      log: silentLog,
      secrets: createSecrets(new Uint8Array(32).fill(3), systemRandom),
      dial: () =>
        Promise.resolve(
          legacy.socket === undefined
            ? connect({ host: '127.0.0.1', port: legacy.connection.port })
            : connect(legacy.socket),
        ),
      egress: createEgress(),
      jobs: {
        register: () => undefined,
        enqueue: () => Promise.resolve(),
        dead: () => Promise.resolve([]),
        oldestWaitingMs: () => Promise.resolve(0),
        start: () => Promise.resolve(),
        stop: () => Promise.resolve(),
      },
      audit: here.audit,
      sources: here.sources,
      collect: {
        async accept(source, events, via) {
          const now = dies
          if (now === 'before') throw new Error('killed')
          const done = await here.collect.accept(source, events, via)
          if (now === 'after') throw new Error('killed')
          return done
        },
      },
    })
  const { port, database, user, password } = legacy.connection
  const first = life()
  const { id } = await first.create(caller, {
    name: `storm ${legacy.kind} ${String(seed)}`,
    sourceId: here.source.id,
    connection: { kind: legacy.kind, host: 'legacy', port, database, user, tls: 'off' },
    password,
  })
  const schema = legacy.kind === 'postgres' ? 'public' : database
  const { plan } = await first.look(id, { table: { schema, name: 'kunder' } })
  const wanted: Plan = {
    ...plan,
    // MariaDB knows no transaction numbers: the overlap stands for the longest transaction that it does not show, the oldest it shows is seen.
    finding: plan.finding.by === 'cursor' ? { ...plan.finding, overlap: 5 } : plan.finding,
    deletes: { by: 'comparison', everyRuns: 1 },
  }
  await first.plan(caller, id, wanted)
  let kills = 0
  let run: string | undefined
  for (let round = 0; round < rounds; round++) {
    const strike = roll(3)
    dies = strike === 0 ? 'before' : strike === 1 && roll(2) === 0 ? 'after' : undefined
    const pulls = life()
    const done = run === undefined ? await pulls.through(caller, id) : await pulls.resume(run as never)
    run = undefined
    if (done.state === 'failed') {
      kills += 1
      // As a killed process would leave it: begun, and nobody has it. Now and then it is not taken up but begun anew.
      if (roll(2) === 0) {
        await here.postgres.query(
          `UPDATE pulls.run SET state = 'running', finished_at = NULL, because = NULL WHERE id = $1`,
          [done.id],
        )
        run = done.id
      }
    }
  }
  stopping.abort()
  await Promise.all(writers)
  dies = undefined
  if (run !== undefined) await life().resume(run as never)
  const end = await life().through(caller, id)
  if (end.state !== 'done') throw new Error(end.because ?? 'the last pull failed')
  await here.collect.drained()

  const reader = await legacy.writer()
  const there = new Map(
    (await reader.rows('SELECT id, city FROM kunder')).map(([key, value]) => [String(key), String(value)]),
  )
  await reader.end()
  const events = await here.clickhouse.query<{ id: string; what: string }>(
    `SELECT e.external_ids[1].value AS id, if(e.type = 'track', '†', e.traits.city::String || e.traits.address.city::String) AS what
       FROM event AS e WHERE toUInt64OrZero(e.external_ids[1].value) BETWEEN {from:UInt64} AND {to:UInt64} ORDER BY e.position`,
    { from: String(base), to: String(base + 999_999) },
  )
  const last = new Map<string, string>()
  const times = new Map<string, number>()
  for (const { id: key, what } of events) {
    last.set(key, what)
    if (what !== '†') times.set(`${key} ${what}`, (times.get(`${key} ${what}`) ?? 0) + 1)
  }
  const deaths = events.filter(({ what }) => what === '†').length
  return {
    database: end.state === 'done' ? (legacy.kind === 'postgres' ? 'PostgreSQL' : 'MariaDB') : '',
    rounds,
    kills,
    written,
    late,
    rows: there.size,
    missing: [...there].filter(([key]) => !last.has(key)).length,
    doubled: [...times.values()].filter((count) => count > 1).length,
    deleted: deaths,
    // A row that came and went between two pulls was never here; one that was here must be said to be gone.
    deletesUnseen: [...dead].filter(
      (one) => !there.has(String(one)) && last.has(String(one)) && last.get(String(one)) !== '†',
    ).length,
    wrong: [...there].filter(([key, value]) => last.has(key) && last.get(key) !== value).length,
  }
}

/** Whether nothing was lost, doubled or missed. */
export const held = (one: Stormed) =>
  one.missing === 0 &&
  one.doubled === 0 &&
  one.deletesUnseen === 0 &&
  one.wrong === 0 &&
  one.kills > 0 &&
  one.deleted > 0
