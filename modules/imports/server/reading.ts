import type { CsvRecord } from '../../../lib/csv/records.ts'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import { besideWritingMs, inSlices } from '../../../platform/clock/slices.ts'
import type { Files } from '../../../platform/files/files.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { Collect } from '../../collect/server/index.ts'
import type { Source, Sources } from '../../sources/server/index.ts'
import { createComparison, type Decided, type LastRow } from './comparison.ts'
import { kinds } from './formats/kinds.ts'
import { tableFile } from './formats/table-file.ts'
import type { Records } from './formats/table-file.ts'
import { eventsOf, readRow, type RowResult } from './rows.ts'
import { byOrder, countLines } from './shops/gathering.ts'
import { orderOfLine, readOrder } from './shops/orders.ts'
import { importStore, type StoredImport } from './store.ts'
import { createTally } from './tally.ts'

/** Large enough that the round trips to the disk and to PostgreSQL are few, small enough for one append; of 500 rows at once half the time was waiting. */
const rowsAtOnceByDefault = 8_000
/** Of a file, as it is read: 256 KiB each. */
const mostPieces = 32
const sentOf = (decided: readonly Decided[]) =>
  decided.flatMap((one) => (one.send === undefined ? [] : [{ one, as: one.send }]))

const nothing: ReadonlySet<Decided> = new Set()
/** Without a sign of life for so long a reading is taken up by another process. A journal that is busy may hold a chunk for a minute. */
const heldMs = 90_000
/** While a file is only counted, so often is a sign of life given. */
const aliveEveryMs = 5_000

export interface ReadingNeeds {
  postgres: Postgres
  clock: Clock
  ids: Ids
  log: Log
  files: Files
  sources: Pick<Sources, 'get'>
  collect: Pick<Collect, 'accept'>
  /** So many rows are decided and sent together. */
  rowsAtOnce?: number
}

