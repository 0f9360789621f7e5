import iconv from 'iconv-lite'
import { z } from 'zod'
import { detectColumns, detectEncoding, detectFormat } from '../../../lib/csv/detect.ts'
import { createRecordReader, type CsvRecord } from '../../../lib/csv/records.ts'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Files } from '../../../platform/files/files.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { job, type Jobs } from '../../../platform/jobs/jobs.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { Readable } from 'node:stream'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { Collect } from '../../collect/server/index.ts'
import type { Sources } from '../../sources/server/index.ts'
import { ImportId, type Column, type Counts, type Format, type Import, type WorstRow } from '../contract.ts'
import { guessMeanings } from './meanings.ts'
import { readRow, type RowResult } from './rows.ts'
import { importStore, type StoredImport } from './store.ts'

const maxBytes = 2_147_483_648
const sampleBytes = 131_072
const rowsAtOnce = 500

export interface Imports {
  /** Stores the file and tells how it would be read. @throws Refusal bad_input for an empty file, too_large past 2 GiB */
  upload(
    by: Pick<Caller, 'kind' | 'accountId' | 'name'>,
    sourceId: Id<'source'>,
    fileName: string,
    content: Readable,
  ): Promise<Import>
  get(id: Id<'import'>): Promise<Import>
  list(): Promise<Import[]>
  plan(
    caller: Caller,
    id: Id<'import'>,
    format: Format,
    columns: Pick<Column, 'index' | 'type' | 'meaning'>[],
  ): Promise<Import>
  /** Dry run, in the background. */
  check(caller: Caller, id: Id<'import'>): Promise<Import>
  /** The run, in the background. */
  run(caller: Caller, id: Id<'import'>): Promise<Import>
  cancel(caller: Caller, id: Id<'import'>): Promise<Import>
  /** Check or run to the end, for the command line and the demo company. */
  through(id: Id<'import'>, kind: 'check' | 'run'): Promise<Import>
}

export interface ImportNeeds {
  postgres: Postgres
  clock: Clock
  ids: Ids
  log: Log
  files: Files
  jobs: Jobs
  audit: Audit
  sources: Pick<Sources, 'get'>
  collect: Pick<Collect, 'accept' | 'seen'>
}

