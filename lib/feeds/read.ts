import { feedTime, gather, mostItems, notAFeed, plainText, webAddress, type FeedItem, type ReadFeed } from './items.ts'
import { all, attribute, first, parse, split, textOf, type Node } from './xml.ts'

type Found = FeedItem | { what: string; reason: string }

/**
 * Reads RSS 2.0 (and older), Atom (RFC 4287), JSON Feed 1.1 and the export of WordPress (WXR 1.2), whichever it is.
 * @param address from where it came, for addresses that are relative
 * @param turn called now and then, so that others have theirs during a long export
 * @throws Refusal bad_input for what is none of them
 */
export async function readFeed(text: string, address?: string, turn?: () => Promise<void>): Promise<ReadFeed> {
  const start = text.slice(0, 4000)
  if (/^\s*\{/.test(start.replace(/^\ufeff/, ''))) return readJsonFeed(text.replace(/^\ufeff/, ''), address)
  const isAtom = /<feed[\s>]/.test(start)
  if (!isAtom && !/<(rss|rdf:RDF)[\s>]/.test(start))
    throw notAFeed('It is neither RSS, Atom, JSON Feed nor an export of WordPress.')
  const { outer, items } = split(text, isAtom ? 'entry' : 'item')
  if (items.length > mostItems) throw notAFeed(`It has more than ${mostItems.toLocaleString('en')} items.`)
  const whole = parse(outer)
  const [rss] = [...all(whole, 'rss'), ...all(whole, 'rdf:RDF')]
  const [channel] = isAtom ? all(whole, 'feed') : all(rss, 'channel')
  const isExport = !isAtom && first(channel, 'wp:wxr_version') !== null
  const found: Found[] = []
  for (const [at, one] of items.entries()) {
    if (at % 50 === 49) await turn?.()
    let node: Node | undefined
    try {
      ;[node] = all(parse(one), isAtom ? 'entry' : 'item')
    } catch (error) {
      found.push({
        what: `item ${String(at + 1)}`,
        reason: error instanceof Error ? error.message : 'it cannot be read',
      })
      continue
    }
    if (node === undefined) found.push({ what: `item ${String(at + 1)}`, reason: 'it cannot be read' })
    else found.push(isAtom ? atomEntry(node, address) : isExport ? wordPressPost(node) : rssItem(node, address))
  }
  return {
    format: isAtom ? 'Atom' : isExport ? 'WordPress export' : 'RSS',
    title: plainText(first(channel, 'title') ?? '', 200),
    ...gather(found),
  }
}

const short = (text: string | null, most = 300) => (text === null ? null : plainText(text, most) || null)
const listed = (texts: readonly (string | null)[]) =>
  [...new Set(texts.map((text) => plainText(text ?? '', 100)).filter((text) => text !== ''))].slice(0, 50)

function rssItem(node: Node, address: string | undefined): FeedItem {
  const guids = all(node, 'guid')
  const guid = first(node, 'guid')
  const link = webAddress(first(node, 'link') ?? (guids[0]?.['@isPermaLink'] === 'false' ? null : guid), address)
  const picture = [...all(node, 'enclosure'), ...all(node, 'media:content'), ...all(node, 'media:thumbnail')].find(
    (one) => (attribute(one, 'type') ?? 'image/').startsWith('image/') && attribute(one, 'url') !== null,
  )
  return {
    key: (guid ?? link ?? '').slice(0, 1000),
    url: link,
    title: short(first(node, 'title')) ?? '',
    author: short(first(node, 'dc:creator', 'author', 'itunes:author'), 200),
    categories: listed(all(node, 'category').map(textOf)),
    summary: plainText(first(node, 'description', 'content:encoded') ?? ''),
    image: picture === undefined ? null : webAddress(attribute(picture, 'url'), address),
    publishedAt: feedTime(first(node, 'pubDate', 'dc:date')),
    updatedAt: feedTime(first(node, 'atom:updated', 'dcterms:modified')),
  }
}

function atomEntry(node: Node, address: string | undefined): FeedItem {
  const links = all(node, 'link')
  const link = links.find((one) => (attribute(one, 'rel') ?? 'alternate') === 'alternate')
  const picture = links.find(
    (one) => attribute(one, 'rel') === 'enclosure' && (attribute(one, 'type') ?? '').startsWith('image/'),
  )
  const url = link === undefined ? null : webAddress(attribute(link, 'href'), address)
  return {
    key: (first(node, 'id') ?? url ?? '').slice(0, 1000),
    url,
    title: short(first(node, 'title')) ?? '',
    author: short(first(all(node, 'author')[0], 'name'), 200),
    categories: listed(all(node, 'category').map((one) => attribute(one, 'label') ?? attribute(one, 'term'))),
    summary: plainText(first(node, 'summary', 'content') ?? ''),
    image: picture === undefined ? null : webAddress(attribute(picture, 'href'), address),
    publishedAt: feedTime(first(node, 'published', 'issued') ?? first(node, 'updated')),
    updatedAt: feedTime(first(node, 'updated', 'modified')),
  }
}

/** Only what the public may read: drafts, menus and attachments are left out with the reason. */
function wordPressPost(node: Node): Found {
  const title = short(first(node, 'title')) ?? ''
  const type = first(node, 'wp:post_type') ?? 'post'
  const status = first(node, 'wp:status') ?? 'publish'
  if (['attachment', 'nav_menu_item', 'revision', 'wp_global_styles', 'custom_css', 'wp_navigation'].includes(type))
    return { what: title, reason: `it is no content (${type})` }
  if (status !== 'publish') return { what: title, reason: `it is not published (${status})` }
  if ((first(node, 'wp:post_password') ?? '') !== '') return { what: title, reason: 'it is behind a password' }
  const item = rssItem(node, undefined)
  return {
    ...item,
    publishedAt: feedTime(first(node, 'wp:post_date_gmt')) ?? item.publishedAt,
    updatedAt: feedTime(first(node, 'wp:post_modified_gmt')),
    summary: plainText(first(node, 'excerpt:encoded', 'content:encoded', 'description') ?? ''),
  }
}

function readJsonFeed(text: string, address: string | undefined): ReadFeed {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw notAFeed('It is neither XML nor JSON.')
  }
  const feed = record(value)
  if (!string(feed['version'])?.includes('jsonfeed.org/version/') || !Array.isArray(feed['items']))
    throw notAFeed('It is JSON, but no JSON Feed: it has no version and items.')
  if (feed['items'].length > mostItems) throw notAFeed(`It has more than ${mostItems.toLocaleString('en')} items.`)
  const found = feed['items'].map((one: unknown): FeedItem => {
    const item = record(one)
    const url = webAddress(string(item['url']) ?? string(item['external_url']), address)
    const [author] = [...list(item['authors']), item['author']].map(record)
    return {
      key: (string(item['id']) ?? url ?? '').slice(0, 1000),
      url,
      title: short(string(item['title'])) ?? plainText(string(item['content_text']) ?? '', 80),
      author: short(string(author?.['name']), 200),
      categories: listed(list(item['tags']).map(string)),
      summary: plainText(string(item['summary']) ?? string(item['content_text']) ?? string(item['content_html']) ?? ''),
      image: webAddress(string(item['image']) ?? string(item['banner_image']), address),
      publishedAt: feedTime(string(item['date_published'])),
      updatedAt: feedTime(string(item['date_modified'])),
    }
  })
  return { format: 'JSON Feed', title: plainText(string(feed['title']) ?? '', 200), ...gather(found) }
}
const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const string = (value: unknown): string | null =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : null
