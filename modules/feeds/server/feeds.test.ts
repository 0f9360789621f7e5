import { createServer, type IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../platform/clock/clock.ts'
import { createEgress } from '../../../platform/egress/open-egress.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { createIds, systemRandom } from '../../../platform/random/random.ts'
import { aPostgres } from '../../../test/make/engines.ts'
import { createAudit } from '../../audit/server/index.ts'
import { createSources, type Source } from '../../sources/server/index.ts'
import { createFeeds, type Feeds } from './index.ts'

let offset = 0
const clock = { ...systemClock, ms: () => systemClock.ms() + offset, now: () => new Date(systemClock.ms() + offset) }
const caller: Caller = {
  kind: 'person',
  accountId: 'account_ивайло' as never,
  name: 'Ивайло',
  side: 'it',
  roles: [],
  permissions: new Set(['data.write']),
  sessionId: undefined,
  steppedUpAtMs: undefined,
}
interface Served {
  status?: number
  headers?: Record<string, string>
  body?: string
}
/** A site that says what it is told to, and remembers what it was asked. */
let serve: (path: string, headers: IncomingHttpHeaders) => Served
let asked: IncomingHttpHeaders[] = []
let site: string
let feeds: Feeds
let source: Source
let postgres: Awaited<ReturnType<typeof aPostgres>>
let ticks: (() => Promise<void> | void)[] = []
let count = 0

beforeAll(async () => {
  const server = createServer((request, reply) => {
    asked.push(request.headers)
    const { status = 200, headers = {}, body = '' } = serve(request.url ?? '', request.headers)
    reply.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  site = `http://127.0.0.1:${String(address.port)}`
  const egress = createEgress({ allow: [`127.0.0.1:${String(address.port)}`] })
  postgres = await aPostgres()
  const ids = createIds(clock, systemRandom)
  const audit = createAudit({ postgres, clock })
  const sources = createSources({ postgres, clock, ids, random: systemRandom, log: silentLog, audit })
  await sources.load()
  source = await sources.create(caller, { name: 'Bloggen', kind: 'server' })
  feeds = createFeeds({
    postgres,
    clock: {
      ...clock,
      every: (_ms, work) => {
        ticks.push(work)
        return () => {
          ticks = []
        }
      },
    },
    ids,
    log: silentLog,
    audit,
    sources,
    egress,
  })
  feeds.start()
  afterAll(async () => {
    feeds.stop()
    sources.stop()
    await egress.close()
    server.close()
  })
})
beforeEach(() => {
  offset = 0
  asked = []
})

const day = (of: number) => `2026-11-${String(of).padStart(2, '0')}T09:00:00Z`
const rss = (...posts: [id: string, title: string, day: number][]) =>
  `<rss version="2.0"><channel><title>Bloggen</title>${posts
    .map(
      ([id, title, at]) =>
        `<item><guid isPermaLink="false">${id}</guid><title>${title}</title><link>/${id}</link><pubDate>${new Date(day(at)).toUTCString()}</pubDate></item>`,
    )
    .join('')}</channel></rss>`
const aFeed = (url: string | null = `${site}/feed`) =>
  feeds.create(caller, { name: `Blogg ${String((count += 1))}`, sourceId: source.id, url })
const countsOf = ({ counts: c }: Awaited<ReturnType<Feeds['read']>>) => {
  expect(c.items).toBe(c.stored + c.changed + c.unchanged + c.rejected)
  return [c.stored, c.changed, c.unchanged, c.rejected, c.gone]
}

describe('a feed that is read again and again', () => {
  it('stores each item once, knows what changed and what was taken back, and not what merely grew old', async () => {
    const feed = await aFeed()
    serve = () => ({ body: rss(['a', 'Första', 1], ['b', 'Andra', 2], ['c', 'Tredje', 3]) })
    expect(countsOf(await feeds.read(caller, feed.id))).toEqual([3, 0, 0, 0, 0])
    expect(countsOf(await feeds.read(caller, feed.id))).toEqual([0, 0, 3, 0, 0])
    // a left the window; c was between b and d, and is not there any more.
    serve = () => ({ body: rss(['b', 'Andra, rättad', 2], ['d', 'Fjärde', 4], ['d', 'igen', 4]) })
    expect(countsOf(await feeds.read(caller, feed.id))).toEqual([1, 1, 0, 1, 1])
    const items = await feeds.items(feed.id, 50)
    expect(items.map((one) => [one.key, one.title, one.versions, one.goneAt !== null])).toEqual([
      ['d', 'Fjärde', 1, false],
      ['c', 'Tredje', 1, true],
      ['b', 'Andra, rättad', 2, false],
      ['a', 'Första', 1, false],
    ])
    expect(items[0]?.url).toBe(`${site}/d`)
    const published = await postgres.query<{ key: string }>(
      'SELECT key FROM feeds.content_item WHERE source_id = $1 AND feed_id = $2 ORDER BY key',
      [source.id, feed.id],
    )
    expect(published.map((row) => row.key)).toEqual(['a', 'b', 'd'])
    // It comes back.
    serve = () => ({ body: rss(['b', 'Andra, rättad', 2], ['c', 'Tredje', 3], ['d', 'Fjärde', 4]) })
    expect(countsOf(await feeds.read(caller, feed.id))).toEqual([0, 1, 2, 0, 0])
  })

  it('asks only for what changed since, and counts as fresh when nothing did', async () => {
    const feed = await aFeed()
    serve = (_path, headers) =>
      headers['if-none-match'] === '"v1"'
        ? { status: 304 }
        : { headers: { etag: '"v1"', 'last-modified': 'Fri, 20 Nov 2026 09:00:00 GMT' }, body: rss(['a', 'A', 1]) }
    await feeds.read(caller, feed.id)
    await feeds.change(caller, feed.id, { promiseHours: 1 })
    offset = 3_700_000
    expect((await feeds.get(feed.id)).freshness.missed).toBe(true)
    const again = await feeds.read(caller, feed.id)
    expect([again.state, asked[1]?.['if-modified-since']]).toEqual(['unmodified', 'Fri, 20 Nov 2026 09:00:00 GMT'])
    expect((await feeds.get(feed.id)).freshness.missed).toBe(false)
    // Another address is another feed: what the old one had says nothing of it.
    await feeds.change(caller, feed.id, { url: `${site}/other` })
    expect((await feeds.read(caller, feed.id)).state).toBe('done')
  })

  it('says why it failed, and what it had stays', async () => {
    const feed = await aFeed()
    serve = () => ({ body: rss(['a', 'A', 1]) })
    await feeds.read(caller, feed.id)
    for (const [served, why] of [
      [{ status: 500 }, 'answered 500'],
      [{ status: 410 }, 'gone for good'],
      [{ body: '<html></html>' }, 'neither RSS'],
      [{ body: `<!DOCTYPE x [<!ENTITY a "b">]>${rss()}` }, 'declares entities'],
      [{ status: 302, headers: { location: '/feed' } }, 'redirects more than'],
      [{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'not allowed'],
      [{ status: 302, headers: { location: 'file:///etc/passwd' } }, 'not allowed'],
      [{ status: 302, headers: { location: 'http://[' } }, 'Invalid URL'],
    ] as [Served, string][]) {
      serve = () => served
      const failed = await feeds.read(caller, feed.id)
      expect([failed.state, failed.because], why).toEqual(['failed', expect.stringContaining(why)])
    }
    serve = () => ({ body: rss() })
    expect(countsOf(await feeds.read(caller, feed.id))).toEqual([0, 0, 0, 0, 0])
    expect((await feeds.get(feed.id)).items).toBe(1)
  })

  it('is read by its schedule, once, and later when the server asks for that', async () => {
    const feed = await aFeed()
    serve = () => ({ body: rss(['a', 'A', 1]) })
    const tick = async () => {
      for (const work of ticks) await work()
    }
    await tick()
    expect((await feeds.readings(feed.id)).length).toBe(0)
    offset = 31 * 60_000
    await Promise.all([tick(), tick()])
    expect((await feeds.readings(feed.id)).map((one) => one.startedBy)).toEqual(['the schedule'])
    serve = () => ({ status: 429, headers: { 'retry-after': '7200' } })
    offset = 62 * 60_000
    await tick()
    const { nextAt } = await feeds.get(feed.id)
    expect(Date.parse(nextAt ?? '')).toBeGreaterThan(clock.ms() + 7_100_000)
    await expect(feeds.change(caller, feed.id, { schedule: 'hourly' })).rejects.toThrow('no schedule')
  })
})

describe('an export that is handed in', () => {
  it('is the whole: what it does not have any more was taken back', async () => {
    const feed = await aFeed(null)
    const wxr = (...ids: string[]) =>
      Readable.from([
        Buffer.from(
          `<rss><channel><wp:wxr_version>1.2</wp:wxr_version>${ids
            .map(
              (id) =>
                `<item><title>${id}</title><guid>https://wp.example/?p=${id}</guid><wp:post_type>post</wp:post_type><wp:status>publish</wp:status></item>`,
            )
            .join('')}</channel></rss>`,
        ),
      ])
    expect(countsOf(await feeds.upload(caller, feed.id, wxr('1', '2')))).toEqual([2, 0, 0, 0, 0])
    expect(countsOf(await feeds.upload(caller, feed.id, wxr('2', '3')))).toEqual([1, 0, 1, 0, 1])
    await expect(feeds.upload(caller, feed.id, Readable.from([Buffer.from('name;mail')]))).rejects.toThrow(
      'neither RSS',
    )
    await expect(feeds.read(caller, feed.id)).rejects.toThrow('hand in the file')
    await feeds.remove(caller, feed.id)
    await expect(feeds.get(feed.id)).rejects.toThrow('no such feed')
  })
})
