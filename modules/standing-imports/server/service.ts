import { Registry } from 'prom-client'
import { z } from 'zod'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import { freshnessOf } from '../../../lib/schedule/freshness.ts'
import { nextTime } from '../../../lib/schedule/schedule.ts'
import { openInbox } from '../../../platform/files/inbox.ts'
import { addFreshnessMetrics } from '../../../platform/freshness/metrics.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { job, type Jobs } from '../../../platform/jobs/jobs.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { Sources } from '../../sources/server/index.ts'
import { StandingId, type Place, type Standing, type Taking } from '../contract.ts'
import { createLooking, secretPlace, type Coming, type LookingNeeds } from './looking.ts'
import { standingStore, type StoredStanding, type StoredTaking } from './store.ts'

const tendEveryMs = 10_000

export interface StandingImports {
  list(): Promise<{ standing: Standing[]; folders: string[] }>
  get(id: Id<'standing'>): Promise<Standing>
  takings(id: Id<'standing'>): Promise<Taking[]>
  create(
    caller: Caller,
    wanted: { name: string; sourceId: Id<'source'>; place: Place; secret?: string | undefined },
  ): Promise<Standing>
  place(caller: Caller, id: Id<'standing'>, place: Place, secret: string | undefined): Promise<Standing>
  settings(
    caller: Caller,
    id: Id<'standing'>,
    change: {
      name?: string | undefined
      schedule?: string | null | undefined
      promiseHours?: number | null | undefined
      paused?: boolean | undefined
    },
  ): Promise<Standing>
  /** Looks in the background. */
  look(caller: Caller, id: Id<'standing'>): Promise<Standing>
  stopComing(caller: Caller, id: Id<'standing'>): Promise<Standing>
  leave(caller: Caller, id: Id<'standing'>): Promise<Standing>
  remove(caller: Caller, id: Id<'standing'>): Promise<void>
  /** A look to its end, for tests. */
  through(id: Id<'standing'>): Promise<Standing>
  /** Looks where it is time to, now and every ten seconds. */
  start(): Promise<void>
  stop(): void
}

export interface StandingNeeds extends LookingNeeds {
  jobs: Jobs
  audit: Audit
  sources: Pick<Sources, 'get'>
  /** Whether an administrator allowed this `host:port` to be called without TLS. */
  mayBePlain: (place: string) => boolean
  registry?: Registry
}

