import { Refusal } from '../../../lib/refusals/refusals.ts'
import {
  propertiesOfRecord,
  readMessage,
  type Announced,
  type LineFormat,
  type Message,
} from '../../../lib/singer/messages.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { Collect } from '../../collect/server/index.ts'
import { createJudge, type Known, type Said } from '../../pulls/server/index.ts'
import type { Source } from '../../sources/server/index.ts'
import { deletedBy, knowledge } from './knowing.ts'
import type { Line } from './lines.ts'
import { streamStore, type Feed, type StoredRow, type StoredRun, type StoredStream } from './store.ts'
import { createTally, type Tally } from './tally.ts'

const noKey = '00000000-0000-0000-0000-000000000000'
/** Records that are looked for and said to be gone at once. */
const goneAtOnce = 2000
/** Streams of one source. */
const mostStreams = 500
/** What the source says to people, of one part. */
const mostSays = 10

export interface TakingNeeds {
  postgres: Postgres
  clock: Clock
  ids: Ids
  collect: Pick<Collect, 'accept'>
}

export interface Part {
  run: StoredRun
  source: Pick<Source, 'id' | 'kind'>
  lines: readonly Line[]
  /** The number of the first line. */
  from: number
  format: LineFormat | undefined
  letGo: boolean
}

export interface Taken {
  run: StoredRun
  states: { format: LineFormat; state: unknown }[]
  says: { text: string; bad: boolean }[]
}

interface Waiting {
  line: number
  stream: StoredStream
  cells: ReadonlyMap<string, string | null>
  version: number | undefined
}
type Owned = Said & { stream: number; line: number; version: number | undefined }

/** Keys that are in a version of a stream. */
interface Belonging {
  stream: number
  version: number
  keys: string[]
}

/** For a run that another one of its source has replaced */
const notOurs = () =>
  new Refusal(
    'conflict',
    'Another run of this source began meanwhile, so this one ended. Nothing of it is lost: the other takes in the same.',
  )

/**
 * Takes in one part of the messages (README: why nothing is lost or doubled). Lines up to the place of the run were taken before and only tell their
 * states again. Records are compared with what they said last, written down as about to be said, handed on, and only then confirmed with the place.
 */
