import { z } from 'zod'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { job, type Jobs } from '../../../platform/jobs/jobs.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import { ReplayId, type Replay } from '../contract.ts'
import { becauseOf } from './inspector.ts'
import { countChosen, nextChosen, type AsideRow, type Choice } from './put-aside.ts'
import { becameOf } from './replayed.ts'
import { replayStore, type Found, type StoredReplay } from './replay-store.ts'
import type { Collect } from './service.ts'

/** Replays of the quarantine: a check first, then the run, both in the background. */
export interface Replays {
  list(): Promise<Replay[]>
  /** Begins a check of the chosen rows. */
  check(caller: Caller, choice: Choice): Promise<Replay>
  /** Begins the replay of what was checked. @throws Refusal('not_now') before the check is through */
  run(caller: Caller, id: Id<'replay'>): Promise<Replay>
  cancel(caller: Caller, id: Id<'replay'>): Promise<Replay>
}

export interface ReplaysNeeds {
  postgres: Postgres
  clickhouse: ClickHouse
  clock: Clock
  ids: Ids
  log: Log
  jobs: Jobs
  audit: Pick<Audit, 'write'>
  collect: Pick<Collect, 'replay' | 'preview' | 'here'>
}

const rowsAtOnce = 1000
const bytesAtOnce = 4 * 1024 * 1024
const samplesEach = 3