/** Reads a file from its first row to its last, for a check or a run. */
export function createReading(needs: ReadingNeeds) {
  const { postgres, clock, files, collect, sources, rowsAtOnce = rowsAtOnceByDefault } = needs
  const store = importStore(postgres)
  const until = () => new Date(clock.ms() + heldMs)

  /** Into the journal. @returns whose events were put aside there */
  async function send(source: Source, decided: readonly Decided[]): Promise<ReadonlySet<Decided>> {
    const aside = new Set<Decided>(decided.filter((one) => one.aside === true))
    const rows = sentOf(decided)
    if (rows.length === 0) return aside
    const events = rows.map(({ one, as }) => eventsOf(one.row, as))
    const { putAside } = await collect.accept(source, events.flat(), 'import')
    if (putAside.length > 0) {
      const owners = rows.flatMap(({ one }, at) => (events[at] ?? []).map(() => one))
      for (const at of putAside) {
        const owner = owners[at]
        if (owner !== undefined) aside.add(owner)
      }
    }
    return aside
  }

  /** After they are in the journal: killed in between, the same rows come again under the same message ids, and count once. */
  const writeDown = (source: Source, decided: readonly Decided[], aside: ReadonlySet<Decided>) =>
    store.putLastRows(
      source.id,
      sentOf(decided).map(({ one, as }) => (aside.has(one) ? { ...as, aside: true } : as)),
    )

  async function lastRowsOf(sourceId: string, keys: readonly string[]): Promise<Map<string, LastRow[]>> {
    const byKey = new Map<string, LastRow[]>()
    for (const row of await store.lastRows(sourceId, keys)) byKey.set(row.key, [...(byKey.get(row.key) ?? []), row])
    return byKey
  }

  /**
   * While a chunk is written down in PostgreSQL, the next one is on its way to the journal, and the one after that is read and compared: it asks for other
   * rows than those before it write.
   * @returns false when somebody else has it now: cancelled, or taken up by another process
   */
  async function readAll(row: StoredImport, source: Source, reader: string, signal: AbortSignal): Promise<boolean> {
    const running = row.state === 'running'
    const comparison = createComparison(running ? `${row.id} ${String(row.run)}` : '')
    const tally = createTally()
    const isKnown = await store.hasLastRows(row.sourceId)
    let sent: Promise<unknown> = Promise.resolve()
    let written: Promise<boolean> = Promise.resolve(true)
    /** Sets a chunk out. @returns once there is room for another one: false when this import is not ours any more */
    const take = async (
      decided: readonly Decided[],
      rejected: readonly { record: CsvRecord; result: RowResult }[],
      bytesRead: number,
    ): Promise<boolean> => {
      const before = written
      const aside = sent.then(() => (running ? send(source, decided) : nothing))
      const finish = async () => {
        if (!(await before)) return false
        const put = await aside
        if (running) await writeDown(source, decided, put)
        for (const { record, result } of rejected) tally.add(record, result, 'sent')
        for (const one of decided)
          tally.add(one.record, one.row, one.known ? 'unchanged' : put.has(one) ? 'quarantined' : 'sent')
        return store.progress(row.id, reader, until(), bytesRead, tally.counts(), tally.worst())
      }
      sent = aside
      written = finish()
      // Asked for by the next chunk; until then a failure is nobody's surprise.
      written.catch(() => undefined)
      aside.catch(() => undefined)
      return before
    }
    const file = await tableFile(files, row.id, row.bytes)
    const names = row.columns.map((column) => column.name)
    let bytesRead = 0
    const recordsOf = (seen: (bytes: number) => void) => kinds[row.format.kind].records(file, row.format, names, seen)
    const seen = (bytes: number) => (bytesRead += bytes)
    const { rows: about } = row.format
    let readUnits: AsyncIterable<Unit[]>
    if (about === 'people') readUnits = eachAlone(recordsOf(seen))
    else {
      const orderOf = orderOfLine(about, row.columns)
      let heardMs = clock.ms()
      const linesOf = await countLines(
        recordsOf(() => undefined),
        orderOf,
        async () => {
          signal.throwIfAborted()
          if (clock.ms() - heardMs < aliveEveryMs) return true
          heardMs = clock.ms()
          return store.progress(row.id, reader, until(), 0, tally.counts(), [])
        },
      )
      if (linesOf === undefined) return false
      readUnits = byOrder(recordsOf(seen), orderOf, linesOf)
    }
    const resultOf = (lines: Unit): RowResult =>
      about === 'people'
        ? readRow(lines[0], row.columns, row.format, row.sourceId, row.fileName)
        : readOrder(lines, about, row.columns, row.format, row.sourceId, row.fileName)
    try {
      for await (const units of inChunks(readUnits, rowsAtOnce)) {
        signal.throwIfAborted()
        const rows: { record: CsvRecord; result: RowResult }[] = []
        await inSlices(units, (lines) => rows.push({ record: lines[0], result: resultOf(lines) }), besideWritingMs)
        const last = isKnown
          ? await lastRowsOf(
              row.sourceId,
              rows.flatMap(({ result }) => (result.kind === 'row' ? [result.key] : [])),
            )
          : new Map<string, LastRow[]>()
        const decided: Decided[] = []
        const rejected: typeof rows = []
        for (const one of rows) {
          if (one.result.kind === 'row') decided.push(...comparison.next(one.record, one.result, last))
          else rejected.push(one)
        }
        if (!(await take(decided, rejected, bytesRead))) return false
      }
      const { decided, beyond } = comparison.end()
      for (let at = 0; at < Math.max(1, decided.length); at += rowsAtOnce)
        if (!(await take(decided.slice(at, at + rowsAtOnce), [], bytesRead))) return false
      if (!(await written)) return false
      if (running) await store.forgetBeyond(row.sourceId, beyond)
      return true
    } finally {
      await Promise.allSettled([sent, written])
    }
  }

  /**
   * Safe to run any number of times, in any number of processes: one reads, and whoever takes it up after a stop or a crash begins at the first row
   * and counts what went in before as what it is. Aborted, it lets go, and the state stays for the next process.
   */
  return async function read(id: Id<'import'>, signal: AbortSignal): Promise<void> {
    const reader = needs.ids.next('import')
    const row = await store.claim(id, reader, clock.now(), until())
    if (row === undefined) return
    try {
      const source = await sources.get(row.sourceId)
      if (source === undefined) throw new Refusal('not_found', 'The source of this import is gone.')
      if (await readAll(row, source, reader, signal))
        await store.finish(id, reader, row.state === 'checking' ? 'checked' : 'done', null, clock.now())
    } catch (error) {
      if (signal.aborted) {
        await store.letGo(id, reader)
        return
      }
      needs.log.error('an import failed', error, { id })
      await store.finish(
        id,
        reader,
        'failed',
        error instanceof Refusal
          ? error.message
          : 'Something went wrong on our side; it was logged. Running it again stores nothing twice.',
        clock.now(),
      )
    }
  }
}

/** The records that say something together: one, or all lines of an order. */
type Unit = [CsvRecord, ...CsvRecord[]]

async function* eachAlone(records: Records): AsyncGenerator<Unit[]> {
  for await (const piece of records) yield piece.map((record): Unit => [record])
}

/** @param size rows at most; fewer when they are so long that they came in many pieces, each a bounded part of the file */
async function* inChunks<One>(pieces: AsyncIterable<One[]>, size: number): AsyncGenerator<One[]> {
  let open: One[] = []
  let count = 0
  for await (const piece of pieces) {
    open = open.length === 0 ? piece : [...open, ...piece]
    count += 1
    let at = 0
    for (; open.length - at >= size; at += size) yield open.slice(at, at + size)
    if (at > 0) {
      open = open.slice(at)
      count = 1
    }
    if (count >= mostPieces) {
      yield open
      open = []
      count = 0
    }
  }
  if (open.length > 0) yield open
}
