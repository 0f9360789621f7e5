import { z } from 'zod'
import { Registry } from 'prom-client'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import { freshnessOf } from '../../../lib/schedule/freshness.ts'
import { nextTime } from '../../../lib/schedule/schedule.ts'
import { DatabaseProblem, type OtherDatabase } from '../../../platform/databases/database.ts'
import { openDatabase } from '../../../platform/databases/open.ts'
import { addFreshnessMetrics } from '../../../platform/freshness/metrics.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { job, type Jobs } from '../../../platform/jobs/jobs.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import { consentWithoutTopic } from '../../imports/contract.ts'
import { RunId, type Connection, type Plan, type Pull, type Relation, type Run, type Table } from '../contract.ts'
import { cannotBe } from './kinds.ts'
import { createReading, findingOf, passwordPlace, type ReadingNeeds } from './reading.ts'
import { pullStore, type StoredPull, type StoredRun } from './store.ts'
import { showRun } from './shown.ts'
import { suggestPlan } from './suggestion.ts'
import { noCounts } from './tally.ts'

const tendEveryMs = 10_000
const sampleRows = 20

export interface Pulls {
  list(): Promise<Pull[]>
  get(id: Id<'pull'>): Promise<Pull>
  runs(id: Id<'pull'>): Promise<Run[]>
  /** Tries a connection; what is wrong comes as a sentence. */
  test(connection: Connection, password: string): Promise<{ ok: boolean; says: string }>
  create(
    caller: Caller,
    wanted: { name: string; sourceId: Id<'source'>; connection: Connection; password: string },
  ): Promise<Pull>
  connect(caller: Caller, id: Id<'pull'>, connection: Connection, password: string | undefined): Promise<Pull>
  tables(id: Id<'pull'>): Promise<Table[]>
  look(id: Id<'pull'>, from: Relation): Promise<{ plan: Plan; rows: (string | null)[][] }>
  plan(caller: Caller, id: Id<'pull'>, plan: Plan): Promise<Pull>
  settings(
    caller: Caller,
    id: Id<'pull'>,
    change: {
      name?: string | undefined
      schedule?: string | null | undefined
      promiseHours?: number | null | undefined
      paused?: boolean | undefined
    },
  ): Promise<Pull>
  /** Begins a run, in the background. */
  run(caller: Caller, id: Id<'pull'>, whole: boolean, letGo?: boolean): Promise<Run>
  cancel(caller: Caller, id: Id<'pull'>): Promise<Pull>
  remove(caller: Caller, id: Id<'pull'>): Promise<void>
  /** A run to its end, for the bench and the fault programs. */
  through(caller: Caller, id: Id<'pull'>, letGo?: boolean): Promise<Run>
  /** A run that was left, to its end. */
  resume(id: Id<'run'>): Promise<Run>
  /** Takes up what an earlier process left, and begins what is due, now and every ten seconds. */
  start(): Promise<void>
  stop(): void
}

export interface PullNeeds extends ReadingNeeds {
  jobs: Jobs
  audit: Audit
  registry?: Registry
}