export function createReplays(needs: ReplaysNeeds): Replays {
  const { postgres, clickhouse, clock, collect, audit } = needs
  const store = replayStore(postgres)
  const work = job('collect.replay', z.object({ id: ReplayId }), ({ id }, signal) => tryOn(id, signal), 25)
  needs.jobs.register(work)

  async function show(rows: readonly StoredReplay[]): Promise<Replay[]> {
    const became = await becameOf(
      postgres,
      rows.map((row) => row.id),
    )
    return rows.map(({ at: _at, until: _until, createdAt, finishedAt, ...row }) => ({
      ...row,
      chosen: row.chosen as Replay['chosen'],
      found:
        row.found === null
          ? null
          : {
              ...row.found,
              fails: Object.entries(row.found.fails).map(([reason, { events, samples }]) => ({
                reason,
                because: becauseOf(reason),
                events,
                samples,
              })),
            },
      became: became
        .filter((one) => one.replay_id === row.id)
        .map(({ outcome, reason, events }) => ({
          outcome,
          reason,
          because: becauseOf(reason),
          events: Number(events),
        })),
      createdAt: createdAt.toISOString(),
      finishedAt: finishedAt?.toISOString() ?? null,
    }))
  }
  async function one(id: Id<'replay'>): Promise<Replay> {
    const row = await store.get(id)
    const [shown] = row === undefined ? [] : await show([row])
    if (shown === undefined) throw new Refusal('not_found', 'There is no such replay.')
    return shown
  }

  /** What is only away now is tried again by the worker; anything else ends it, and is said. */
  async function tryOn(id: Id<'replay'>, signal: AbortSignal): Promise<void> {
    try {
      await carryOn(id, signal)
    } catch (error) {
      if (signal.aborted || (error instanceof Refusal && error.code === 'busy')) throw error
      needs.log.error('a replay of the quarantine failed', error, { id })
      await store.fail(
        id,
        'Something went wrong on our side; it was logged. What was replayed so far stays, and replaying again stores nothing twice.',
        clock.now(),
      )
    }
  }

  /** Takes it up where it is, whether it has just begun or a process was killed over it. What was sent twice counts once. */
  async function carryOn(id: Id<'replay'>, signal: AbortSignal): Promise<void> {
    const row = await store.get(id)
    if (row === undefined || (row.state !== 'checking' && row.state !== 'running')) return
    const { state, chosen, until } = row
    let { at, looked } = row
    const found: Found = row.found !== null && state === 'checking' ? row.found : noFound()
    for (;;) {
      signal.throwIfAborted()
      const rows = await nextChosen(clickhouse, chosen, until, at, rowsAtOnce)
      if (rows.length === 0) break
      for (const some of partsOf(rows)) {
        if (state === 'running') await collect.replay(id, some)
        else await look(some, found)
        const last = some.at(-1)
        if (last !== undefined) at = { journalId: last.journalId, position: BigInt(last.position) }
        looked += some.length
        if (!(await store.progress(id, state, at, looked, state === 'checking' ? found : null))) return
      }
    }
    await store.move(id, [state], state === 'checking' ? 'checked' : 'done', clock.now())
  }

  async function look(rows: readonly AsideRow[], found: Found): Promise<void> {
    const outcomes = await collect.preview(rows)
    for (const [index, row] of rows.entries()) {
      const { outcome, name } = outcomes[index] ?? { outcome: { kind: 'stored' as const }, name: '' }
      if (outcome.kind === 'deduplicated') found.duplicate += 1
      else if (outcome.kind === 'stored') {
        if (row.reason === 'store_refused' || row.reason === 'step_failed') found.untold += 1
        else found.pass += 1
      } else {
        const fails = (found.fails[outcome.reason] ??= { events: 0, samples: [] })
        fails.events += 1
        const because = ('because' in outcome ? outcome.because : undefined) ?? becauseOf(outcome.reason)
        if (fails.samples.length < samplesEach && !fails.samples.some((sample) => sample.because === because))
          fails.samples.push({ name: name || row.name, because })
      }
    }
  }

  return {
    list: async () => show(await store.newest(20)),
    async check(caller, choice) {
      const id = needs.ids.next('replay')
      const until = collect.here()
      const matched = await countChosen(clickhouse, choice, until)
      if (matched === 0) throw new Refusal('not_now', 'Nothing that was chosen is in quarantine.')
      await postgres.transaction(async (tx) => {
        await replayStore(tx).insert({ id, chosen: choice, until, matched, startedBy: caller.name, at: clock.now() })
        await needs.jobs.enqueue(tx, work, { id }, { key: `replay ${id}` })
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'quarantine.checked',
          object: { kind: 'replay', id },
          summary: 'Checked what a replay of the quarantine would do',
          facts: { source: choice.source ?? '', reason: choice.reason ?? '', events: matched },
        })
      })
      return one(id)
    },
    async run(caller, id) {
      await postgres.transaction(async (tx) => {
        const stored = replayStore(tx)
        const row = await stored.get(id)
        if (row === undefined) throw new Refusal('not_found', 'There is no such replay.')
        if (!(await stored.restart(id))) {
          throw new Refusal(
            'not_now',
            row.state === 'checking' ? 'The check is not through yet.' : 'This is running, or was ended.',
          )
        }
        await needs.jobs.enqueue(tx, work, { id }, { key: `replay ${id}` })
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'quarantine.replayed',
          object: { kind: 'replay', id },
          summary: 'Replayed events of the quarantine',
          facts: { source: row.chosen.source ?? '', reason: row.chosen.reason ?? '', events: row.matched },
        })
      })
      return one(id)
    },
    async cancel(caller, id) {
      await postgres.transaction(async (tx) => {
        if (!(await replayStore(tx).move(id, ['checking', 'running'], 'cancelled', clock.now())))
          throw new Refusal('not_now', 'Nothing is running that could be cancelled.')
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'quarantine.replay_cancelled',
          object: { kind: 'replay', id },
          summary: 'Cancelled a replay of the quarantine',
        })
      })
      return one(id)
    },
  }
}

const noFound = (): Found => ({ pass: 0, duplicate: 0, untold: 0, fails: {} })

/** Groups of the journal are bounded; rows are up to 256 KiB each. */
function partsOf(rows: readonly AsideRow[]): AsideRow[][] {
  const parts: AsideRow[][] = []
  let bytes = Infinity
  for (const row of rows) {
    const size = row.raw.length * 3 + 2000
    if (bytes + size > bytesAtOnce) {
      parts.push([])
      bytes = 0
    }
    bytes += size
    parts.at(-1)?.push(row)
  }
  return parts
}
