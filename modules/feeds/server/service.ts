import { Registry } from 'prom-client'
import type { Readable } from 'node:stream'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import { freshnessOf } from '../../../lib/schedule/freshness.ts'
import { nextTime } from '../../../lib/schedule/schedule.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { addFreshnessMetrics } from '../../../platform/freshness/metrics.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { Sources } from '../../sources/server/index.ts'
import type { Feed, Item, Reading } from '../contract.ts'
import { createFeedReading, type ReadingNeeds } from './reading.ts'
import { feedStore, type StoredFeed, type StoredReading } from './store.ts'

export interface Feeds {
  list(): Promise<Feed[]>
  get(id: Id<'feed'>): Promise<Feed>
  items(id: Id<'feed'>, limit: number): Promise<Item[]>
  readings(id: Id<'feed'>): Promise<Reading[]>
  create(caller: Caller, wanted: { name: string; sourceId: Id<'source'>; url: string | null }): Promise<Feed>
  change(
    caller: Caller,
    id: Id<'feed'>,
    change: {
      name?: string | undefined
      url?: string | undefined
      schedule?: string | null | undefined
      promiseHours?: number | null | undefined
      paused?: boolean | undefined
    },
  ): Promise<Feed>
  /** Reads it now, by its address; what goes wrong is in the reading. */
  read(caller: Caller, id: Id<'feed'>): Promise<Reading>
  /** @throws Refusal too_large past 64 MiB, bad_input for a file that is no feed */
  upload(caller: Caller, id: Id<'feed'>, content: Readable): Promise<Reading>
  remove(caller: Caller, id: Id<'feed'>): Promise<void>
  /** Reads what is due, every ten seconds. */
  start(): void
  stop(): void
}

export interface FeedNeeds extends ReadingNeeds {
  ids: Ids
  log: Log
  audit: Pick<Audit, 'write'>
  sources: Pick<Sources, 'get'>
  registry?: Registry
}

const tendEveryMs = 10_000
const longestFile = 64 * 1024 * 1024
/** What a new feed has until somebody says otherwise: kind to the server that it asks. */
const firstSchedule = '*/30 * * * *'