export function createPulls(needs: PullNeeds): Pulls {
  const { postgres, clock, ids, audit, sources, secrets } = needs
  const store = pullStore(postgres)
  const read = createReading(needs)
  const work = job('pulls.read', z.object({ id: RunId }), ({ id }, signal) => read(id, signal), 3)
  needs.jobs.register(work)
  let stopTending = () => {}

  async function need(id: Id<'pull'>, db: Postgres = postgres): Promise<StoredPull> {
    const row = await pullStore(db).get(id)
    if (row === undefined) throw new Refusal('not_found', 'There is no such pull.')
    return row
  }
  const freshness = (row: StoredPull) =>
    freshnessOf({ freshAt: row.fresh_at, createdAt: row.created_at, promiseHours: row.promise_hours }, clock.ms())

  async function show(row: StoredPull, last: StoredRun | undefined): Promise<Pull> {
    return {
      id: row.id,
      name: row.name,
      sourceId: row.source_id,
      sourceName: (await sources.get(row.source_id))?.name ?? 'a source that is gone',
      connection: row.connection,
      plan: row.plan,
      schedule: row.schedule,
      paused: row.paused,
      nextAt: row.paused ? null : (row.next_at?.toISOString() ?? null),
      freshness: freshness(row),
      last: last === undefined ? null : showRun(last),
      createdAt: row.created_at.toISOString(),
      createdBy: row.created_by,
    }
  }
  async function shown(id: Id<'pull'>): Promise<Pull> {
    const [row, [last]] = await Promise.all([need(id), store.runs(id)])
    return show(row, last)
  }
  const write = (
    tx: Postgres,
    caller: Caller,
    deed: string,
    id: string,
    summary: string,
    facts: Record<string, string | number | boolean | null> = {},
  ) => audit.write(tx, { actor: actorOf(caller), deed, object: { kind: 'pull', id }, summary, facts })

  async function withDatabase<Result>(
    connection: Connection,
    password: string,
    ask: (database: OtherDatabase) => Promise<Result>,
  ): Promise<Result> {
    try {
      const database = await openDatabase({ ...connection, password }, needs)
      try {
        return await ask(database)
      } finally {
        await database.close().catch(() => undefined)
      }
    } catch (error) {
      if (error instanceof DatabaseProblem) throw new Refusal('not_now', error.message)
      throw error
    }
  }
  const withPull = <Result>(row: StoredPull, ask: (database: OtherDatabase) => Promise<Result>) =>
    withDatabase(row.connection, secrets.open(row.password, passwordPlace(row.id)), ask)

  async function begin(
    tx: Postgres,
    pull: StoredPull,
    asked: { whole: boolean; letGo: boolean },
    startedBy: string,
  ): Promise<StoredRun | undefined> {
    const run = await pullStore(tx).start({
      id: ids.next('run'),
      pull_id: pull.id,
      let_go: asked.letGo,
      whole: asked.whole || pull.mark === null || pull.plan?.finding.by === 'comparison',
      counts: noCounts,
      started_by: startedBy,
      started_at: clock.now(),
    })
    if (run !== undefined) await needs.jobs.enqueue(tx, work, { id: run.id }, { key: run.id })
    return run
  }
  async function startRun(
    caller: Caller,
    id: Id<'pull'>,
    asked: { whole: boolean; letGo: boolean },
  ): Promise<StoredRun> {
    return postgres.transaction(async (tx) => {
      const pull = await need(id, tx)
      if (pull.plan === null) throw new Refusal('not_now', 'Choose first what is read and what its columns mean.')
      const run = await begin(tx, pull, asked, caller.name)
      if (run === undefined) throw new Refusal('not_now', 'It is being read already.')
      await write(tx, caller, 'pull.started', id, `Began to read “${pull.name}”`, { ...asked })
      return run
    })
  }
  async function refuseWhileRunning(id: Id<'pull'>): Promise<void> {
    const [last] = await store.runs(id)
    if (last?.state === 'running') throw new Refusal('not_now', 'It is being read now; stop that first.')
  }

  async function tend(): Promise<void> {
    const now = clock.now()
    for (const { id } of await store.due(now))
      await postgres.transaction(async (tx) => {
        const pull = await need(id, tx)
        if (pull.schedule === null) return pullStore(tx).nextAt(id, null)
        // While one runs, the next is left out: it would read nothing that this one's follower does not.
        await begin(tx, pull, { whole: false, letGo: false }, 'the schedule')
        return pullStore(tx).nextAt(id, nextTime(pull.schedule, now))
      })
    for (const { id } of await store.stranded(now))
      await postgres.transaction((tx) => needs.jobs.enqueue(tx, work, { id }, { key: id }))
  }

  async function resume(id: Id<'run'>): Promise<Run> {
    await read(id, new AbortController().signal)
    const now = await store.run(id)
    if (now === undefined) throw new Error('the run is gone')
    return showRun(now)
  }

  addFreshnessMetrics(
    needs.registry ?? new Registry(),
    'pull',
    () => clock.ms(),
    async () => (await store.list()).map((row) => ({ name: row.name, ...freshness(row) })),
  )

  return {
    async list() {
      const [rows, runs] = await Promise.all([store.list(), store.lastRuns()])
      return Promise.all(
        rows.map((row) =>
          show(
            row,
            runs.find((run) => run.pull_id === row.id),
          ),
        ),
      )
    },
    get: shown,
    async runs(id) {
      await need(id)
      return (await store.runs(id)).map(showRun)
    },
    async test(connection, password) {
      try {
        const says = await withDatabase(connection, password, async (database) => {
          const many = (await database.tables()).length
          const [none, some] =
            connection.kind === 'salesforce'
              ? ['no object. Give it the permission to view them.', 'objects']
              : ['no table. Grant it SELECT.', 'tables and views']
          return many === 0
            ? `${database.version} answers, but this user may read ${none}`
            : `${database.version} answers; this user may read ${String(many)} ${some}.`
        })
        return { ok: !says.includes('may read no '), says }
      } catch (error) {
        if (error instanceof Refusal) return { ok: false, says: error.message }
        throw error
      }
    },
    async create(caller, { name, sourceId, connection, password }) {
      const source = await sources.get(sourceId)
      if (source === undefined || source.kind === 'internal') throw new Refusal('not_found', 'There is no such source.')
      await withDatabase(connection, password, () => Promise.resolve())
      const id = ids.next('pull')
      await postgres.transaction(async (tx) => {
        const added = await pullStore(tx).insert({
          id,
          source_id: sourceId,
          name,
          connection,
          password: secrets.seal(password, passwordPlace(id)),
          created_by: caller.name,
          created_at: clock.now(),
        })
        if (!added) throw new Refusal('conflict', `There is a pull named “${name}” already.`)
        await write(tx, caller, 'pull.created', id, `Connected “${name}”`, { ...connection, source: sourceId })
      })
      return shown(id)
    },
    async connect(caller, id, connection, password) {
      const row = await need(id)
      // Another value of any of it is another place: also the same password in the clear, or to whoever shows any certificate.
      const before = new Map<string, unknown>(Object.entries(row.connection))
      const elsewhere = Object.entries(connection).some(([name, value]) => before.get(name) !== value)
      if (row.connection.kind !== connection.kind)
        throw new Refusal('bad_input', 'Another kind of database is another pull: add one for it.')
      if (password === undefined && elsewhere)
        throw new Refusal(
          'bad_input',
          'Say the password again: it is given to no other place than the one it was said for.',
        )
      await refuseWhileRunning(id)
      const now = password ?? secrets.open(row.password, passwordPlace(id))
      await withDatabase(connection, now, () => Promise.resolve())
      await postgres.transaction(async (tx) => {
        await pullStore(tx).connect(id, connection, secrets.seal(now, passwordPlace(id)))
        await write(tx, caller, 'pull.connected', id, `Changed the connection of “${row.name}”`, { ...connection })
      })
      return shown(id)
    },
    async tables(id) {
      const found = await withPull(await need(id), (database) => database.tables())
      return found.map((one) => ({ ...one, rows: one.rows ?? null }))
    },
    async look(id, from) {
      const row = await need(id)
      return withPull(row, async (database) => {
        const columns = await database.columns(from)
        if (columns.length > 500) throw new Refusal('bad_input', 'A table of people has at most 500 columns.')
        const rows = await database.look(from, columns, sampleRows)
        const isTable =
          'table' in from &&
          (await database.tables()).some(
            ({ schema, name, kind }) => kind === 'table' && schema === from.table.schema && name === from.table.name,
          )
        const short = rows.map((cells) => cells.map((cell) => cell?.slice(0, 200) ?? null))
        return { plan: suggestPlan(row.connection.kind, from, isTable, columns, rows), rows: short }
      })
    },
    async plan(caller, id, wanted) {
      const row = await need(id)
      await refuseWhileRunning(id)
      // Names and types are the database's own, so that nothing else gets into a statement.
      const plan = await withPull(row, async (database) => {
        const columns = await database.columns(wanted.from)
        const views = await database.tables()
        const { from } = wanted
        const isTable =
          'table' in from &&
          views.some((one) => one.kind === 'table' && one.schema === from.table.schema && one.name === from.table.name)
        const cannot = cannotBe(wanted, row.connection.kind, isTable)
        if (cannot !== undefined) throw new Refusal('bad_input', cannot)
        return {
          ...wanted,
          columns: wanted.columns.map((column) => {
            const info = columns.find((one) => one.name === column.name)
            if (info === undefined) throw new Refusal('bad_input', `There is no column “${column.name}” any more.`)
            return { ...column, databaseType: info.type, nullable: info.nullable, inKey: info.inKey ?? null }
          }),
        }
      })
      const has = (name: string) => plan.columns.some((column) => column.name === name)
      for (const name of plan.key) if (!has(name)) throw new Refusal('bad_input', `There is no column “${name}”.`)
      if (plan.deletes.by === 'column' && !has(plan.deletes.column))
        throw new Refusal('bad_input', `There is no column “${plan.deletes.column}”.`)
      findingOf(plan)
      if (!plan.columns.some((column) => column.meaning.kind === 'identifier'))
        throw new Refusal(
          'not_now',
          'No column is an identifier, so no row can be told to belong to anyone. Mark the e-mail address or a customer number as identifier.',
        )
      const [agreed] = consentWithoutTopic(plan.columns)
      if (agreed !== undefined)
        throw new Refusal(
          'not_now',
          `“${agreed.name}” says whether people agreed, but not to what. Choose the topic, or leave the column out.`,
        )
      await postgres.transaction(async (tx) => {
        await pullStore(tx).plan(id, plan)
        await write(tx, caller, 'pull.planned', id, `Decided what “${row.name}” reads`, {
          from: 'table' in plan.from ? `${plan.from.table.schema}.${plan.from.table.name}` : plan.from.query,
          key: plan.key.join(', '),
          finding: plan.finding.by,
          deletes: plan.deletes.by,
        })
      })
      return shown(id)
    },
    async settings(caller, id, change) {
      const before = await need(id)
      const schedule = change.schedule === undefined ? before.schedule : change.schedule
      const next = schedule === null ? null : nextTime(schedule, clock.now())
      await postgres.transaction(async (tx) => {
        const after = {
          id,
          name: change.name ?? before.name,
          schedule,
          promise_hours: change.promiseHours === undefined ? before.promise_hours : change.promiseHours,
          paused: change.paused ?? before.paused,
          next_at: next,
        }
        if (await pullStore(tx).nameTaken(after.name, id))
          throw new Refusal('conflict', `There is a pull named “${after.name}” already.`)
        await pullStore(tx).settings(after)
        await write(tx, caller, 'pull.changed', id, `Changed when “${after.name}” is read`, {
          schedule: after.schedule,
          promiseHours: after.promise_hours,
          paused: after.paused,
        })
      })
      return shown(id)
    },
    run: async (caller, id, whole, letGo = false) => showRun(await startRun(caller, id, { whole, letGo })),
    async cancel(caller, id) {
      await postgres.transaction(async (tx) => {
        if (!(await pullStore(tx).cancel(id, clock.now())))
          throw new Refusal('not_now', 'Nothing is running that could be stopped.')
        await write(tx, caller, 'pull.cancelled', id, 'Stopped a run')
      })
      return shown(id)
    },
    async remove(caller, id) {
      await refuseWhileRunning(id)
      await postgres.transaction(async (tx) => {
        const row = await need(id, tx)
        await pullStore(tx).remove(id)
        await write(tx, caller, 'pull.removed', id, `Removed “${row.name}” and its password`)
      })
    },
    async through(caller, id, letGo = false) {
      return resume((await startRun(caller, id, { whole: false, letGo })).id)
    },
    resume,
    async start() {
      await tend()
      stopTending = clock.every(tendEveryMs, tend, (error) => {
        needs.log.warn('pulls could not be looked after; it is tried again', { error: String(error) })
      })
    },
    stop() {
      stopTending()
    },
  }
}
