import { Refusal } from '../refusals/refusals.ts'

/** One article, post or page as a feed tells it. Times are ISO instants; what the feed does not say is null. */
export interface FeedItem {
  /** The feed's own word for it, which stays when the title or address changes. */
  key: string
  url: string | null
  title: string
  author: string | null
  categories: string[]
  /** Plain text, shortened. */
  summary: string
  image: string | null
  publishedAt: string | null
  updatedAt: string | null
}

export interface ReadFeed {
  format: 'RSS' | 'Atom' | 'JSON Feed' | 'WordPress export'
  title: string
  items: FeedItem[]
  /** Items that stand for nothing here, with the reason. */
  rejected: { what: string; reason: string }[]
}

export const mostItems = 50_000
const longestText = 500

export const notAFeed = (why: string) => new Refusal('bad_input', why)

/** A text without marks of HTML, in one line, cut to what a list shows. */
export function plainText(html: string, most = longestText): string {
  const text = html
    .slice(0, 100_000)
    .replaceAll(/<(script|style)\b[\s\S]*?<\/\1\s*>/gi, ' ')
    .replaceAll(/<[^<>]{0,2000}>/g, ' ')
  return characters(text).replaceAll(/\s+/g, ' ').trim().slice(0, most).toWellFormed()
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }
/** The five entities of XML, the blank of HTML and characters by number. Any other stays as it is written: nothing that a document declares is expanded. */
export const characters = (text: string): string =>
  text.replaceAll(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,6});/gi, (all, name: string) => {
    if (!name.startsWith('#')) return named[name.toLowerCase()] ?? all
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
    const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
    return isCharacter ? String.fromCodePoint(code) : all
  })

/** An address that a person may open; anything else (javascript:, relative) is none. */
export function webAddress(text: string | null, base?: string): string | null {
  if (text === null || text.trim() === '') return null
  try {
    const url = new URL(text.trim(), base)
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href.slice(0, 2000) : null
  } catch {
    return null
  }
}

/** RFC 822 (with a two-digit year too), ISO 8601, or the `YYYY-MM-DD HH:MM:SS` in UTC of WordPress. */
export function feedTime(text: string | null): string | null {
  if (text === null || text.trim() === '' || text.startsWith('0000')) return null
  const trimmed = text.trim()
  const iso = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2})?$/.test(trimmed) ? `${trimmed.replace(' ', 'T')}Z` : trimmed
  const ms = Date.parse(iso)
  return Number.isFinite(ms) && ms > 0 && ms < 4_102_444_800_000 ? new Date(ms).toISOString() : null
}

/** Rejects what has no identity; of two with one key the later counts. */
export function gather(
  found: readonly (FeedItem | { what: string; reason: string })[],
): Pick<ReadFeed, 'items' | 'rejected'> {
  const items = new Map<string, FeedItem>()
  const rejected: ReadFeed['rejected'] = []
  for (const one of found) {
    if ('reason' in one) rejected.push(one)
    else if (one.key === '') rejected.push({ what: one.title, reason: 'it has neither an id nor an address' })
    else if (items.has(one.key)) rejected.push({ what: one.title, reason: 'another item of the feed has the same id' })
    else items.set(one.key, one)
  }
  return { items: [...items.values()], rejected }
}
