import { describe, expect, it } from 'vitest'
import type { Block } from '../contract.ts'
import { compileBody } from './compile.ts'
import { renderer, type MessageValues } from './render.ts'

const words =
  'A text that is long enough to be taken for a real mail by those programs that count how much of a mail is text.'
const mjml = (inner: string, foot = '<a href="{{ unsubscribe }}">Out</a>') =>
  compileBody({
    subject: 'Hej',
    preheader: '',
    design: {
      kind: 'mjml',
      source: `<mjml><mj-body><mj-section><mj-column><mj-text>${words}</mj-text>${inner}<mj-text>${foot}</mj-text></mj-column></mj-section></mj-body></mjml>`,
    },
  })
const blocks = (...of: Block[]) =>
  compileBody({
    subject: 'Hej',
    preheader: '',
    design: { kind: 'blocks', blocks: [{ kind: 'text', text: words }, ...of] },
  })
const wayOut = 'https://il.example/u/t?a=1&b=2'
const values = (person: Record<string, unknown> = {}, more: Partial<MessageValues> = {}): MessageValues => ({
  person,
  topic: { name: 'Erbjudanden' },
  unsubscribe: wayOut,
  track: (href, number) => `https://il.example/l/${String(number)}?to=${encodeURIComponent(href)}`,
  ...more,
})
const tracked = (text: string) =>
  [...text.matchAll(/https:\/\/il\.example\/l\/\d+\?to=([^"\s\]]+)/g)].map((hit) => decodeURIComponent(hit[1] ?? ''))

describe('a link', () => {
  it.each([
    ['double quotes', '<a href="https://shop.example/?a=1&amp;b=å">x</a>'],
    ['single quotes', "<a class='c' href='https://shop.example/?a=1&amp;b=å'>x</a>"],
    ['no quotes', '<a href=https://shop.example/?a=1&amp;b=å>x</a>'],
    ['capitals', '<A\nHREF = "https://shop.example/?a=1&amp;b=å">x</A>'],
  ])('is counted when it is written with %s', async (_how, link) => {
    const compiled = await mjml(`<mj-text>${link}</mj-text>`)
    expect(compiled.links).toEqual(['https://shop.example/?a=1&b=å'])
    const made = renderer(compiled)(values())
    expect(tracked(made.html)).toEqual(['https://shop.example/?a=1&b=å'])
    expect(tracked(made.text)).toEqual(['https://shop.example/?a=1&b=å'])
  })

  it('carries what its own expressions say, also within loops and conditions', async () => {
    const compiled = await mjml(
      '<mj-text>{% for i in person.interests %}{% if i != "b" %}<a href="https://shop.example/{{ i | url_encode }}?x={{ person.id }}&amp;y">{{ i }}</a>{% endif %}{% endfor %}</mj-text>',
    )
    expect(compiled.links).toEqual(['https://shop.example/{{ i | url_encode }}?x={{ person.id }}&y'])
    const made = renderer(compiled)(values({ interests: ['a', 'b', 'c"&'], id: '"><script>&' }))
    const expected = ['https://shop.example/a?x="><script>&&y', 'https://shop.example/c%22%26?x="><script>&&y']
    expect(tracked(made.html)).toEqual(expected)
    expect(tracked(made.text)).toEqual(expected)
    expect(made.html).not.toContain('<script>')
  })

  it('is never made of a value of a person: not in the text, not in an address, not out of the topic', async () => {
    const evil = 'https://evil.example/phish'
    const compiled = await blocks(
      { kind: 'heading', text: 'Dear {{ person.firstName }}' },
      { kind: 'text', text: '{{ person.firstName }} and {{ topic.name }}' },
      { kind: 'button', text: 'x {{ person.firstName }}', href: '{{ person.site }}' },
      { kind: 'image', src: '{{ person.site }}', alt: '{{ person.firstName }}', href: '{{ person.site }}?a' },
      { kind: 'button', text: 'y', href: 'https://shop.example/?{{ person.site }}' },
    )
    const html = `<a href="${evil}">x</a>`
    const made = renderer(compiled)(
      values({ firstName: `${evil} ${html}`, site: evil }, { topic: { name: `${evil} ${html}` } }),
    )
    expect(tracked(made.html)).toEqual([`https://shop.example/?${evil}`])
    expect(tracked(made.text)).toEqual([`https://shop.example/?${evil}`])
    expect(made.html).not.toContain(html)
    expect(made.html).toContain(`You get this because you agreed to “${evil} &lt;a href=&quot;`)
  })

  it.each([
    ['a host that is a value', 'https://{{ person.host }}/a'],
    ['a host that a value ends', 'https://shop.example{{ person.host }}'],
    ['a host that a value turns round', 'https://shop.example\\{{ person.host }}/'],
    ['a scheme in two parts', 'java{{ person.x }}'],
    ['a condition at the beginning', '{% if person.x %}{{ person.x }}{% endif %}'],
    ['a script', 'javascript:alert(1)'],
    ['a script in disguise', ' java\tscript:alert(1)'],
    ['data', 'data:text/html,x'],
  ])('does not compile with %s', async (_what, href) => {
    await expect(blocks({ kind: 'button', text: 'x', href })).rejects.toMatchObject({ code: 'does_not_compile' })
    await expect(mjml(`<mj-text><a href='${href}'>x</a></mj-text>`)).rejects.toMatchObject({ code: 'does_not_compile' })
  })

  it.each([
    ["<a href='{{ person.site }}'>x</a>"],
    ['<a href="{{ person.site }}">x</a>'],
    ['<a href="{{ person.site | default: &quot;https://shop.example/&quot; }}">x</a>'],
    ['<a href=" {{ person.site }}">x</a>'],
  ])('that is a value leads to the web or nowhere: %s', async (link) => {
    const render = renderer(await mjml(`<mj-text>${link}</mj-text>`))
    expect(render(values({ site: 'jAva\nscript:alert(1)' })).html).not.toMatch(/javascript:/i)
    expect(render(values({ site: 'https://a.example/?"x' })).html).toContain('href="https://a.example/?&quot;x"')
  })

  it.each([
    ['a value without quotes', '<a href={{ person.site }}>x</a>'],
    ['a value as a name', '<a {{ person.site }}>x</a>'],
    ['a tag that is a value', '<{{ person.site }}>x'],
    ['the mark of what is counted', '{% tracked 0 %}{{ person.site }}{% endtracked %}'],
    ['the mark in disguise', '<a href="https://a.example/{% &#116;racked 0 %}{{ person.site }}{% endtracked %}">x</a>'],
  ])('does not compile with %s', async (_what, inner) => {
    await expect(mjml(`<mj-raw>${inner}</mj-raw>`)).rejects.toMatchObject({ code: 'does_not_compile' })
  })
})

describe('the way out', () => {
  const link = `href="${wayOut.replace('&', '&amp;')}"`

  it.each([
    ['a condition', '{% if person.x %}<a href="{{ unsubscribe }}">Out</a>{% endif %}'],
    ['a value that is never shown', '{% capture x %}<a href="{{ unsubscribe }}">Out</a>{% endcapture %}'],
    ['an empty list', "{% for i in person.x %}<a href='{{unsubscribe}}'>Out</a>{% endfor %}"],
  ])('is in every mail, also when the template hides it behind %s', async (_what, foot) => {
    const made = renderer(await mjml('', foot))(values())
    expect(made.html.split(link)).toHaveLength(2)
    expect(made.html.indexOf(link)).toBeLessThan(made.html.indexOf('</body>'))
    expect(made.text).toContain(wayOut)
  })

  it('is there once when the template has it, and is never counted as a click', async () => {
    const made = renderer(await mjml('', "<a href='{{ unsubscribe }}'>Out</a>"))(values())
    expect(made.html.split(link)).toHaveLength(2)
    expect(made.text.split(wayOut)).toHaveLength(2)
    expect(tracked(made.html + made.text)).toEqual([])
  })

  it('does not count when it is no link, or stands in a comment', async () => {
    await expect(mjml('', 'Out: {{ unsubscribe }}')).rejects.toThrow('no way out')
    await expect(mjml('', '<img src="{{ unsubscribe }}">')).rejects.toThrow('no way out')
    await expect(mjml('', '<!--[if mso]><a href="{{ unsubscribe }}">Out</a><![endif]-->')).rejects.toThrow(
      'in a comment',
    )
  })
})
