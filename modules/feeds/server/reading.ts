import { createHash } from 'node:crypto'
import { decodeFeed } from '../../../lib/feeds/decode.ts'
import type { ReadFeed } from '../../../lib/feeds/items.ts'
import { readFeed } from '../../../lib/feeds/read.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import { EgressError, type Egress } from '../../../platform/egress/egress.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Counts } from '../contract.ts'
import { feedStore, type StoredFeed, type StoredReading } from './store.ts'

export interface ReadingNeeds {
  postgres: Postgres
  clock: Clock
  egress: Pick<Egress, 'send'>
}

const longestFeed = 16 * 1024 * 1024
const timeoutMs = 30_000
const mostRedirects = 5
const rejectedShown = 20
const chunk = 1000
const longestWaitSeconds = 86_400

const noCounts: Counts = { items: 0, stored: 0, changed: 0, unchanged: 0, rejected: 0, gone: 0 }

/** What came over the wire. */
type Answer =
  | { kind: 'here'; bytes: Uint8Array; address: string; headers: Record<string, string> }
  | { kind: 'unmodified' }
  | { kind: 'failed'; because: string; retryAfterSeconds?: number }

export function createFeedReading({ postgres, clock, egress }: ReadingNeeds) {
  const others = () => clock.sleep(0)

  /** Asks only for what changed since; each redirect is looked at like a first address. */
  async function ask(feed: StoredFeed): Promise<Answer> {
    let address = feed.url ?? ''
    for (let hop = 0; hop <= mostRedirects; hop++) {
      const { status, headers, body } = await egress.send({
        purpose: 'feed',
        url: address,
        timeoutMs,
        maxReplyBytes: longestFeed,
        headers: {
          accept: 'application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5',
          'user-agent': 'Interlock feed reader',
          ...(feed.etag === null ? {} : { 'if-none-match': feed.etag }),
          ...(feed.last_modified === null ? {} : { 'if-modified-since': feed.last_modified }),
        },
      })
      if (status === 304) return { kind: 'unmodified' }
      if (status >= 200 && status < 300) return { kind: 'here', bytes: body, address, headers }
      const to = headers['location']
      if (status >= 300 && status < 400 && to !== undefined) {
        address = new URL(to, address).href
        continue
      }
      const retryAfter = Number(headers['retry-after'])
      return {
        kind: 'failed',
        because:
          status === 410
            ? 'The feed is gone for good (410); pause it or give another address.'
            : `The server answered ${status}.`,
        ...(retryAfter > 0 ? { retryAfterSeconds: Math.min(retryAfter, longestWaitSeconds) } : {}),
      }
    }
    return { kind: 'failed', because: `It redirects more than ${mostRedirects} times.` }
  }

  /**
   * Writes down what a feed says. What it says no more was taken back when the feed is a whole (an export), or when it is newer than the oldest that it
   * still says: what is older merely left the window of the newest ten.
   */
  async function keep(
    tx: Postgres,
    feed: StoredFeed,
    read: ReadFeed,
    whole: boolean,
    startedBy: string,
  ): Promise<StoredReading> {
    const store = feedStore(tx)
    const at = clock.now()
    const counts = { ...noCounts, items: read.items.length + read.rejected.length, rejected: read.rejected.length }
    for (let from = 0; from < read.items.length; from += chunk) {
      const some = read.items.slice(from, from + chunk)
      const put = await store.putItems(
        feed.id,
        some.map((item) => ({ ...item, hash: createHash('sha256').update(JSON.stringify(item)).digest('hex') })),
        at,
      )
      const fresh = put.filter((one) => one.isNew).length
      counts.stored += fresh
      counts.changed += put.length - fresh
      counts.unchanged += some.length - put.length
    }
    const dates = read.items.flatMap((item) => (item.publishedAt === null ? [] : [item.publishedAt])).sort()
    const since = whole ? null : dates[0]
    // An empty feed is a mistake more often than the end of everything.
    if (since !== undefined && read.items.length > 0)
      counts.gone = await store.takeBack(
        feed.id,
        read.items.map((item) => item.key),
        since,
        at,
      )
    await store.fresh(feed.id, at)
    return store.note({
      feed_id: feed.id,
      state: 'done',
      counts,
      because: null,
      rejected: read.rejected.slice(0, rejectedShown).map(({ what, reason }) => ({ what: what.slice(0, 200), reason })),
      started_by: startedBy,
      at,
    })
  }

  const failed = (feed: StoredFeed, because: string, startedBy: string) =>
    feedStore(postgres).note({
      feed_id: feed.id,
      state: 'failed',
      counts: noCounts,
      because,
      rejected: [],
      started_by: startedBy,
      at: clock.now(),
    })

  return {
    /** Reads a feed by its address. What goes wrong with it is a reading that failed, with the reason. */
    async poll(feed: StoredFeed, startedBy: string): Promise<StoredReading> {
      let answer: Answer
      try {
        answer = await ask(feed)
      } catch (error) {
        if (!(error instanceof EgressError) && !(error instanceof TypeError)) throw error
        return failed(feed, error.message, startedBy)
      }
      if (answer.kind === 'failed') {
        if (answer.retryAfterSeconds !== undefined)
          await feedStore(postgres).postpone(feed.id, new Date(clock.ms() + answer.retryAfterSeconds * 1000))
        return failed(feed, answer.because, startedBy)
      }
      if (answer.kind === 'unmodified')
        return postgres.transaction(async (tx) => {
          await feedStore(tx).fresh(feed.id, clock.now())
          return feedStore(tx).note({
            feed_id: feed.id,
            state: 'unmodified',
            counts: noCounts,
            because: null,
            rejected: [],
            started_by: startedBy,
            at: clock.now(),
          })
        })
      const { bytes, address, headers } = answer
      try {
        const read = await readFeed(decodeFeed(bytes, headers['content-type']), address, others)
        return await postgres.transaction(async (tx) => {
          const reading = await keep(tx, feed, read, false, startedBy)
          await feedStore(tx).came(feed.id, {
            format: read.format,
            title: read.title,
            etag: headers['etag']?.slice(0, 500) ?? null,
            lastModified: headers['last-modified']?.slice(0, 100) ?? null,
          })
          return reading
        })
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        return failed(feed, error.message, startedBy)
      }
    },
    /** @throws Refusal bad_input for a file that is no feed */
    async take(feed: StoredFeed, bytes: Uint8Array, startedBy: string): Promise<StoredReading> {
      const read = await readFeed(decodeFeed(bytes, undefined), undefined, others)
      return postgres.transaction(async (tx) => {
        const reading = await keep(tx, feed, read, read.format === 'WordPress export', startedBy)
        await feedStore(tx).came(feed.id, { format: read.format, title: read.title, etag: null, lastModified: null })
        return reading
      })
    },
  }
}
