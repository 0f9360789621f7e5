import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import {
  DatabaseProblem,
  type Cell,
  type ColumnInfo,
  type Finding,
  type OtherDatabase,
  type Reading,
  type Snapshot,
  type Ways,
} from '../../../platform/databases/database.ts'
import { openDatabase } from '../../../platform/databases/open.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { Secrets } from '../../../platform/secrets/secrets.ts'
import type { Collect } from '../../collect/server/index.ts'
import type { Source, Sources } from '../../sources/server/index.ts'
import type { Column, Plan } from '../contract.ts'
import { askedColumns, createJudge, judgingOf, type Known, type Said } from './rows.ts'
import { pullStore, type Progress, type StoredPull, type StoredRun } from './store.ts'
import { createTally, type Counted } from './tally.ts'

/** Rows in one chunk: read, compared, handed on and written down together. */
const rowsAtOnce = 4000
/** Without a sign of life for so long a run is taken up by another process. A journal that is busy may hold a chunk for a minute. */
const heldMs = 90_000
const noKey = '00000000-0000-0000-0000-000000000000'

export interface ReadingNeeds extends Pick<Ways, 'dial' | 'egress'> {
  postgres: Postgres
  clock: Clock
  ids: Ids
  log: Log
  secrets: Secrets
  sources: Pick<Sources, 'get'>
  collect: Pick<Collect, 'accept'>
}

export const passwordPlace = (id: string) => `pulls.pull|${id}|password`

const infoOf = (column: Column): ColumnInfo => ({
  name: column.name,
  type: column.databaseType,
  nullable: column.nullable,
  inKey: column.inKey ?? undefined,
})
export function findingOf(plan: Plan): Finding {
  const { finding } = plan
  if (finding.by !== 'cursor') return finding
  const column = plan.columns.find((one) => one.name === finding.column)
  if (column === undefined) throw new Refusal('bad_input', `There is no column ${finding.column}.`)
  return { by: 'cursor', column: infoOf(column), overlap: finding.overlap }
}

/** A person has to say whether so many are really gone. */
class ManyGone extends Refusal {}

/** The process ends, or our own engines are away for a moment: whoever looks after pulls takes the run up again. */
const letsGo = (error: unknown, signal: AbortSignal) =>
  signal.aborted || (error instanceof Refusal && error.code === 'busy')

/** The run was taken away: cancelled, or taken up by another process. */
class NotOurs extends Error {}

/**
 * Reads a table from one moment of the other database (README: why no row is lost). Each chunk is compared with what its rows said last, written
 * down as about to be said, handed on, and only then confirmed, together with the place behind it.
 */
