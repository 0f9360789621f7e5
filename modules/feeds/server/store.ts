import type { Id } from '../../../lib/ids/ids.ts'
import type { FeedItem } from '../../../lib/feeds/items.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Counts, Reading } from '../contract.ts'

export interface StoredFeed {
  id: Id<'feed'>
  source_id: Id<'source'>
  name: string
  url: string | null
  schedule: string | null
  promise_hours: number | null
  paused: boolean
  next_at: Date | null
  format: string | null
  title: string | null
  etag: string | null
  last_modified: string | null
  fresh_at: Date | null
  created_by: string
  created_at: Date
}
export interface StoredReading {
  id: string
  feed_id: string
  state: Reading['state']
  counts: Counts
  because: string | null
  rejected: Reading['rejected']
  started_by: string
  at: Date
}
export interface StoredItem {
  key: string
  url: string | null
  title: string
  author: string | null
  categories: string[]
  summary: string
  published_at: Date | null
  changed_at: Date
  versions: number
  gone_at: Date | null
}
export type HashedItem = FeedItem & { hash: string }

const columns =
  'id, source_id, name, url, schedule, promise_hours, paused, next_at, format, title, etag, last_modified, fresh_at, created_by, created_at'
const readingColumns = 'id::text AS id, feed_id, state, counts, because, rejected, started_by, at'
const readingsKept = 200