export function createImports(needs: ImportNeeds): Imports {
  const { postgres, clock, files, audit, collect, sources } = needs
  const store = importStore(postgres)

  const work = job(
    'imports.read',
    z.object({ id: ImportId, kind: z.enum(['check', 'run']) }),
    ({ id, kind }, signal) => read(id, kind, signal),
    3,
  )
  needs.jobs.register(work)

  async function show(row: StoredImport): Promise<Import> {
    const source = await sources.get(row.sourceId)
    return {
      ...row,
      sourceName: source?.name ?? 'a source that is gone',
      createdAt: row.createdAt.toISOString(),
      finishedAt: row.finishedAt?.toISOString() ?? null,
    }
  }
  async function need(id: Id<'import'>): Promise<StoredImport> {
    const row = await store.get(id)
    if (row === undefined) throw new Refusal('not_found', 'There is no such import.')
    return row
  }

  async function start(caller: Caller, id: Id<'import'>, kind: 'check' | 'run'): Promise<Import> {
    const row = await need(id)
    if (!row.columns.some((column) => column.meaning.kind === 'identifier')) {
      throw new Refusal(
        'not_now',
        'No column is an identifier, so no row can be told to belong to anyone. Mark the e-mail address or a customer number as identifier.',
      )
    }
    const moved = await postgres.transaction(async (tx) => {
      const did = await importStore(tx).move(
        id,
        kind === 'check'
          ? ['uploaded', 'checked', 'cancelled', 'failed', 'done']
          : ['uploaded', 'checked', 'cancelled', 'failed', 'done'],
        kind === 'check' ? 'checking' : 'running',
      )
      if (!did) return false
      await needs.jobs.enqueue(tx, work, { id, kind }, { key: `imports ${id}` })
      await audit.write(tx, {
        actor: actorOf(caller),
        deed: `import.${kind}`,
        object: { kind: 'import', id },
        summary: kind === 'check' ? 'tried an import dry' : 'started an import',
        facts: { source: row.sourceId },
      })
      return true
    })
    if (!moved) throw new Refusal('not_now', 'This file is being read already.')
    return show(await need(id))
  }

  async function* records(row: StoredImport, read: (bytes: number) => void): AsyncGenerator<CsvRecord[]> {
    const reader = createRecordReader(row.format.delimiter)
    const decoder = iconv.getDecoder(row.format.encoding)
    let first = true
    let header = row.format.hasHeader
    const rest = (found: CsvRecord[]) => {
      if (!header || found.length === 0) return found
      header = false
      return found.slice(1)
    }
    for await (const chunk of files.read(row.id)) {
      read(chunk.byteLength)
      const text = decoder.write(Buffer.from(chunk))
      yield rest(reader.push(first ? text.replace(/^\uFEFF/, '') : text))
      first = false
    }
    yield rest([...reader.push(decoder.end() ?? ''), ...reader.end()])
  }

  async function read(id: Id<'import'>, kind: 'check' | 'run', signal?: AbortSignal): Promise<void> {
    const row = await need(id)
    const state = kind === 'check' ? 'checking' : 'running'
    if (row.state !== state) return
    const source = await sources.get(row.sourceId)
    if (source === undefined) throw new Refusal('not_found', 'The source of this import is gone.')
    const tally = createTally()
    let bytesRead = 0
    try {
      for await (const some of records(row, (bytes) => (bytesRead += bytes))) {
        if (signal?.aborted === true) return
        for (let at = 0; at < some.length; at += rowsAtOnce) {
          const rows = some
            .slice(at, at + rowsAtOnce)
            .map((record) => ({ record, result: readRow(record, row.columns, row.format, row.sourceId) }))
          const seen = await collect.seen(
            source.id,
            rows.map(({ result }) => (result.kind === 'events' ? result.messageId : '')),
          )
          const fresh: object[] = []
          rows.forEach(({ record, result }, index) => {
            const known = seen[index] === true || (result.kind === 'events' && tally.repeated(result.messageId))
            tally.add(record, result, known)
            if (result.kind === 'events' && !known) fresh.push(...result.events)
          })
          if (kind === 'run' && fresh.length > 0) await collect.accept(source, fresh, 'import')
        }
        if (!(await store.progress(id, state, bytesRead, tally.counts(), tally.worst()))) return
      }
      await store.finish(id, state, kind === 'check' ? 'checked' : 'done', null, clock.now())
    } catch (error) {
      needs.log.error('an import failed', error, { id })
      await store.finish(
        id,
        state,
        'failed',
        error instanceof Refusal
          ? error.message
          : 'Something went wrong on our side; it was logged. Running it again stores nothing twice.',
        clock.now(),
      )
    }
  }

  return {
    async upload(by, sourceId, fileName, content) {
      const source = await sources.get(sourceId)
      if (source === undefined) throw new Refusal('not_found', 'There is no such source.')
      const id = needs.ids.next('import')
      const bytes = await files.write(id, content, maxBytes)
      if (bytes === 0) {
        await files.remove(id)
        throw new Refusal('bad_input', 'The file is empty.')
      }
      const head = await files.head(id, sampleBytes)
      const encoding = detectEncoding(head)
      const sample = iconv.decode(Buffer.from(head), encoding)
      if (sample.includes('\u0000')) {
        await files.remove(id)
        throw new Refusal('bad_input', 'This is no text file. Save the table as CSV and hand it in again.')
      }
      const format = detectFormat(sample, encoding)
      const columns = guessMeanings(detectColumns(sample, format))
      await postgres.transaction(async (tx) => {
        await importStore(tx).insert({
          id,
          sourceId,
          fileName,
          bytes,
          format,
          columns,
          startedBy: by.name,
          createdAt: clock.now(),
        })
        await audit.write(tx, {
          actor: { kind: by.kind, id: by.accountId },
          deed: 'import.uploaded',
          object: { kind: 'import', id },
          summary: 'handed in a file',
          facts: { source: sourceId, bytes },
        })
      })
      return show(await need(id))
    },
    get: async (id) => show(await need(id)),
    list: async () => Promise.all((await store.newest(100)).map(show)),
    async plan(caller, id, format, columns) {
      const row = await need(id)
      if (row.state === 'running' || row.state === 'checking')
        throw new Refusal('not_now', 'The file is being read; cancel that first.')
      // Another delimiter or encoding makes other columns: guess them anew, then lay the person's choices over the guess.
      const same =
        format.delimiter === row.format.delimiter &&
        format.encoding === row.format.encoding &&
        format.hasHeader === row.format.hasHeader
      const base = same
        ? row.columns
        : guessMeanings(
            detectColumns(iconv.decode(Buffer.from(await files.head(id, sampleBytes)), format.encoding), format),
          )
      const chosen = base.map((column) => ({
        ...column,
        ...(same ? columns.find((other) => other.index === column.index) : undefined),
      }))
      await postgres.transaction(async (tx) => {
        await importStore(tx).plan(id, format, chosen)
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'import.planned',
          object: { kind: 'import', id },
          summary: 'corrected how a file is read',
        })
      })
      return show(await need(id))
    },
    check: (caller, id) => start(caller, id, 'check'),
    run: (caller, id) => start(caller, id, 'run'),
    async cancel(caller, id) {
      await postgres.transaction(async (tx) => {
        if (!(await importStore(tx).cancel(id, clock.now())))
          throw new Refusal('not_now', 'Nothing is running that could be cancelled.')
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'import.cancelled',
          object: { kind: 'import', id },
          summary: 'cancelled an import',
        })
      })
      return show(await need(id))
    },
    async through(id, kind) {
      if (
        !(await store.move(
          id,
          ['uploaded', 'checked', 'cancelled', 'failed', 'done'],
          kind === 'check' ? 'checking' : 'running',
        ))
      )
        throw new Refusal('not_now', 'This file is being read already.')
      await read(id, kind)
      return show(await need(id))
    },
  }
}