export function createFeeds(needs: FeedNeeds): Feeds {
  const { postgres, clock, ids, log, audit, sources } = needs
  const store = feedStore(postgres)
  const reading = createFeedReading(needs)
  let stopTending = () => {}

  async function need(id: Id<'feed'>, db: Postgres = postgres, forUpdate = false): Promise<StoredFeed> {
    const row = await feedStore(db).get(id, forUpdate)
    if (row === undefined) throw new Refusal('not_found', 'There is no such feed.')
    return row
  }
  const freshness = (row: StoredFeed) =>
    freshnessOf({ freshAt: row.fresh_at, createdAt: row.created_at, promiseHours: row.promise_hours }, clock.ms())

  async function show(rows: readonly StoredFeed[]): Promise<Feed[]> {
    const of = rows.map((row) => row.id)
    const [sizes, lasts] = await Promise.all([store.sizes(of), store.lastReadings(of)])
    return Promise.all(
      rows.map(async (row) => {
        const size = sizes.find((one) => one.feed_id === row.id)
        const last = lasts.find((one) => one.feed_id === row.id)
        return {
          id: row.id,
          name: row.name,
          sourceId: row.source_id,
          sourceName: (await sources.get(row.source_id))?.name ?? 'a source that is gone',
          url: row.url,
          format: row.format,
          title: row.title,
          schedule: row.schedule,
          paused: row.paused,
          nextAt: row.paused ? null : (row.next_at?.toISOString() ?? null),
          freshness: freshness(row),
          items: size?.items ?? 0,
          gone: size?.gone ?? 0,
          last: last === undefined ? null : showReading(last),
          createdAt: row.created_at.toISOString(),
          createdBy: row.created_by,
        }
      }),
    )
  }
  async function shown(id: Id<'feed'>): Promise<Feed> {
    const [feed] = await show([await need(id)])
    if (feed === undefined) throw new Refusal('not_found', 'There is no such feed.')
    return feed
  }
  const write = (
    tx: Postgres,
    caller: Caller,
    deed: string,
    id: string,
    summary: string,
    facts: Record<string, string | number | boolean | null> = {},
  ) => audit.write(tx, { actor: actorOf(caller), deed, object: { kind: 'feed', id }, summary, facts })

  async function tend(): Promise<void> {
    const now = clock.now()
    for (const feed of await store.due(now)) {
      if (feed.next_at === null || feed.schedule === null) continue
      if (!(await store.claim(feed.id, feed.next_at, nextTime(feed.schedule, now)))) continue
      try {
        await reading.poll(feed, 'the schedule')
      } catch (error) {
        log.warn('A feed could not be read; it is tried again by its schedule.', {
          feed: feed.id,
          error: String(error),
        })
      }
    }
  }

  addFreshnessMetrics(
    needs.registry ?? new Registry(),
    'feed',
    () => clock.ms(),
    async () => (await store.list()).map((row) => ({ name: row.name, ...freshness(row) })),
  )

  return {
    list: async () => show(await store.list()),
    get: shown,
    async items(id, limit) {
      await need(id)
      return (await store.items(id, limit)).map((row) => ({
        key: row.key,
        url: row.url,
        title: row.title,
        author: row.author,
        categories: row.categories,
        summary: row.summary,
        publishedAt: row.published_at?.toISOString() ?? null,
        changedAt: row.changed_at.toISOString(),
        versions: row.versions,
        goneAt: row.gone_at?.toISOString() ?? null,
      }))
    },
    async readings(id) {
      await need(id)
      return (await store.readings(id, 30)).map(showReading)
    },
    async create(caller, { name, sourceId, url }) {
      const source = await sources.get(sourceId)
      if (source === undefined || source.kind === 'internal') throw new Refusal('not_found', 'There is no such source.')
      const id = ids.next('feed')
      const at = clock.now()
      const schedule = url === null ? null : firstSchedule
      await postgres.transaction(async (tx) => {
        const added = await feedStore(tx).insert({
          id,
          source_id: sourceId,
          name,
          url,
          created_by: caller.name,
          created_at: at,
          schedule,
          next_at: schedule === null ? null : nextTime(schedule, at),
        })
        if (!added) throw new Refusal('conflict', `There is a feed named “${name}” already.`)
        await write(tx, caller, 'feed.created', id, `Added the feed “${name}”`, { url, source: sourceId })
      })
      return shown(id)
    },
    async change(caller, id, change) {
      await postgres.transaction(async (tx) => {
        const before = await need(id, tx, true)
        const url = change.url ?? before.url
        const schedule = change.schedule === undefined ? before.schedule : change.schedule
        if (url === null && schedule !== null)
          throw new Refusal('bad_input', 'What is handed in as a file has no schedule: give it an address first.')
        const moved = url !== before.url
        const after: StoredFeed = {
          ...before,
          name: change.name ?? before.name,
          url,
          schedule,
          promise_hours: change.promiseHours === undefined ? before.promise_hours : change.promiseHours,
          paused: change.paused ?? before.paused,
          next_at: schedule === null ? null : nextTime(schedule, clock.now()),
          etag: moved ? null : before.etag,
          last_modified: moved ? null : before.last_modified,
        }
        if (await feedStore(tx).nameTaken(after.name, id))
          throw new Refusal('conflict', `There is a feed named “${after.name}” already.`)
        await feedStore(tx).put(after)
        await write(tx, caller, 'feed.changed', id, `Changed the feed “${after.name}”`, {
          url: after.url,
          schedule: after.schedule,
          promiseHours: after.promise_hours,
          paused: after.paused,
        })
      })
      return shown(id)
    },
    async read(caller, id) {
      const feed = await need(id)
      if (feed.url === null) throw new Refusal('not_now', 'It has no address: hand in the file.')
      const done = await reading.poll(feed, caller.name)
      await postgres.transaction((tx) =>
        write(tx, caller, 'feed.read', id, `Read the feed “${feed.name}”`, { state: done.state }),
      )
      return showReading(done)
    },
    async upload(caller, id, content) {
      const feed = await need(id)
      const parts: Buffer[] = []
      let size = 0
      for await (const part of content as AsyncIterable<Buffer>) {
        size += part.length
        if (size > longestFile) throw new Refusal('too_large', 'A file of content may have 64 MiB.')
        parts.push(part)
      }
      const done = await reading.take(feed, Buffer.concat(parts), caller.name)
      await postgres.transaction((tx) =>
        write(tx, caller, 'feed.uploaded', id, `Handed in a file of the feed “${feed.name}”`, { bytes: size }),
      )
      return showReading(done)
    },
    async remove(caller, id) {
      await postgres.transaction(async (tx) => {
        const feed = await need(id, tx, true)
        await feedStore(tx).remove(id)
        await write(tx, caller, 'feed.removed', id, `Removed the feed “${feed.name}” and its content`)
      })
    },
    start() {
      stopTending = clock.every(tendEveryMs, tend, (error) => {
        log.warn('feeds could not be looked after; it is tried again', { error: String(error) })
      })
    },
    stop() {
      stopTending()
    },
  }
}

const showReading = (row: StoredReading): Reading => ({
  id: row.id,
  state: row.state,
  counts: row.counts,
  because: row.because,
  rejected: row.rejected,
  startedBy: row.started_by,
  at: row.at.toISOString(),
})