/** The statements of feeds, and nothing but statements. */
export function feedStore(db: Postgres) {
  return {
    list: () => db.query<StoredFeed>(`SELECT ${columns} FROM feeds.feed ORDER BY created_at, id`),
    async get(id: string, forUpdate = false): Promise<StoredFeed | undefined> {
      const [row] = await db.query<StoredFeed>(
        `SELECT ${columns} FROM feeds.feed WHERE id = $1${forUpdate ? ' FOR UPDATE' : ''}`,
        [id],
      )
      return row
    },
    async insert(
      feed: Pick<
        StoredFeed,
        'id' | 'source_id' | 'name' | 'url' | 'created_by' | 'created_at' | 'schedule' | 'next_at'
      >,
    ): Promise<boolean> {
      const rows = await db.query(
        `INSERT INTO feeds.feed (id, source_id, name, url, created_by, created_at, schedule, next_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT DO NOTHING RETURNING id`,
        [feed.id, feed.source_id, feed.name, feed.url, feed.created_by, feed.created_at, feed.schedule, feed.next_at],
      )
      return rows.length === 1
    },
    async put(feed: StoredFeed): Promise<void> {
      await db.query(
        `UPDATE feeds.feed SET name = $2, url = $3, schedule = $4, promise_hours = $5, paused = $6, next_at = $7, etag = $8, last_modified = $9 WHERE id = $1`,
        [
          feed.id,
          feed.name,
          feed.url,
          feed.schedule,
          feed.promise_hours,
          feed.paused,
          feed.next_at,
          feed.etag,
          feed.last_modified,
        ],
      )
    },
    async nameTaken(name: string, except: string): Promise<boolean> {
      const rows = await db.query('SELECT 1 FROM feeds.feed WHERE lower(name) = lower($1) AND id <> $2', [name, except])
      return rows.length > 0
    },
    async remove(id: string): Promise<void> {
      await db.query('DELETE FROM feeds.feed WHERE id = $1', [id])
    },
    due: (at: Date) =>
      db.query<StoredFeed>(
        `SELECT ${columns} FROM feeds.feed WHERE next_at <= $1 AND NOT paused AND url IS NOT NULL ORDER BY next_at LIMIT 20`,
        [at],
      ),
    /** Of several servers one moves it on, and reads it. */
    async claim(id: string, from: Date, to: Date): Promise<boolean> {
      const rows = await db.query('UPDATE feeds.feed SET next_at = $3 WHERE id = $1 AND next_at = $2 RETURNING id', [
        id,
        from,
        to,
      ])
      return rows.length === 1
    },
    async postpone(id: string, to: Date): Promise<void> {
      await db.query('UPDATE feeds.feed SET next_at = greatest(next_at, $2) WHERE id = $1 AND next_at IS NOT NULL', [
        id,
        to,
      ])
    },
    async fresh(id: string, at: Date): Promise<void> {
      await db.query('UPDATE feeds.feed SET fresh_at = $2 WHERE id = $1', [id, at])
    },
    async came(
      id: string,
      what: { format: string; title: string; etag: string | null; lastModified: string | null },
    ): Promise<void> {
      await db.query('UPDATE feeds.feed SET format = $2, title = $3, etag = $4, last_modified = $5 WHERE id = $1', [
        id,
        what.format,
        what.title,
        what.etag,
        what.lastModified,
      ])
    },
    /** Items as they are now. @returns of each key whether it is new, and how often it changed; keys that are missing were here already as they are */
    async putItems(feedId: string, items: readonly HashedItem[], at: Date): Promise<{ key: string; isNew: boolean }[]> {
      return db.query<{ key: string; isNew: boolean }>(
        `INSERT INTO feeds.item AS i (feed_id, key, hash, url, title, author, categories, summary, image, published_at, updated_at, first_seen_at, changed_at)
         SELECT $1, key, hash, url, title, author, ARRAY(SELECT jsonb_array_elements_text(categories)), summary, image, published_at, updated_at, $3, $3
           FROM jsonb_to_recordset($2::jsonb) AS one (key text, hash text, url text, title text, author text, categories jsonb, summary text, image text,
             published_at timestamptz, updated_at timestamptz)
         ON CONFLICT (feed_id, key) DO UPDATE SET hash = excluded.hash, url = excluded.url, title = excluded.title, author = excluded.author,
           categories = excluded.categories, summary = excluded.summary, image = excluded.image, published_at = coalesce(excluded.published_at, i.published_at),
           updated_at = excluded.updated_at, changed_at = excluded.changed_at, versions = i.versions + 1, gone_at = NULL
         WHERE i.hash <> excluded.hash OR i.gone_at IS NOT NULL
         RETURNING key, versions = 1 AS "isNew"`,
        [
          feedId,
          JSON.stringify(
            items.map(({ publishedAt, updatedAt, ...one }) => ({
              ...one,
              published_at: publishedAt,
              updated_at: updatedAt,
            })),
          ),
          at,
        ],
      )
    },
    /** @param since null: whatever is not among the keys; else only what was published after it */
    async takeBack(feedId: string, keys: readonly string[], since: string | null, at: Date): Promise<number> {
      const rows = await db.query(
        `UPDATE feeds.item SET gone_at = $4 WHERE feed_id = $1 AND gone_at IS NULL AND NOT key = ANY($2::text[])
            AND ($3::timestamptz IS NULL OR published_at > $3) RETURNING key`,
        [feedId, keys, since, at],
      )
      return rows.length
    },
    async note(one: Omit<StoredReading, 'id'>): Promise<StoredReading> {
      const [row] = await db.query<StoredReading>(
        `INSERT INTO feeds.reading (feed_id, state, counts, because, rejected, started_by, at) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${readingColumns}`,
        [
          one.feed_id,
          one.state,
          JSON.stringify(one.counts),
          one.because,
          JSON.stringify(one.rejected),
          one.started_by,
          one.at,
        ],
      )
      await db.query(
        `DELETE FROM feeds.reading WHERE feed_id = $1 AND id < (SELECT min(id) FROM (SELECT id FROM feeds.reading WHERE feed_id = $1 ORDER BY id DESC LIMIT $2) AS newest)`,
        [one.feed_id, readingsKept],
      )
      if (row === undefined) throw new Error('nothing was inserted')
      return row
    },
    readings: (feedId: string, limit: number) =>
      db.query<StoredReading>(
        `SELECT ${readingColumns} FROM feeds.reading WHERE feed_id = $1 ORDER BY feeds.reading.id DESC LIMIT $2`,
        [feedId, limit],
      ),
    lastReadings: (ids: readonly string[]) =>
      db.query<StoredReading>(
        `SELECT DISTINCT ON (feed_id) ${readingColumns} FROM feeds.reading WHERE feed_id = ANY($1) ORDER BY feed_id, feeds.reading.id DESC`,
        [ids],
      ),
    sizes: (ids: readonly string[]) =>
      db.query<{ feed_id: string; items: number; gone: number }>(
        `SELECT feed_id, (count(*) FILTER (WHERE gone_at IS NULL))::int AS items, (count(*) FILTER (WHERE gone_at IS NOT NULL))::int AS gone
           FROM feeds.item WHERE feed_id = ANY($1) GROUP BY feed_id`,
        [ids],
      ),
    items: (feedId: string, limit: number) =>
      db.query<StoredItem>(
        `SELECT key, url, title, author, categories, summary, published_at, changed_at, versions, gone_at FROM feeds.item
          WHERE feed_id = $1 ORDER BY published_at DESC NULLS LAST, key LIMIT $2`,
        [feedId, limit],
      ),
  }
}
