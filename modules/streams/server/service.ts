import type { Readable } from 'node:stream'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { LineFormat } from '../../../lib/singer/messages.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import { consentWithoutTopic, type Column } from '../../imports/contract.ts'
import type { Sources } from '../../sources/server/index.ts'
import type { Run, Stream } from '../contract.ts'
import { readLines } from './lines.ts'
import { streamStore, type StoredRun, type StoredStream } from './store.ts'
import { createTaking, type TakingNeeds } from './taking.ts'
import { noCounts } from './tally.ts'

/** One part of the messages of a run. */
export interface Messages {
  sourceId: Id<'source'>
  /** The run that goes on; without, one begins. */
  run?: Id<'stream_run'> | undefined
  format?: LineFormat | undefined
  /** The number of the first line, from 1. */
  from: number
  /** The source has ended after these lines. */
  end?: 'well' | 'badly' | undefined
  /** A person says that most records of a stream are really gone. */
  letGo?: 'yes' | undefined
}

export interface Streams {
  list(): Promise<Stream[]>
  get(id: Id<'stream'>): Promise<Stream>
  runs(): Promise<Run[]>
  decide(
    caller: Caller,
    id: Id<'stream'>,
    wanted: { columns: Pick<Column, 'name' | 'type' | 'meaning'>[]; key: string[]; leftOut: boolean },
  ): Promise<Stream>
  /** Resolves when the records are on disk. @throws Refusal busy when the journal is; the same part is sent again then */
  take(
    caller: Caller,
    messages: Messages,
    body: Readable,
  ): Promise<{
    run: Run
    states: { format: LineFormat; state: unknown }[]
    says: { text: string; bad: boolean }[]
  }>
}

export interface StreamNeeds extends TakingNeeds {
  audit: Audit
  sources: Pick<Sources, 'get'>
}

