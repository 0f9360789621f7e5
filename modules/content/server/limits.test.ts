import { expect, it } from 'vitest'
import { compileBody } from './compile.ts'
import { endOfLiquid, piecesOf } from './pieces.ts'
import { tagsOf } from './tags.ts'

const compile = (inner: string) =>
  compileBody({
    subject: 'Hej',
    preheader: '',
    design: {
      kind: 'mjml',
      source: `<mjml><mj-body><mj-section><mj-column>${inner}<mj-text><a href="{{ unsubscribe }}">u</a></mj-text></mj-column></mj-section></mj-body></mjml>`,
    },
  })

it.each([
  ['more than 256 kB', `<mj-text>${'a'.repeat(270_000)}</mj-text>`, '256 kB is the most'],
  [
    '40,000 boxes in each other',
    `<mj-text>${'<div>'.repeat(40_000)}</mj-text>`,
    'nested more than 100 levels deep, at <div>',
  ],
  ['boxes that only look closed', `<mj-text>${'<div/>'.repeat(200)}</mj-text>`, 'nested more than 100 levels deep'],
  ['lists in each other', `<mj-text>${'<li><p>'.repeat(200)}</mj-text>`, 'nested more than 100 levels deep'],
  [
    'conditions in each other',
    `<mj-text>${'{% if a %}'.repeat(4_900)}</mj-text>`,
    'does not compile|nested too deeply',
  ],
  ['1,600 parts', '<mj-text>a</mj-text>'.repeat(1_600), 'more than 1,500 MJML parts'],
  ['6,000 expressions', `<mj-text>${'{{ a }}'.repeat(6_000)}</mj-text>`, 'more than 5,000 expressions'],
  ['a comment without an end', '<mj-raw><!-- <!-- ', 'opened and never closed'],
  ['braces without an end', '<mj-text>{{ {{ {{</mj-text>', 'opened and never closed'],
])('a mail of %s is refused with a sentence', async (_what, inner, says) => {
  await expect(compile(inner)).rejects.toMatchObject({
    code: 'does_not_compile',
    message: expect.stringMatching(new RegExp(says)) as string,
  })
})

it.each([
  ['paragraphs that are never closed', '<mj-text>' + '<p>x'.repeat(500) + '</mj-text>'],
  ['items that are never closed', '<mj-text><ul>' + '<li>x'.repeat(500) + '</ul></mj-text>'],
  ['line breaks', '<mj-text>' + 'x<br>'.repeat(500) + '</mj-text>'],
  ['signs that open nothing', '<mj-text>1 < 2, {a}, 3 > 2 & 4 --></mj-text>'],
])('a mail with %s is not', async (_what, inner) => {
  await expect(compile(inner)).resolves.toBeDefined()
})

it('tags are read as browsers read them, and Liquid within quotes is passed over', () => {
  const text = `a < b <A Href='x"' b=c d {% if "a>b" %}e{% endif %}><img alt="{{ x | default: ">" }}"/></p><!-- <i> --><!--[if mso]><b><![endif]--><u>`
  expect(
    [...tagsOf(text)].map((tag) => [
      tag.name,
      tag.closing,
      tag.inComment,
      tag.attributes.map((one) => [one.name, one.value]),
    ]),
  ).toEqual([
    [
      'a',
      false,
      false,
      [
        ['href', 'x"'],
        ['b', 'c'],
        ['d', ''],
        ['e', ''],
      ],
    ],
    ['img', false, false, [['alt', '{{ x | default: ">" }}']]],
    ['p', true, false, []],
    ['b', false, true, []],
    ['u', false, false, []],
  ])
})

it('a tag without an end is refused', () => {
  expect(() => [...tagsOf('x <a <a <a')]).toThrow('A tag is opened and never closed: “<a <a <a”.')
})

it('Liquid ends where the engine ends it', () => {
  const text = 'a{{ "}}" }}b{% x \'%}\' %}{c'
  expect(piecesOf(text).map((piece) => piece.text)).toEqual(['a', '{{ "}}" }}', 'b', "{% x '%}' %}", '{c'])
  expect(endOfLiquid(text, 1)).toBe(11)
})