export function createReading(needs: ReadingNeeds) {
  const { postgres, clock, collect } = needs
  const store = pullStore(postgres)
  const until = () => new Date(clock.ms() + heldMs)

  interface Work {
    run: StoredRun
    reader: string
    pull: StoredPull
    plan: Plan
    source: Source
    tally: ReturnType<typeof createTally>
    chunk: number
    signal: AbortSignal
  }

  /** Said first on our disk, then to collect, then confirmed: killed in between, the same is said again under the same message ids. */
  async function say(work: Work, said: readonly Said[], progress: Progress, told: (aside: ReadonlySet<Said>) => void) {
    const { run, reader, pull } = work
    const aside = new Set<Said>()
    if (said.length > 0) {
      work.chunk += 1
      if (!(await store.write({ id: run.id, reader }, pull, work.chunk, said))) throw new NotOurs()
      const owners = said.flatMap((one) => one.events.map(() => one))
      const { putAside } = await collect.accept(
        work.source,
        said.flatMap((one) => one.events),
        'pull',
      )
      for (const at of putAside) {
        const owner = owners[at]
        if (owner !== undefined) aside.add(owner)
      }
    }
    told(aside)
    const counts = work.tally.counts()
    if (
      !(await store.confirm({ id: run.id, reader }, pull.id, work.chunk, until(), progress, counts, work.tally.worst()))
    )
      throw new NotOurs()
  }

  async function readPass(work: Work, snapshot: Snapshot, pass: 'rows' | 'without', anyKnown: boolean): Promise<void> {
    const { run, pull, plan, tally, signal } = work
    const columns = askedColumns(plan).map((column, index) => ({ ...column, index }))
    const judge = createJudge(judgingOf({ id: pull.id, name: pull.name, plan: { ...plan, columns } }))
    const finding = findingOf(plan)
    const key = plan.key.map((name) => infoOf(columns.find((column) => column.name === name) as Column))
    const at = run.progress?.pass === pass ? run.progress.after : null
    const reading: Reading = {
      from: plan.from,
      columns: columns.map(infoOf),
      key,
      finding,
      pass,
      since: run.whole || pull.mark === null ? { kind: 'everything' } : pull.mark,
      withDeleted: plan.deletes.by === 'column',
      after: at ?? undefined,
      rowsAtOnce,
    }
    // While one chunk is written down and handed on, the next is read and compared: rows of two chunks have different keys.
    let saying = Promise.resolve()
    try {
      for await (const { rows, after = null } of snapshot.read(reading)) {
        signal.throwIfAborted()
        const chunk = await judged(rows)
        await saying
        saying = say(work, chunk.said, { pass, after }, (aside) => {
          tally.add(chunk.counted)
          for (const one of chunk.said) {
            tally.sent(aside.has(one))
            if (one.hash === null) tally.gone()
          }
        })
        saying.catch(() => undefined)
      }
    } finally {
      await saying
    }

    async function judged(rows: readonly Cell[][]) {
      const keys = rows.map((cells) => judge.key(cells))
      const known = new Map<string, Known>()
      if (anyKnown) for (const row of await store.known(pull.number, keys, pull.unsure)) known.set(row.key, row)
      const said: Said[] = []
      const counted: Counted = { unchanged: 0, rejected: [], problems: [] }
      const inChunk = new Set<string>()
      for (const [index, cells] of rows.entries()) {
        const rowKey = keys[index] ?? ''
        if (inChunk.has(rowKey)) {
          const reason = 'another row has the same key: the key columns do not tell rows apart'
          counted.rejected.push({ key: judge.shownKey(cells), reason })
          continue
        }
        inChunk.add(rowKey)
        const one = judge.judge(cells, rowKey, known.get(rowKey))
        if (one.is === 'unchanged') counted.unchanged += 1
        else if (one.is === 'rejected') counted.rejected.push({ key: judge.shownKey(cells), reason: one.reason })
        else {
          said.push(one.said)
          if (one.problems.length > 0)
            counted.problems.push({ key: judge.shownKey(cells), reason: one.problems.join('; ') })
        }
      }
      return { said, counted }
    }
  }

  /** Which rows are no longer there: all keys of the table against all that are known. */
  async function comparePass(work: Work, snapshot: Snapshot): Promise<void> {
    const { run, reader, pull, plan, tally, signal } = work
    let progress: Progress = { pass: 'keys', after: null }
    const judge = createJudge(judgingOf({ id: pull.id, name: pull.name, plan }))
    const columns = plan.columns.map(infoOf)
    await store.clearPresent(run.id)
    let present = 0
    const reading: Reading = {
      from: plan.from,
      columns,
      key: plan.key.map((name) => columns.find((column) => column.name === name) as ColumnInfo),
      finding: findingOf(plan),
      pass: 'keys',
      since: { kind: 'everything' },
      withDeleted: false,
      after: (run.progress?.pass === 'keys' ? run.progress.after : null) ?? undefined,
      rowsAtOnce,
    }
    for await (const { rows, after = null } of snapshot.read(reading)) {
      signal.throwIfAborted()
      progress = { pass: 'keys', after }
      await store.addPresent(
        run.id,
        rows.map((cells: Cell[]) => judge.keyOf(cells)),
      )
      present += rows.length
      await say(work, [], progress, () => undefined)
    }
    // Before anybody is said to be gone: a list of keys that is not whole would say it of all the others.
    if ((await store.countPresent(run.id)) !== present || (await store.run(run.id))?.reader !== reader)
      throw new NotOurs()
    if (!run.let_go) {
      const [known, gone] = [await store.howMany(pull.number), await store.howManyMissing(pull.number, run.id)]
      if (gone * 2 > known)
        throw new ManyGone(
          'not_now',
          `${gone.toLocaleString('en-GB')} of ${known.toLocaleString('en-GB')} rows are not there any more. Are they really gone, or is it another table or database now? Nothing was said of them yet.`,
        )
    }
    let after = noKey
    for (;;) {
      signal.throwIfAborted()
      const missing = await store.missing(pull.number, run.id, pull.unsure, after, rowsAtOnce)
      if (missing.length === 0) break
      after = missing.at(-1)?.key ?? noKey
      await say(
        work,
        missing.map((row) => judge.gone(row.key, row)),
        progress,
        () => {
          for (const _row of missing) tally.gone()
        },
      )
    }
    await store.clearPresent(run.id)
  }

  async function readAll(work: Work, database: OtherDatabase): Promise<void> {
    const { run, reader, pull, plan } = work
    const seenAt = clock.now()
    const finding = findingOf(plan)
    const expected = 'table' in plan.from ? await rowsOf(database, plan.from.table) : null
    const snapshot = await database.snapshot(plan.from, finding)
    let goesOn = false
    try {
      await store.seen(run.id, reader, snapshot.mark, seenAt, expected)
      const compare =
        plan.deletes.by === 'comparison' &&
        (run.whole || run.let_go || pull.unsure.length > 0 || pull.runs_since_compare + 1 >= plan.deletes.everyRuns)
      if (run.progress === null && plan.key.some((name) => plan.columns.find((one) => one.name === name)?.nullable)) {
        const key = plan.columns.filter((column) => plan.key.includes(column.name)).map(infoOf)
        work.tally.rejectedMany(await snapshot.withoutKey(plan.from, key), 'a column of the key is empty')
        await say(work, [], { pass: 'rows', after: null }, () => undefined)
      }
      const anyKnown = await store.knowsAny(pull.number)
      const passes: Progress['pass'][] = ['rows', ...(finding.by === 'cursor' ? (['without'] as const) : []), 'keys']
      const from = passes.indexOf(run.progress?.pass ?? 'rows')
      for (const pass of passes.slice(Math.max(0, from)))
        if (pass !== 'keys') await readPass(work, snapshot, pass, anyKnown || pass === 'without')
        else if (compare) await comparePass(work, snapshot)
      const sure = compare || plan.deletes.by !== 'comparison'
      if (!(await store.finish({ id: run.id, reader }, pull.id, clock.now(), compare, sure))) throw new NotOurs()
    } catch (error) {
      goesOn = letsGo(error, work.signal)
      throw error
    } finally {
      await snapshot.close(goesOn).catch(() => undefined)
    }
  }

  /**
   * Safe to run any number of times, in any number of processes: one reads, and whoever takes it up after a stop or a crash goes on behind the last
   * confirmed row. Aborted, it lets go, and the state stays for the next process.
   */
  return async function read(id: Id<'run'>, signal: AbortSignal): Promise<void> {
    const reader = needs.ids.next('reader')
    const run = await store.claim(id, reader, clock.now(), until())
    if (run === undefined) return
    const pull = await store.settle(run.pull_id)
    let database: OtherDatabase | undefined
    try {
      if (pull?.plan === null || pull?.plan === undefined) throw new Refusal('not_now', 'It has no plan yet.')
      const source = await needs.sources.get(pull.source_id)
      if (source === undefined) throw new Refusal('not_found', 'The source of this pull is gone.')
      const address = { ...pull.connection, password: needs.secrets.open(pull.password, passwordPlace(pull.id)) }
      database = await openDatabase(address, needs)
      // Of a run that was stopped after its process had died, nobody else clears anything away.
      if (database.forget !== undefined)
        for (const after of await store.leftBehind(pull.id)) await database.forget(after)
      const tally = createTally(run.counts, run.worst)
      await readAll({ run, reader, pull, plan: pull.plan, source, tally, chunk: pull.last_chunk, signal }, database)
      await store.forgetRuns(pull.id)
    } catch (error) {
      if (error instanceof NotOurs) return
      if (letsGo(error, signal)) {
        await store.letGo(id, reader)
        return
      }
      const known = error instanceof DatabaseProblem || error instanceof Refusal
      if (!known) needs.log.error('a pull failed', error, { id })
      await store.fail(
        id,
        reader,
        known
          ? error.message
          : 'Something went wrong on our side; it was logged. The next run reads what this one did not.',
        clock.now(),
        error instanceof ManyGone,
      )
    } finally {
      await database?.close().catch(() => undefined)
    }
  }
}

async function rowsOf(database: OtherDatabase, wanted: { schema: string; name: string }): Promise<number | null> {
  const found = (await database.tables()).find((one) => one.schema === wanted.schema && one.name === wanted.name)
  return found?.rows ?? null
}
