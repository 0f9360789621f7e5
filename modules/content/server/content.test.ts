import { describe, expect, it } from 'vitest'
import type { Body } from '../contract.ts'
import { compileBody, hashOf } from './compile.ts'
import { renderer, RenderFailure } from './render.ts'

const body = (rest: Partial<Body> = {}): Body => ({
  subject: 'Hej {{ person.firstName | default: "there" }}',
  preheader: 'För dig i {{ person.address.city }}',
  design: {
    kind: 'blocks',
    blocks: [
      { kind: 'heading', text: 'Våren & {{ person.firstName }}' },
      {
        kind: 'text',
        text: 'Nytt <b>idag</b>\nrad två, och lite till så att det finns text nog i brevet för alla som läser det som text.',
      },
      { kind: 'button', text: 'Till butiken', href: 'https://shop.lindqvist.example/?a=1&b=2' },
    ],
  },
  ...rest,
})
const values = (person: Record<string, unknown>) => ({
  person,
  topic: { name: 'Erbjudanden' },
  unsubscribe: 'https://shop.lindqvist.example/u/t',
})

describe('a template', () => {
  it('compiles once and tells what it reads and where it leads', async () => {
    const compiled = await compileBody(body())
    expect(compiled.fields).toEqual(['address.city', 'firstName'])
    expect(compiled.links).toEqual(['https://shop.lindqvist.example/?a=1&b=2'])
    expect(compiled.warnings).toEqual([])
  })

  it('has another hash when anything of it is another', async () => {
    const one = body()
    const other = body({ preheader: 'x' })
    expect(hashOf(one, await compileBody(one))).toBe(hashOf(body(), await compileBody(body())))
    expect(hashOf(other, await compileBody(other))).not.toBe(hashOf(one, await compileBody(one)))
  })

  it('does not compile when the MJML is wrong, and says in which line', async () => {
    const wrong = body({
      design: {
        kind: 'mjml',
        source:
          '<mjml>\n<mj-body>\n<mj-section><mj-nonsense>{{ unsubscribe }}</mj-nonsense></mj-section>\n</mj-body></mjml>',
      },
    })
    await expect(compileBody(wrong)).rejects.toMatchObject({
      code: 'does_not_compile',
      message: expect.stringContaining('line 3') as string,
    })
  })

  it.each([
    ['an open tag', '{% if person.x %}', 'does not compile'],
    ['a filter that there is not', '{{ person.x | explode }}', 'does not compile'],
    ['a file', '{% include "secrets" %}', 'does not compile'],
    ['raw output', '{{ person.x | raw }}', 'does not compile'],
  ])('does not compile with %s', async (_what, text, says) => {
    await expect(compileBody(body({ design: { kind: 'blocks', blocks: [{ kind: 'text', text }] } }))).rejects.toThrow(
      says,
    )
  })

  it('does not compile without a way out', async () => {
    const source =
      '<mjml><mj-body><mj-section><mj-column><mj-text>Hej</mj-text></mj-column></mj-section></mj-body></mjml>'
    await expect(compileBody(body({ design: { kind: 'mjml', source } }))).rejects.toThrow('no way out')
  })
})

describe('a mail for one person', () => {
  it('holds their values as text, never as markup, header or script', async () => {
    const hostile = body({
      design: {
        kind: 'blocks',
        blocks: [
          {
            kind: 'text',
            text: 'Hi {{ person.firstName }}, a line that is long enough to be counted as text by whoever counts text in mails.',
          },
          { kind: 'button', text: 'Go', href: '{{ person.site }}' },
        ],
      },
    })
    const made = renderer(await compileBody(hostile))(
      values({ firstName: '<script>alert(1)</script>{{ person.site }}\r\nBcc: x@y.z', site: 'jAva\nscript:alert(1)' }),
    )
    expect(made.html).not.toContain('<script>')
    expect(made.html).not.toMatch(/javascript:/i)
    expect(made.html).toContain('{{ person.site }}')
    expect(made.subject).toBe('Hej <script>alert(1)</script>{{ person.site }} Bcc: x@y.z')
  })

  it('counts links through us and leaves the way out, mail and telephone alone', async () => {
    const many = body({
      design: {
        kind: 'blocks',
        blocks: [
          { kind: 'button', text: 'A', href: 'https://a.example/{{ person.id }}' },
          { kind: 'button', text: 'B', href: 'https://b.example/' },
          { kind: 'button', text: 'M', href: 'mailto:x@y.example' },
          { kind: 'button', text: 'T', href: 'tel:+46' },
        ],
      },
    })
    const seen: string[] = []
    const made = renderer(await compileBody(many))({
      ...values({ id: 'ö1' }),
      track: (href, number) => {
        seen.push(`${String(number)} ${href}`)
        return `https://t.example/l/${String(number)}`
      },
      pixel: 'https://t.example/o/1.gif',
    })
    expect(new Set(seen)).toEqual(new Set(['0 https://a.example/ö1', '1 https://b.example/']))
    expect(made.html).toContain('href="https://shop.lindqvist.example/u/t"')
    expect(made.html).toContain('mailto:x@y.example')
    expect(made.html).toContain('src="https://t.example/o/1.gif"')
  })

  it('says what is blank, and fails for one person only', async () => {
    const one = renderer(await compileBody(body()))
    expect(one(values({ firstName: 'Åsa' })).blank).toEqual(['address.city'])
    const picky = renderer(
      await compileBody(
        body({
          design: {
            kind: 'blocks',
            blocks: [
              {
                kind: 'text',
                text: '{% if person.n == 7 %}{{ "x" | times: person.many }}{% for i in (1..person.many) %}{% for j in (1..person.many) %}x{% endfor %}{% endfor %}{% endif %} ok',
              },
            ],
          },
        }),
      ),
    )
    expect(() => picky(values({ n: 7, many: 1_000_000 }))).toThrow(RenderFailure)
    expect(picky(values({ n: 8 })).html).toContain('ok')
  })
})
