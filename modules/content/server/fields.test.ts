import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Compiled } from '../contract.ts'
import { compileBody } from './compile.ts'
import { renderer, RenderFailure } from './render.ts'

const compileText = (text: string, subject = 'Hej') =>
  compileBody({ subject, preheader: '', design: { kind: 'blocks', blocks: [{ kind: 'text', text }] } })
const around = { topic: { name: 'Erbjudanden' }, unsubscribe: 'https://il.example/u/t' }

/** A person whose every value can be recognised, wherever it turns up. */
const person = {
  firstName: 'VALUE-firstName-',
  iban: 'VALUE-iban-',
  'customer no': 'VALUE-customer no-',
  interests: ['VALUE-interests-', { deep: 'VALUE-interests.1.deep-' }],
  address: { city: 'VALUE-address.city-', iban: 'VALUE-address.iban-', geo: { lat: 'VALUE-address.geo.lat-' } },
}

describe('the fields that a template reads', () => {
  it.each([
    ['{{ person.firstName }}', ['firstName']],
    ['{{ person["firstName"] }}', ['firstName']],
    ['{{ ["person"]["firstName"] }}', ['firstName']],
    ["{{ person['customer no'] }}", ['customer no']],
    ['{% if person.address.city %}x{% endif %}', ['address.city']],
    ['{% assign name = person.firstName %}{{ name }}', ['firstName']],
    ['{{ "x" | append: person.iban }}', ['iban']],
    ['{% for i in person.interests limit: person.many %}{{ i }}{{ forloop.index }}{% endfor %}', ['interests', 'many']],
    ['{% case person.firstName %}{% when person.iban %}x{% endcase %}', ['firstName', 'iban']],
    ['{% cycle person.firstName, person.iban %}', ['firstName', 'iban']],
    ['{% tablerow i in person.interests cols: person.many %}{{ i }}{% endtablerow %}', ['interests', 'many']],
    ['{% capture x %}{{ person.iban }}{% endcapture %}{{ x }}', ['iban']],
    ['{% assign parts = person.firstName | split: "-" %}{{ parts[0] }}{{ parts.size }}', ['firstName']],
    ['{% for i in (1..person.many) %}x{% endfor %}', ['many']],
  ])('%s', async (text, fields) => {
    expect((await compileText(text)).fields).toEqual([...fields].sort())
  })

  it.each([
    ['another name for the person', '{% assign p = person %}{{ p.iban }}'],
    ['a field whose name is worked out', '{% assign k = "iban" %}{{ person[k] }}'],
    ['the person as text', '{{ person | json }}'],
    ['the person as a list', '{% for kv in person %}{{ kv }}{% endfor %}'],
    ['the person in a table', '{% tablerow kv in person %}{{ kv }}{% endtablerow %}'],
    ['a field that a filter names', '{{ person | map: "iban" }}'],
    ['the person as an argument', '{{ "x" | append: person }}'],
    ['the person in turns', '{% cycle person, "a" %}'],
    ['the person as a case', '{% case "x" %}{% when person %}{% endcase %}'],
    ['the person behind a name that is worked out', '{% assign k = "person" %}{{ [k].iban }}'],
    ['a part of something whole', '{% assign a = person.address %}{{ a.iban }}'],
    ['a part of one of a list', '{% for i in person.interests %}{{ i.deep }}{% endfor %}'],
    ['an expression in words', '{{ person.interests | find_exp: "x", "person.iban" }}'],
  ])('cannot be told with %s, and then nothing compiles', async (_what, text) => {
    await expect(compileText(text)).rejects.toMatchObject({ code: 'does_not_compile' })
    await expect(compileText('ok', text)).rejects.toMatchObject({ code: 'does_not_compile' })
  })

  it.each(['assign NAME = "x"', 'capture NAME %}x{% endcapture', 'increment NAME', 'decrement NAME'])(
    'are read by names that a template cannot take: %s',
    async (tag) => {
      for (const name of ['person', 'topic', 'unsubscribe', 'forloop'])
        await expect(compileText(`{% ${tag.replace('NAME', name)} %}`)).rejects.toThrow(`“${name}” is set here`)
      await expect(compileText('{% for person in (1..2) %}{% endfor %}')).rejects.toThrow('“person” is set here')
      await expect(compileText(`{% ${tag.replace('NAME', 'mine')} %}`)).resolves.toBeDefined()
    },
  )

  it('are all that rendering gets to see: what is beside them or below them is not there', async () => {
    const text =
      '{{ person.address }}{{ person.address | json }}{{ person.address.city }}{{ person.interests | json }}{{ person.firstName }}'
    const made = renderer(await compileText(text))({ person, ...around })
    for (const shown of ['VALUE-address.city-', 'VALUE-interests-', 'VALUE-firstName-'])
      expect(made.html).toContain(shown)
    for (const hidden of ['VALUE-address.iban-', 'VALUE-address.geo.lat-', 'VALUE-interests.1.deep-', 'VALUE-iban-'])
      expect(made.html + made.text).not.toContain(hidden)
  })

  it('lead nowhere else: not to what every object has', async () => {
    const compiled = await compileText('{{ person.__proto__.iban }}{{ person.constructor.name }}{{ person.toString }}')
    renderer(compiled)({ person: JSON.parse('{"__proto__":{"iban":"VALUE"}}') as typeof person, ...around })
    expect(({} as Record<string, unknown>)['iban']).toBeUndefined()
    expect(renderer(compiled)({ person, ...around }).html).not.toMatch(/Object|function/)
  })

  it('are all whose values are in a mail, whatever somebody writes', async () => {
    const name = fc.constantFrom('firstName', 'iban', 'interests', 'address', 'city', 'customer no', 'geo', 'size', '0')
    const root = fc.constantFrom('person', 'p', 'k', 'x', '["person"]', '[k]', 'topic', 'forloop')
    const step = fc.oneof(
      name.map((one) => `.${one}`),
      name.map((one) => `["${one}"]`),
      fc.constantFrom('[k]', '[0]', '.first', '.last', '[person.firstName]', '[x]'),
    )
    const path = fc.tuple(root, fc.array(step, { maxLength: 3 })).map(([from, steps]) => from + steps.join(''))
    const filter = fc.oneof(
      fc.constantFrom('json', 'inspect', 'first', 'join: ","', 'map: "iban"', 'map: k', 'sort', 'size', 'default: "x"'),
      fc.constantFrom(
        'where: "iban"',
        'find: "iban"',
        'sum: "iban"',
        'find_exp: "x", "person.iban"',
        'group_by: "iban"',
      ),
      path.map((one) => `append: ${one}`),
      path.map((one) => `concat: ${one}`),
    )
    const value = fc.tuple(path, fc.array(filter, { maxLength: 2 })).map((parts) => parts.flat().join(' | '))
    const expression = fc.oneof(
      value.map((one) => `{{ ${one} }}`),
      value.map((one) => `{% echo ${one} %}`),
      fc.tuple(fc.constantFrom('p', 'k', 'x', 'person'), value).map(([to, one]) => `{% assign ${to} = ${one} %}`),
      name.map((one) => `{% assign k = "${one}" %}`),
      value.map((one) => `{% capture x %}{{ ${one} }}{% endcapture %}{{ x }}`),
      path.map((one) => `{% for x in ${one} %}{{ x }}{{ x[1] }}{{ x.iban }}{% endfor %}`),
      path.map((one) => `{% for x in ${one} %}{{ x }}{{ x[1] }}{% endfor %}`),
      path.map((one) => `{% tablerow x in ${one} %}{{ x | json }}{% endtablerow %}`),
      path.map((one) => `{% cycle ${one}, "a" %}`),
      path.map((one) => `{% case ${one} %}{% when ${one} %}{{ ${one} }}{% endcase %}`),
      path.map((one) => `{% liquid echo ${one} %}`),
      path.map((one) => `{% render "x", a: ${one} %}`),
    )
    const secrets = (function all(of: unknown): string[] {
      return typeof of === 'string' ? [of] : Object.values(of as object).flatMap(all)
    })(person)
    const shown = (compiled: Compiled) => {
      try {
        const made = renderer(compiled)({ person, ...around })
        return `${made.html} ${made.text} ${made.subject}`
      } catch (error) {
        if (error instanceof RenderFailure) return ''
        throw error
      }
    }
    let compiledCount = 0
    await fc.assert(
      fc.asyncProperty(fc.array(expression, { minLength: 1, maxLength: 4 }), async (expressions) => {
        const compiled = await compileText(expressions.join(' ')).catch((error: unknown) => {
          if (error instanceof Refusal && error.code === 'does_not_compile') return undefined
          throw error
        })
        if (compiled === undefined) return
        compiledCount += 1
        const seen = shown(compiled)
        for (const secret of secrets) {
          const field = secret.split('-')[1] ?? ''
          // `interests.0` and `interests.first` name a part of `interests`.
          const declared = compiled.fields.some(
            (one) => one === field || (field === 'interests' && one.startsWith('interests.')),
          )
          if (!declared) expect(seen).not.toContain(secret)
        }
      }),
      { numRuns: 300 },
    )
    expect(compiledCount).toBeGreaterThan(20)
  })
})