export function createStreams(needs: StreamNeeds): Streams {
  const { postgres, clock, ids, audit, sources } = needs
  const store = streamStore(postgres)
  const take = createTaking(needs)
  /** Parts of one source are taken one after another. */
  const busy = new Map<string, Promise<unknown>>()

  const nameOf = async (id: Id<'source'>) => (await sources.get(id))?.name ?? 'a source that is gone'
  async function need(id: Id<'stream'>): Promise<StoredStream> {
    const row = await store.stream(id)
    if (row === undefined) throw new Refusal('not_found', 'There is no such stream.')
    return row
  }
  const show = async (row: StoredStream, records: number): Promise<Stream> => ({
    id: row.id,
    name: row.name,
    sourceId: row.source_id,
    sourceName: await nameOf(row.source_id),
    columns: row.columns,
    key: row.key,
    leftOut: row.left_out,
    decidedBy: row.decided_by,
    records,
  })
  const showRun = async (row: StoredRun): Promise<Run> => ({
    id: row.id,
    sourceId: row.source_id,
    sourceName: await nameOf(row.source_id),
    state: row.state,
    counts: row.counts,
    worst: row.worst,
    because: row.because,
    startedBy: row.started_by,
    startedAt: row.started_at.toISOString(),
    heardAt: row.heard_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  })
  async function get(id: Id<'stream'>): Promise<Stream> {
    const [row, counted] = await Promise.all([need(id), store.counted()])
    return show(row, counted.find((one) => one.stream === row.number)?.n ?? 0)
  }

  async function begin(caller: Caller, sourceId: Id<'source'>, source: string): Promise<StoredRun> {
    const run = await postgres.transaction(async (tx) => {
      const at = clock.now()
      await streamStore(tx).leave(sourceId, 'Another run began before this one said that it ended.', at)
      const started = await streamStore(tx).start({
        id: ids.next('stream_run'),
        source_id: sourceId,
        counts: noCounts,
        started_by: caller.name,
        started_at: at,
      })
      if (started === undefined) throw new Refusal('not_now', 'Another run of this source begins at this moment.')
      await audit.write(tx, {
        actor: actorOf(caller),
        deed: 'stream.began',
        object: { kind: 'source', id: sourceId },
        summary: `Began to take in messages for “${source}”`,
      })
      return started
    })
    await store.settle(sourceId)
    await store.prune(sourceId)
    await store.forget(sourceId)
    return run
  }

  async function going(id: Id<'stream_run'>, sourceId: Id<'source'>): Promise<StoredRun> {
    const run = await store.run(id)
    if (run?.source_id !== sourceId) throw new Refusal('not_found', 'There is no such run of this source.')
    if (run.state !== 'running')
      throw new Refusal('conflict', run.because ?? 'This run has ended; begin another from the last state.')
    return run
  }

  /** @param work waits until what came before for this source is done */
  async function inTurn<Result>(sourceId: string, work: () => Promise<Result>): Promise<Result> {
    const before = busy.get(sourceId) ?? Promise.resolve()
    const now = before.then(work, work)
    busy.set(sourceId, now)
    try {
      return await now
    } finally {
      if (busy.get(sourceId) === now) busy.delete(sourceId)
    }
  }

  return {
    async list() {
      const [rows, counted] = await Promise.all([store.streams(), store.counted()])
      const records = new Map(counted.map((one) => [one.stream, one.n]))
      return Promise.all(rows.map((row) => show(row, records.get(row.number) ?? 0)))
    },
    get,
    runs: async () => Promise.all((await store.runs()).map(showRun)),
    async decide(caller, id, wanted) {
      const row = await need(id)
      const columns = row.columns.map((column) => ({
        ...column,
        ...wanted.columns.find((other) => other.name === column.name),
      }))
      for (const name of wanted.key)
        if (!columns.some((column) => column.name === name))
          throw new Refusal('bad_input', `There is no property “${name}”.`)
      if (!wanted.leftOut && !columns.some((column) => column.meaning.kind === 'identifier'))
        throw new Refusal(
          'bad_input',
          'No property is an identifier, so no record can be told to belong to anyone. Mark the e-mail address or a customer number as identifier, or leave the stream out.',
        )
      const [agreed] = wanted.leftOut ? [] : consentWithoutTopic(columns)
      if (agreed !== undefined)
        throw new Refusal(
          'bad_input',
          `“${agreed.name}” says whether people agreed, but not to what. Choose the topic, or leave the property out.`,
        )
      await postgres.transaction(async (tx) => {
        await streamStore(tx).decide({
          id,
          key: wanted.key,
          columns,
          decided_by: caller.name,
          left_out: wanted.leftOut,
        })
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'stream.decided',
          object: { kind: 'stream', id },
          summary: `Decided what the stream “${row.name}” means`,
          facts: { key: wanted.key.join(', '), leftOut: wanted.leftOut },
        })
      })
      return get(id)
    },
    async take(caller, messages, body) {
      const { sourceId, from, format, end } = messages
      const source = await sources.get(sourceId)
      if (source === undefined || source.kind === 'internal') throw new Refusal('not_found', 'There is no such source.')
      const lines = await readLines(body)
      return inTurn(sourceId, async () => {
        const run =
          messages.run === undefined ? await begin(caller, sourceId, source.name) : await going(messages.run, sourceId)
        if (from - 1 > run.lines)
          throw new Refusal('bad_input', `Lines are missing: the next one is ${String(run.lines + 1)}.`)
        try {
          const taken = await take({ run, source, lines, from, format, letGo: messages.letGo === 'yes' })
          const ended =
            end === undefined
              ? taken.run
              : await store.end(
                  run.id,
                  end === 'well' ? 'done' : 'failed',
                  end === 'well' ? null : 'The source failed; what it sent before is in.',
                  clock.now(),
                )
          return { run: await showRun(ended ?? taken.run), states: taken.states, says: taken.says }
        } catch (error) {
          // Busy passes: the same part comes again. Everything else ends the run, and says why.
          if (error instanceof Refusal && error.code !== 'busy')
            await store.end(run.id, 'failed', error.message, clock.now())
          throw error
        }
      })
    },
  }
}