export function createTaking(needs: TakingNeeds) {
  const { postgres, clock, collect } = needs
  const store = streamStore(postgres)

  return async function take(part: Part): Promise<Taken> {
    const { source } = part
    let { run } = part
    const feed = await store.settle(source.id)
    const streams = new Map((await store.of(source.id)).map((stream) => [stream.name, stream]))
    const tally = createTally(run.counts, run.worst)
    const states: Taken['states'] = []
    const says: Taken['says'] = []
    let waiting: Waiting[] = []
    let done = run.lines

    for (const [index, line] of part.lines.entries()) {
      const number = part.from + index
      const message: Message =
        'reason' in line
          ? { kind: 'malformed', reason: line.reason }
          : line.text.trim() === ''
            ? { kind: 'nothing' }
            : readMessage(line.text, part.format)
      const before = number <= run.lines
      if (message.kind === 'state') states.push({ format: message.format, state: message.state })
      if (before) continue
      await hear(message, number)
      done = number
    }
    await flush()
    return { run, states, says }

    async function hear(message: Message, number: number): Promise<void> {
      switch (message.kind) {
        case 'schemas':
          for (const schema of message.schemas) await learn(schema)
          return
        case 'record': {
          const stream = await streamOf(message.stream, message.cells)
          if (stream.left_out) tally.rejected(number, stream.name, '', 'the stream is left out')
          else waiting.push({ line: number, stream, cells: message.cells, version: message.version })
          return
        }
        case 'state':
          tally.state()
          return
        case 'version':
          await flush()
          await activate(message.stream, message.version)
          return
        case 'says':
          if (says.length < mostSays || message.bad) says.push({ text: message.text, bad: message.bad })
          if (says.length > mostSays) says.shift()
          return
        case 'malformed':
          tally.malformed(number, message.reason)
          return
        case 'impossible':
          throw new Refusal('not_now', message.reason)
        case 'nothing':
      }
    }

    /** The stream of a record; one that is heard of first, or has properties that no schema announced, is learned from it. */
    async function streamOf(name: string, cells: ReadonlyMap<string, string | null>): Promise<StoredStream> {
      const known = streams.get(name)
      const columns = new Set(known?.columns.map((column) => column.name))
      const isNew = known === undefined || [...cells.keys()].some((property) => !columns.has(property))
      const stream = isNew ? await learn({ stream: name, properties: propertiesOfRecord(cells), key: [] }) : known
      if (!stream.left_out && !stream.columns.some((column) => column.meaning.kind === 'identifier'))
        throw new Refusal(
          'not_now',
          `No property of the stream “${name}” says whose record it is. Say on its page (Sources → Streams) what they mean, or leave the stream out; then run it again from the last state.`,
        )
      return stream
    }

    async function learn(announced: Announced): Promise<StoredStream> {
      const { stream: name } = announced
      const known = streams.get(name)
      if (known === undefined && streams.size >= mostStreams)
        throw new Refusal('not_now', `A source has at most ${String(mostStreams)} streams.`)
      const { columns, key } = knowledge(known ?? { name, columns: [], key: [] }, announced)
      if (known !== undefined && columns === known.columns && JSON.stringify(key) === JSON.stringify(known.key))
        return known
      // Records that wait were meant by what was known then.
      await flush()
      if (known === undefined) {
        const row = { source_id: source.id, name, key: [...key], columns: [...columns], created_at: clock.now() }
        await store.add({ id: needs.ids.next('stream'), ...row })
      } else await store.learn(known.id, key, columns)
      for (const stream of await store.of(source.id)) streams.set(stream.name, stream)
      const stream = streams.get(name)
      if (stream === undefined) throw new Error('a stream that was just kept is gone')
      return stream
    }

    async function flush(): Promise<void> {
      const of = Map.groupBy(waiting, (one) => one.stream)
      waiting = []
      const said: Owned[] = []
      const belongs: Belonging[] = []
      for (const [stream, records] of of) {
        const found = await judged(stream, records, feed, tally)
        said.push(...found.said)
        belongs.push(...found.belongs)
      }
      if (said.length > 0 || done > run.lines) await say(said, true, belongs)
    }

    /** @param counted whether each is a record that came, or only one that is found to be gone */
    async function say(said: readonly Owned[], counted: boolean, belongs: readonly Belonging[] = []) {
      const aside = new Set<Said>()
      if (said.length > 0) {
        feed.last_chunk += 1
        // The same key twice in one part: both are said, in order, and the last is what is known.
        const rows = new Map<string, StoredRow>(said.map((one) => [`${String(one.stream)} ${one.key}`, one]))
        if (!(await store.write(run, feed.last_chunk, [...rows.values()]))) throw notOurs()
        const owners = said.flatMap((one) => one.events.map(() => one))
        const events = said.flatMap((one) => one.events)
        const { putAside } = await collect.accept(source, events, 'stream')
        for (const at of putAside) {
          const owner = owners[at]
          if (owner !== undefined) aside.add(owner)
        }
      }
      for (const one of belongs) await store.belong(one.stream, one.version, one.keys)
      for (const one of said) {
        if (counted) tally.sent(aside.has(one))
        if (one.hash === null) tally.gone()
      }
      const now = await store.confirm(run, feed.last_chunk, done, tally.counts(done), tally.worst(), clock.now())
      if (now === undefined) throw notOurs()
      run = now
    }

    /** The tap has sent the whole stream in this version: records of others are no longer there. */
    async function activate(name: string, version: number): Promise<void> {
      const stream = streams.get(name)
      if (stream === undefined || stream.left_out) return
      const { all, these } = await store.versions(stream.number, version)
      const gone = all - these
      // Taps announce a version before its records too, and an empty answer is rather a fault than a company without customers.
      if (these === 0 || gone === 0) return
      if (tally.counts(done).malformed > 0) {
        const text = `Stream ${name}: lines of this run could not be read, so nobody is said to be gone.`
        says.push({ text, bad: false })
        return
      }
      if (gone * 2 > all && !part.letGo)
        throw new Refusal(
          'not_now',
          `${gone.toLocaleString('en-GB')} of ${all.toLocaleString('en-GB')} records of the stream “${name}” did not come again. Are they really gone? If so, run it again with --let-go; nothing was said of them yet.`,
        )
      const judge = createJudge(judgingOf(stream))
      let after = noKey
      for (;;) {
        const others = await store.others(stream.number, version, feed.unsure, after, goneAtOnce)
        if (others.length === 0) return
        after = others.at(-1)?.key ?? noKey
        const said = others.map((row) => ({
          ...judge.gone(row.key, row),
          stream: stream.number,
          line: 0,
          version: undefined,
        }))
        await say(said, false)
      }
    }
  }

  async function judged(
    stream: StoredStream,
    records: readonly Waiting[],
    feed: Feed,
    tally: Tally,
  ): Promise<{ said: Owned[]; belongs: Belonging[] }> {
    const judge = createJudge(judgingOf(stream))
    const read = records.map((record) => {
      const cells = stream.columns.map((column) => record.cells.get(column.name) ?? null)
      return { ...record, cells, key: judge.key(cells) }
    })
    const keys = read.map((one) => one.key)
    const known = new Map<string, Known>(
      (await store.known(stream.number, keys, feed.unsure)).map((row) => [row.key, row]),
    )
    const keyAt = stream.key.map((name) => stream.columns.findIndex((column) => column.name === name))
    const said: Owned[] = []
    for (const { cells, key, line, version } of read) {
      const shown = judge.shownKey(cells)
      if (keyAt.some((at) => (cells[at] ?? null) === null)) {
        tally.rejected(line, stream.name, shown, 'a property of the key is empty')
        continue
      }
      const one = judge.judge(cells, key, known.get(key))
      if (one.is === 'unchanged') tally.unchanged()
      else if (one.is === 'rejected') tally.rejected(line, stream.name, shown, one.reason)
      else {
        if (one.problems.length > 0) tally.problems(line, stream.name, shown, one.problems.join('; '))
        said.push({ ...one.said, stream: stream.number, line, version })
        known.set(key, { ...one.said, unsure: false })
      }
    }
    const belongs = [...Map.groupBy(read, (one) => one.version)].flatMap(([version, some]) =>
      version === undefined ? [] : [{ stream: stream.number, version, keys: some.map((one) => one.key) }],
    )
    return { said, belongs }
  }
}

const judgingOf = (stream: StoredStream) =>
  ({
    id: stream.id,
    way: 'stream',
    columns: stream.columns,
    key: stream.key,
    deletedBy: deletedBy(stream.columns),
    sparse: true,
    properties: { stream: stream.name },
  }) as const