/** Counts rows as they go by and keeps the ten worst. */
function createTally() {
  let rows = 0
  let sent = 0
  let unchanged = 0
  let rejected = 0
  let withProblems = 0
  const reasons = new Map<string, number>()
  const inFile = new Set<string>()
  let worst: WorstRow[] = []
  return {
    /** The same row twice in one file is the same event; bounded, because beyond a million rows the index on disk decides. */
    repeated(messageId: string): boolean {
      if (inFile.has(messageId)) return true
      if (inFile.size < 1_000_000) inFile.add(messageId)
      return false
    },
    add(record: CsvRecord, result: RowResult, known: boolean) {
      rows += 1
      if (result.kind === 'rejected') {
        rejected += 1
        reasons.set(result.reason, (reasons.get(result.reason) ?? 0) + 1)
      } else {
        if (known) unchanged += 1
        else sent += 1
        if (result.problems.length > 0) withProblems += 1
      }
      if (result.problems.length === 0 && result.kind === 'events') return
      const entry = {
        line: record.line,
        cells: record.cells.map((cell) => cell.slice(0, 200)).slice(0, 60),
        problems: result.problems.length > 0 ? result.problems : [result.kind === 'rejected' ? result.reason : ''],
        rejected: result.kind === 'rejected',
      }
      worst = [...worst, entry]
        .sort(
          (a, b) => Number(b.rejected) - Number(a.rejected) || b.problems.length - a.problems.length || a.line - b.line,
        )
        .slice(0, 10)
    },
    counts: (): Counts => ({
      rows,
      sent,
      unchanged,
      rejected,
      withProblems,
      reasons: [...reasons]
        .map(([reason, count]) => ({ reason, rows: count }))
        .sort((a, b) => b.rows - a.rows)
        .slice(0, 20),
    }),
    worst: () => worst,
  }
}
