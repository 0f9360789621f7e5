import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Egress } from '../../../platform/egress/egress.ts'
import { Changed, fitsPattern, openInbox, type Arrived } from '../../../platform/files/inbox.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { Secrets } from '../../../platform/secrets/secrets.ts'
import type { HandedInBy, Imports } from '../../imports/server/index.ts'
import type { Asks } from '../contract.ts'
import { standingStore, type StoredStanding, type StoredTaking } from './store.ts'
import { askServer, LookFailed } from './web-place.ts'

/** A file is whole when it is as it was so long ago. */
export const stillMs = 10_000
/** In one look; the next one goes on. */
const mostFiles = 1_000
const mostBytes = 2_147_483_648

export interface LookingNeeds {
  postgres: Postgres
  clock: Clock
  ids: Ids
  log: Log
  secrets: Secrets
  egress: Pick<Egress, 'open'>
  imports: Pick<Imports, 'upload' | 'get' | 'readIn'>
  /** Absolute folders that may be read. */
  folders: readonly string[]
}

export const secretPlace = (id: string) => `standing_imports.standing|${id}|secret`

/** The same bytes came before. */
class SameAgain extends Error {}

interface Found {
  name: string
  modifiedAt: Date
  mark: string | null
  content: AsyncIterable<Uint8Array>
  /** Written with the taking, or alone when the same bytes came before. */
  also(tx: Postgres): Promise<void>
}

/** What a look ended with. */
interface Ended {
  says: string
  again?: boolean
}

/** What became of a file that was brought: it waits to be read, its bytes came before, or it is no table. */
type Brought = 'came' | 'same' | 'refused'

/** A look that is under way, and the way to stop the file that it brings. */
export interface Coming {
  /** Of the file that is being copied; undefined while none is. */
  bytes: number | undefined
  ended: Promise<void>
  abort: AbortController
}