export function createStandingImports(needs: StandingNeeds): StandingImports {
  const { postgres, clock, ids, audit, sources, secrets, imports } = needs
  const store = standingStore(postgres)
  const coming = new Map<string, Coming>()
  const looking = createLooking(needs, coming)
  const work = job(
    'standing-imports.look',
    z.object({ id: StandingId, by: z.string() }),
    ({ id, by }, signal) => looking(id, by, signal),
    3,
  )
  needs.jobs.register(work)
  let stopTending = () => {}

  async function need(id: Id<'standing'>, db: Postgres = postgres): Promise<StoredStanding> {
    const row = await standingStore(db).get(id)
    if (row === undefined) throw new Refusal('not_found', 'There is no such standing import.')
    return row
  }
  const freshness = (row: StoredStanding) =>
    freshnessOf({ freshAt: row.fresh_at, createdAt: row.created_at, promiseHours: row.promise_hours }, clock.ms())

  async function showTaking(row: StoredTaking): Promise<Taking> {
    const open = row.state === 'open' && row.import_id !== null ? await imports.get(row.import_id) : undefined
    return {
      id: row.id,
      fileName: row.file_name,
      bytes: row.bytes,
      modifiedAt: row.modified_at.toISOString(),
      importId: row.import_id,
      state: row.state,
      importState: open?.state ?? null,
      asks: row.asks,
      because: open?.because ?? row.because,
      counts: open?.counts ?? row.counts,
      takenBy: row.taken_by,
      takenAt: row.taken_at.toISOString(),
    }
  }
  async function show(row: StoredStanding, last: StoredTaking | undefined): Promise<Standing> {
    return {
      id: row.id,
      name: row.name,
      sourceId: row.source_id,
      sourceName: (await sources.get(row.source_id))?.name ?? 'a source that is gone',
      place: row.place,
      schedule: row.schedule,
      paused: row.paused,
      nextAt: row.paused ? null : (row.next_at?.toISOString() ?? null),
      freshness: freshness(row),
      look: { at: row.looked_at?.toISOString() ?? null, failed: row.look_failed, says: row.look_says },
      coming: coming.get(row.id)?.bytes ?? null,
      last: last === undefined ? null : await showTaking(last),
      createdAt: row.created_at.toISOString(),
      createdBy: row.created_by,
    }
  }
  async function shown(id: Id<'standing'>): Promise<Standing> {
    const [row, [last]] = await Promise.all([need(id), store.takings(id)])
    return show(row, last)
  }
  const write = (
    tx: Postgres,
    caller: Caller,
    deed: string,
    id: string,
    summary: string,
    facts: Record<string, string | number | boolean | null> = {},
  ) => audit.write(tx, { actor: actorOf(caller), deed, object: { kind: 'standing', id }, summary, facts })

  /** @throws Refusal('bad_input') for a place from which nothing may be taken */
  async function checkPlace(place: Place): Promise<void> {
    if (place.kind === 'folder') {
      await openInbox(place.folder, needs.folders)
      return
    }
    const url = new URL(place.url)
    if (url.username !== '' || url.password !== '')
      throw new Refusal(
        'bad_input',
        'Leave the user and the password out of the address; they have fields of their own.',
      )
    const port = url.port === '' ? '80' : url.port
    if (url.protocol === 'http:' && !needs.mayBePlain(`${url.hostname}:${port}`))
      throw new Refusal(
        'bad_input',
        'The address must begin with https. Without TLS only what an administrator allowed is asked (INTERLOCK_EGRESS_ALLOW).',
      )
    if (place.auth === 'basic' && place.user === '')
      throw new Refusal('bad_input', 'Signing in with a password needs a user.')
  }
  /** What of a place decides to whom a secret is given. */
  const toWhom = (place: Place) =>
    place.kind === 'https' ? JSON.stringify([new URL(place.url).origin, place.auth, place.user]) : ''
  const sealed = (id: string, place: Place, secret: string | undefined): string | null => {
    if (place.kind === 'folder' || place.auth === 'none') return null
    if (secret === undefined || secret === '')
      throw new Refusal('bad_input', place.auth === 'basic' ? 'Say the password.' : 'Say the token.')
    return secrets.seal(secret, secretPlace(id))
  }
  const facts = (place: Place) =>
    place.kind === 'folder'
      ? { folder: place.folder, pattern: place.pattern }
      : // What stands behind the “?” may be a key.
        { address: place.url.replace(/[?#].*/, ''), signsInBy: place.auth }

  const enqueue = (tx: Postgres, id: Id<'standing'>, by: string) =>
    needs.jobs.enqueue(tx, work, { id, by }, { key: `standing import ${id}` })

  async function tend(): Promise<void> {
    const now = clock.now()
    for (const { id, schedule } of await store.due(now))
      await postgres.transaction(async (tx) => {
        await standingStore(tx).nextAt(id, schedule === null ? null : nextTime(schedule, now))
        await enqueue(tx, id, 'the schedule')
      })
    for (const { id, again_by } of await store.again(now)) await postgres.transaction((tx) => enqueue(tx, id, again_by))
    // What waited for somebody, or for its reading, and is over; and what a process left between taking and reading.
    for (const { standing_id: id, import_id } of await store.allOpen()) {
      if (import_id === null || coming.has(id)) continue
      const open = await store.open(id)
      const { state, fileUntil } = await imports.get(import_id)
      const left = open?.asks === null && (state === 'uploaded' || state === 'checked')
      if (state === 'done' || state === 'cancelled' || fileUntil === null || left)
        await postgres.transaction((tx) => enqueue(tx, id, 'the file before'))
    }
  }

  addFreshnessMetrics(
    needs.registry ?? new Registry(),
    'standing_import',
    () => clock.ms(),
    async () => (await store.list()).map((row) => ({ name: row.name, ...freshness(row) })),
  )

  return {
    async list() {
      const [rows, last] = await Promise.all([store.list(), store.lastTakings()])
      return {
        standing: await Promise.all(
          rows.map((row) =>
            show(
              row,
              last.find((one) => one.standing_id === row.id),
            ),
          ),
        ),
        folders: [...needs.folders],
      }
    },
    get: shown,
    async takings(id) {
      await need(id)
      return Promise.all((await store.takings(id)).map(showTaking))
    },
    async create(caller, { name, sourceId, place, secret }) {
      const source = await sources.get(sourceId)
      if (source === undefined || source.kind === 'internal') throw new Refusal('not_found', 'There is no such source.')
      await checkPlace(place)
      const id = ids.next('standing')
      await postgres.transaction(async (tx) => {
        const added = await standingStore(tx).insert({
          id,
          source_id: sourceId,
          name,
          place,
          secret: sealed(id, place, secret),
          created_by: caller.name,
          created_at: clock.now(),
        })
        if (!added) throw new Refusal('conflict', `There is a standing import named “${name}” already.`)
        await write(tx, caller, 'standing.created', id, `Added the standing import “${name}”`, {
          ...facts(place),
          source: sourceId,
        })
      })
      return shown(id)
    },
    async place(caller, id, place, secret) {
      const row = await need(id)
      await checkPlace(place)
      const same = toWhom(place) === toWhom(row.place)
      await postgres.transaction(async (tx) => {
        const kept =
          same && (secret === undefined || secret === '') && row.secret !== null
            ? row.secret
            : sealed(id, place, secret)
        await standingStore(tx).place(id, place, kept)
        await write(tx, caller, 'standing.placed', id, `Changed from where “${row.name}” comes`, facts(place))
      })
      return shown(id)
    },
    async settings(caller, id, change) {
      await postgres.transaction(async (tx) => {
        const before = await need(id, tx)
        const schedule = change.schedule === undefined ? before.schedule : change.schedule
        const after = {
          id,
          name: change.name ?? before.name,
          schedule,
          promise_hours: change.promiseHours === undefined ? before.promise_hours : change.promiseHours,
          paused: change.paused ?? before.paused,
          next_at: schedule === null ? null : nextTime(schedule, clock.now()),
        }
        if (await standingStore(tx).nameTaken(after.name, id))
          throw new Refusal('conflict', `There is a standing import named “${after.name}” already.`)
        await standingStore(tx).settings(after)
        await write(tx, caller, 'standing.changed', id, `Changed when “${after.name}” is read`, {
          schedule: after.schedule,
          promiseHours: after.promise_hours,
          paused: after.paused,
        })
      })
      return shown(id)
    },
    async look(caller, id) {
      await postgres.transaction(async (tx) => {
        const row = await need(id, tx)
        await enqueue(tx, id, caller.name)
        await write(tx, caller, 'standing.looked', id, `Looked for new files of “${row.name}”`)
      })
      return shown(id)
    },
    async stopComing(caller, id) {
      const row = await need(id)
      const now = coming.get(id)
      if (now?.bytes === undefined) throw new Refusal('not_now', 'Nothing comes in that could be stopped.')
      await postgres.transaction((tx) => write(tx, caller, 'standing.stopped', id, `Stopped a file of “${row.name}”`))
      now.abort.abort()
      return shown(id)
    },
    async leave(caller, id) {
      const row = await need(id)
      const open = await store.open(id)
      const state = open?.import_id == null ? undefined : (await imports.get(open.import_id)).state
      if (open === undefined || state === 'running' || state === 'checking')
        throw new Refusal('not_now', 'No file waits that could be left out.')
      await postgres.transaction(async (tx) => {
        await standingStore(tx).settle(open.id, 'left', `left out by ${caller.name}`, null, clock.now())
        await write(tx, caller, 'standing.left', id, `Left out a file of “${row.name}”`)
        await enqueue(tx, id, caller.name)
      })
      return shown(id)
    },
    async remove(caller, id) {
      const row = await need(id)
      if (coming.has(id)) throw new Refusal('not_now', 'A file comes in just now; stop that first.')
      await postgres.transaction(async (tx) => {
        await standingStore(tx).remove(id)
        await write(tx, caller, 'standing.removed', id, `Removed the standing import “${row.name}”`)
      })
    },
    async through(id) {
      await coming.get(id)?.ended
      await looking(id, 'a test', new AbortController().signal)
      return shown(id)
    },
    async start() {
      await tend()
      stopTending = clock.every(tendEveryMs, tend, (error) => {
        needs.log.warn('standing imports could not be looked after; it is tried again', { error: String(error) })
      })
    },
    stop() {
      stopTending()
    },
  }
}
