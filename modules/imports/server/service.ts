import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
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
import { consentWithoutTopic, ImportId, keepDays, type Column, type Format, type Import } from '../contract.ts'
import { columnsOfTable, detectTable } from './formats/kinds.ts'
import { tableFile } from './formats/table-file.ts'
import { columnsAsKept, formatAsKept, sameNames, shapeOf } from './mapping.ts'
import { createReading } from './reading.ts'
import { looksLike, meaningsOf } from './shops/shapes.ts'
import { importStore, type StoredImport } from './store.ts'

const maxBytes = 2_147_483_648
const tendEveryMs = 10_000
const atRest: Import['state'][] = ['uploaded', 'checked', 'cancelled', 'failed', 'done']

/** A person, a program with a key, or a part of this product that brings files. */
export type HandedInBy =
  Pick<Caller, 'kind' | 'accountId' | 'name'> | { kind: 'system'; accountId: string; name: string }

/** Rows are orders only under the columns of a shop's export. */
const rowsOf = (format: Format, columns: readonly Pick<Column, 'name'>[]): Format['rows'] =>
  (format.hasHeader ? looksLike(columns)?.rows : undefined) ?? 'people'

export interface Imports {
  /** Stores the file and tells how it would be read. @throws Refusal bad_input for an empty file, too_large past 2 GiB */
  upload(
    by: HandedInBy,
    sourceId: Id<'source'>,
    fileName: string,
    content: Readable,
    /** Written in the same transaction; what it throws takes the import and its file back. */
    alongside?: (tx: Postgres, made: Pick<Import, 'id' | 'columns' | 'mapped'>) => Promise<void>,
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
  /** A run to its end for somebody who brings files again and again: their mapping stays whose it is. Aborted, it goes on in the next process. */
  readIn(by: HandedInBy, id: Id<'import'>, signal: AbortSignal): Promise<Import>
  cancel(caller: Caller, id: Id<'import'>): Promise<Import>
  /** Check or run to the end, for the command line and the demo company. */
  through(id: Id<'import'>, kind: 'check' | 'run'): Promise<Import>
  /** Takes up what an earlier process left, now and whenever one goes, and deletes files whose time has come. */
  start(): Promise<void>
  stop(): void
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
  collect: Pick<Collect, 'accept'>
  /** So many rows are decided and sent together: a stop costs at most one such chunk its place. */
  rowsAtOnce?: number
}

export function createImports(needs: ImportNeeds): Imports {
  const { postgres, clock, files, audit, sources } = needs
  const store = importStore(postgres)

  const read = createReading(needs)
  const work = job('imports.read', z.object({ id: ImportId }), ({ id }, signal) => read(id, signal), 3)
  needs.jobs.register(work)
  let stopTending = () => {}

  async function show({ fileRemovedAt, run: _run, shape: _shape, ...row }: StoredImport): Promise<Import> {
    const source = await sources.get(row.sourceId)
    const since = row.finishedAt ?? row.createdAt
    return {
      ...row,
      fileUntil: fileRemovedAt === null ? new Date(since.getTime() + keepDays * 86_400_000).toISOString() : null,
      looksLike: row.format.hasHeader ? looksLike(row.columns) : null,
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

  /** @throws Refusal('not_now') when there is nothing left to read */
  function needFile(row: StoredImport): void {
    if (row.fileRemovedAt === null) return
    throw new Refusal(
      'not_now',
      `The file was deleted on ${row.fileRemovedAt.toISOString().slice(0, 10)}. Hand it in again: what is here already is not stored twice.`,
    )
  }

  /** How a file that just came is written and what its columns may mean; nothing of it stays when it is no table. */
  async function looked(id: Id<'import'>, sourceId: string, bytes: number) {
    try {
      const file = await tableFile(files, id, bytes)
      const detected = await detectTable(file)
      const names = await columnsOfTable(file, detected)
      const found = { ...detected, rows: rowsOf(detected, names) }
      const shape = shapeOf(
        found.kind,
        names.map((column) => column.name),
      )
      const mapping = await store.mapping(sourceId, shape)
      if (mapping === undefined) return { format: found, columns: meaningsOf(names), shape, mapping }
      const format = formatAsKept(found, mapping.format)
      const asKept = await columnsOfTable(file, format)
      // Found with the same columns, but under the separator or sheet that was kept there are others: nothing is known of it.
      if (!sameNames(asKept, mapping.columns))
        return { format: found, columns: meaningsOf(names), shape, mapping: undefined }
      return { format, columns: columnsAsKept(meaningsOf(asKept), mapping.columns), shape, mapping }
    } catch (error) {
      await files.remove(id)
      throw error
    }
  }

  /** @param alone somebody reads it here and now: no job does, and what it means was decided by others */
  async function start(by: HandedInBy, id: Id<'import'>, kind: 'check' | 'run', alone = false): Promise<Import> {
    const row = await need(id)
    needFile(row)
    if (!row.columns.some((column) => column.meaning.kind === 'identifier')) {
      throw new Refusal(
        'not_now',
        'No column is an identifier, so no row can be told to belong to anyone. Mark the e-mail address or a customer number as identifier.',
      )
    }
    const [agreed] = consentWithoutTopic(row.columns)
    if (agreed !== undefined)
      throw new Refusal(
        'not_now',
        `“${agreed.name}” says whether people agreed, but not to what. Choose the topic, or leave the column out.`,
      )
    const moved = await postgres.transaction(async (tx) => {
      const did = await importStore(tx).move(id, atRest, kind === 'check' ? 'checking' : 'running')
      if (!did) return false
      if (!alone) await needs.jobs.enqueue(tx, work, { id }, { key: `imports ${id}` })
      // What is read in is what was meant: the next file of this shape is read the same way.
      if (kind === 'run' && !alone)
        await importStore(tx).saveMapping(row.sourceId, row.shape, {
          format: row.format,
          columns: row.columns.map(({ name, type, meaning }) => ({ name, type, meaning })),
          savedAt: clock.now(),
          savedBy: by.name,
        })
      await audit.write(tx, {
        actor: { kind: by.kind, id: by.accountId },
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

  async function removeFile(id: Id<'import'>): Promise<void> {
    await postgres.transaction(async (tx) => {
      if (!(await importStore(tx).fileRemoved(id, clock.now()))) return
      // Within the transaction: a file that cannot be removed is tried again, and one that is gone already is gone.
      await files.remove(id)
      await audit.write(tx, {
        actor: { kind: 'system', id: 'imports' },
        deed: 'import.file_removed',
        object: { kind: 'import', id },
        summary: 'deleted the file of an import',
      })
    })
  }

  /** Takes up what a process left when it stopped or was killed, and deletes files whose time has come. */
  async function tend(): Promise<void> {
    for (const { id } of await store.stranded(clock.now()))
      await postgres.transaction((tx) => needs.jobs.enqueue(tx, work, { id }, { key: `imports ${id}` }))
    for (const { id } of await store.overdue(new Date(clock.ms() - keepDays * 86_400_000))) await removeFile(id)
  }

  return {
    async upload(by, sourceId, fileName, content, alongside) {
      const source = await sources.get(sourceId)
      if (source === undefined) throw new Refusal('not_found', 'There is no such source.')
      const id = needs.ids.next('import')
      const bytes = await files.write(id, content, maxBytes)
      if (bytes === 0) {
        await files.remove(id)
        throw new Refusal('bad_input', 'The file is empty.')
      }
      const { format, columns, shape, mapping } = await looked(id, sourceId, bytes)
      const keep = async (tx: Postgres) => {
        await importStore(tx).insert({
          id,
          sourceId,
          fileName,
          bytes,
          format,
          columns,
          startedBy: by.name,
          createdAt: clock.now(),
          shape,
          mapping,
        })
        await audit.write(tx, {
          actor: { kind: by.kind, id: by.accountId },
          deed: 'import.uploaded',
          object: { kind: 'import', id },
          summary: 'handed in a file',
          facts: { source: sourceId, bytes },
        })
        const mapped = mapping === undefined ? null : { by: mapping.savedBy, at: mapping.savedAt.toISOString() }
        await alongside?.(tx, { id, columns, mapped })
      }
      try {
        await postgres.transaction(keep)
      } catch (error) {
        await files.remove(id)
        throw error
      }
      return show(await need(id))
    },
    get: async (id) => show(await need(id)),
    list: async () => Promise.all((await store.newest(100)).map(show)),
    async plan(caller, id, format, columns) {
      const row = await need(id)
      needFile(row)
      if (row.state === 'running' || row.state === 'checking')
        throw new Refusal('not_now', 'The file is being read; cancel that first.')
      // Another delimiter or encoding makes other columns: guess them anew, then lay the person's choices over the guess.
      const cut = { dateOrder: '', rows: '' }
      const same = isDeepStrictEqual({ ...format, ...cut }, { ...row.format, ...cut })
      const base = same ? row.columns : meaningsOf(await columnsOfTable(await tableFile(files, id, row.bytes), format))
      const chosen = base.map((column) => ({
        ...column,
        ...(same ? columns.find((other) => other.index === column.index) : undefined),
      }))
      await postgres.transaction(async (tx) => {
        const possible = rowsOf(format, chosen)
        const rows = same && format.rows === 'people' ? format.rows : possible
        await importStore(tx).plan(id, { ...format, rows }, chosen)
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
    async readIn(by, id, signal) {
      await start(by, id, 'run', true)
      await read(id, signal)
      return show(await need(id))
    },
    async cancel(caller, id) {
      const state = await postgres.transaction(async (tx) => {
        const now = await importStore(tx).cancel(id, clock.now())
        if (now === undefined) throw new Refusal('not_now', 'Nothing is running that could be cancelled.')
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'import.cancelled',
          object: { kind: 'import', id },
          summary: 'cancelled an import',
        })
        return now
      })
      if (state === 'cancelled') await removeFile(id)
      return show(await need(id))
    },
    async through(id, kind) {
      if (!(await store.move(id, atRest, kind === 'check' ? 'checking' : 'running')))
        throw new Refusal('not_now', 'This file is being read already.')
      await read(id, new AbortController().signal)
      return show(await need(id))
    },
    async start() {
      await tend()
      stopTending = clock.every(tendEveryMs, tend, (error) => {
        needs.log.warn('imports could not be looked after; it is tried again', { error: String(error) })
      })
    },
    stop() {
      stopTending()
    },
  }
}