/** Looks whether there are new files, and brings them in one after the other. */
export function createLooking(needs: LookingNeeds, coming: Map<string, Coming>) {
  const { postgres, clock, imports } = needs
  const store = standingStore(postgres)
  const by = (row: StoredStanding): HandedInBy => ({ kind: 'system', accountId: 'standing-imports', name: row.name })

  /** What to ask about a file whose columns nobody has given a meaning yet. */
  async function asksOf(tx: Postgres, id: string, names: readonly string[]): Promise<Asks> {
    const before = await standingStore(tx).before(id)
    if (before?.import_id == null) return { first: true, added: [], missing: [] }
    const known = (await imports.get(before.import_id)).columns.map((column) => column.name)
    return {
      first: false,
      added: names.filter((name) => !known.includes(name)).slice(0, 50),
      missing: known.filter((name) => !names.includes(name)).slice(0, 50),
    }
  }

  /** Copies a file and writes down, in one transaction, that it was taken. */
  async function bring(row: StoredStanding, found: Found, takenBy: string, now: Coming): Promise<Brought> {
    const hash = createHash('sha256')
    let bytes = 0
    const counted = async function* () {
      for await (const chunk of found.content) {
        now.abort.signal.throwIfAborted()
        hash.update(chunk)
        bytes += chunk.byteLength
        now.bytes = bytes
        yield chunk
      }
    }
    const taking = (digest: string): StoredTaking => ({
      id: needs.ids.next('taking'),
      standing_id: row.id,
      hash: digest,
      file_name: found.name,
      bytes,
      mark: found.mark,
      modified_at: found.modifiedAt,
      import_id: null,
      state: 'open',
      asks: null,
      because: null,
      counts: null,
      taken_by: takenBy,
      taken_at: clock.now(),
    })
    let digest = ''
    try {
      await imports.upload(by(row), row.source_id, found.name, Readable.from(counted()), async (tx, made) => {
        digest = hash.digest('hex')
        if (await standingStore(tx).knows(row.id, digest)) throw new SameAgain()
        await standingStore(tx).take({
          ...taking(digest),
          import_id: made.id,
          asks:
            made.mapped === null
              ? await asksOf(
                  tx,
                  row.id,
                  made.columns.map((column) => column.name),
                )
              : null,
        })
        await found.also(tx)
      })
      return 'came'
    } catch (error) {
      if (error instanceof SameAgain) {
        await found.also(postgres)
        return 'same'
      }
      // It is no table, and it will be none the next time: it is written down as that, and the next file has its turn.
      if (!(error instanceof Refusal) || error.code !== 'bad_input' || now.abort.signal.aborted) throw error
      digest = hash.digest('hex')
      if (!(await store.knows(row.id, digest)))
        await postgres.transaction(async (tx) => {
          await standingStore(tx).take({ ...taking(digest), state: 'refused', because: error.message })
          await found.also(tx)
        })
      else await found.also(postgres)
      return 'refused'
    } finally {
      now.bytes = undefined
    }
  }

  /** The file that came last is read, or waits for somebody. @returns whether the next one has its turn */
  async function settled(row: StoredStanding, signal: AbortSignal): Promise<Ended | undefined> {
    const open = await store.open(row.id)
    if (open?.import_id == null) return undefined
    let now = await imports.get(open.import_id)
    if (open.asks === null && (now.state === 'uploaded' || now.state === 'checked') && now.fileUntil !== null)
      now = await imports.readIn(by(row), now.id, signal)
    if (now.state === 'done') {
      let because: string | null = null
      if (row.place.kind === 'folder' && row.place.done && open.mark !== null) {
        const file = { name: open.file_name, bytes: open.bytes, modifiedAt: open.modified_at, mark: open.mark }
        because = await openInbox(row.place.folder, needs.folders)
          .then((inbox) => inbox.done(file))
          .then(
            () => null,
            () => 'It was read, but could not be moved to done/: the folder cannot be written to.',
          )
      }
      await postgres.transaction(async (tx) => {
        await standingStore(tx).settle(open.id, 'read', because, now.counts, clock.now())
        await standingStore(tx).fresh(row.id, open.modified_at)
      })
      return undefined
    }
    if (now.state === 'cancelled' || now.fileUntil === null) {
      const because = now.state === 'cancelled' ? 'its reading was stopped' : 'nobody answered while its file was kept'
      await store.settle(open.id, 'left', because, now.counts, clock.now())
      return undefined
    }
    if (now.state === 'running' || now.state === 'checking') return { says: `“${open.file_name}” is being read.` }
    return {
      says:
        now.state === 'failed'
          ? `“${open.file_name}” could not be read: ${now.because ?? 'the log says why.'}`
          : `“${open.file_name}” waits for an answer.`,
    }
  }

  async function fromFolder(row: StoredStanding, takenBy: string, now: Coming): Promise<Ended | Brought> {
    if (row.place.kind !== 'folder') return { says: '' }
    const { folder, pattern } = row.place
    const inbox = await openInbox(folder, needs.folders)
    const { files, refused } = await inbox.look((name) => fitsPattern(pattern, name))
    const seen = await store.see(
      row.id,
      files.map(({ name }) => name),
      files.map(({ mark }) => mark),
      clock.now(),
    )
    const stateOf = new Map(seen.map((one) => [one.name, one]))
    const fresh = files.filter(({ name }) => stateOf.get(name)?.taken !== true)
    const written = fresh.length === 0 ? new Set<string>() : await inbox.beingWritten(fresh)
    const isWhole = ({ name }: Arrived) =>
      !written.has(name) && clock.ms() - (stateOf.get(name)?.since.getTime() ?? Infinity) >= stillMs
    const notTaken = refused.map(({ name, because }) => ` “${name}” is not taken: ${because}.`).join('')
    const first = fresh[0]
    if (first === undefined)
      return {
        says: `${files.length === 0 ? `No file there is named like ${pattern}.` : 'Nothing new.'}${notTaken}`,
      }
    // In their order: a newer one does not overtake one that is still written.
    if (!isWhole(first))
      return {
        says: `“${first.name}” is there; it is taken when it has stayed as it is for ten seconds.${notTaken}`,
        again: true,
      }
    if (first.bytes > mostBytes) throw new LookFailed(`“${first.name}” is larger than 2 GiB; put it there in parts.`)
    try {
      const found: Found = {
        name: first.name,
        modifiedAt: new Date(Math.min(first.modifiedAt.getTime(), clock.ms())),
        mark: first.mark,
        content: inbox.read(first),
        also: (tx) => standingStore(tx).taken(row.id, first.name, first.mark),
      }
      const brought = await bring(row, found, takenBy, now)
      if (brought === 'same' && row.place.done) await inbox.done(first)
      return brought
    } catch (error) {
      if (error instanceof Changed) return { says: `“${first.name}” changed while it was read.`, again: true }
      throw error
    }
  }

  async function fromServer(row: StoredStanding, takenBy: string, now: Coming): Promise<Ended | Brought> {
    if (row.place.kind !== 'https') return { says: '' }
    const answer = await askServer(needs.egress, {
      place: row.place,
      secret: row.secret === null ? '' : needs.secrets.open(row.secret, secretPlace(row.id)),
      etag: row.etag,
      lastModified: row.last_modified,
      signal: now.abort.signal,
      nowMs: clock.ms(),
    })
    if (answer.is === 'unchanged') {
      // Without a time of its own, the file is as fresh as the answer that it is still the newest.
      if (row.last_modified === null) await store.fresh(row.id, clock.now())
      return { says: 'The file is the one that is here.' }
    }
    const also = (tx: Postgres) => standingStore(tx).answered(row.id, answer.etag, answer.lastModified)
    const brought = await bring(row, { ...answer, mark: null, also }, takenBy, now)
    if (brought !== 'same') return brought
    await store.fresh(row.id, answer.modifiedAt)
    return { says: 'The file is the one that is here.' }
  }

  async function lookOnce(id: Id<'standing'>, takenBy: string, now: Coming, signal: AbortSignal): Promise<Ended> {
    let came = 0
    for (let files = 0; ; files += 1) {
      const row = await store.get(id)
      if (row === undefined) return { says: '' }
      const waits = await settled(row, signal)
      if (waits !== undefined) return waits
      if (files >= mostFiles) return { says: `${String(came)} files came; the next look goes on.`, again: true }
      // A server has one file, and was asked for it.
      if (row.place.kind === 'https' && files > 0)
        return { says: came > 0 ? 'A new file came and was read.' : 'What came is no table; it is named below.' }
      const ended = await (row.place.kind === 'folder' ? fromFolder : fromServer)(row, takenBy, now)
      if (ended === 'came') came += 1
      else if (typeof ended === 'object')
        return came === 0
          ? ended
          : { ...ended, says: `${came === 1 ? 'A file' : `${String(came)} files`} came. ${ended.says}` }
    }
  }

  /** Safe to run any number of times at once: the table takes one file at a time, and each only once. */
  return async function look(id: Id<'standing'>, takenBy: string, signal: AbortSignal): Promise<void> {
    if (coming.has(id)) return
    let end = () => {}
    const ended = new Promise<void>((resolve) => (end = resolve))
    const now: Coming = { bytes: undefined, ended, abort: new AbortController() }
    coming.set(id, now)
    const stop = () => {
      now.abort.abort()
    }
    signal.addEventListener('abort', stop)
    try {
      const { says, again } = await lookOnce(id, takenBy, now, signal)
      await store.looked(
        id,
        clock.now(),
        says,
        false,
        again === true ? { at: new Date(clock.ms() + stillMs), by: takenBy } : null,
      )
    } catch (error) {
      // The next process begins it anew.
      if (signal.aborted) return
      const stopped = now.abort.signal.aborted
      const known = stopped || error instanceof LookFailed || error instanceof Refusal
      if (!known) needs.log.error('a standing import could not look', error, { id })
      const says = stopped
        ? 'It was stopped while the file came in; the next look begins it anew.'
        : known
          ? error instanceof Error
            ? error.message
            : ''
          : 'Something went wrong on our side; it was logged. The next look tries again.'
      await store.looked(id, clock.now(), says, !stopped, null)
    } finally {
      signal.removeEventListener('abort', stop)
      coming.delete(id)
      end()
    }
  }
}
