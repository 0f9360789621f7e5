import { describe, expect, it } from 'vitest'
import { applyMapping } from '../../../lib/mapping/apply.ts'
import { Mapping } from '../../../lib/mapping/mapping.ts'
import { presets } from '../server/presets/index.ts'
import { pathsOf } from './body-paths.ts'
import {
  formOf,
  isSame,
  mappingOf,
  noField,
  problemsOf,
  triedOf,
  valueOf,
  withMoved,
  withNewRule,
  withRow,
  withType,
  type Form,
} from './rule-form.ts'
import { conditionsInWords, inWords } from './rule-words.ts'

const headers = {}
const answer = {
  form: 'newsletter',
  sent_at: '2026-11-24T09:30:00Z',
  id: 4711,
  answers: { 'E-Mail': 'ÅSA@Fjörd.example', worth: '199.50', 'Your name': 'Åsa', wants: ['news', 'offers'] },
  items: [{ sku: 'A-1' }, { sku: 'B-2', gift: true }],
  topic: 'mountains',
  note: '',
  nothing: null,
}

describe('a mapping as a form', () => {
  for (const { name, mapping } of presets)
    it(`says the same of the preset ${name} when it is opened and kept, to the order of its fields`, () => {
      const again = mappingOf(formOf(mapping))
      expect(again).toEqual(mapping)
      expect(Object.entries(again.rules).map(([, rule]) => Object.keys(rule.fields))).toEqual(
        mapping.rules.map((rule) => Object.keys(rule.fields)),
      )
      expect(problemsOf(formOf(mapping))).toEqual([])
    })

  it('keeps every operator that it has no words for exactly as it was written', () => {
    const mapping = Mapping.parse({
      topic: { first: [{ path: 'kind' }, { value: 'form' }] },
      rules: [
        {
          topics: ['a', 'b'],
          when: [{ that: { path: 'test' }, isNot: [true], exists: false }],
          each: 'lines',
          type: 'track',
          id: { join: [{ path: 'a' }, { path: 'b' }], with: '/' },
          fields: {
            event: { choose: { path: 'kind' }, from: { a: 'A' }, otherwise: { value: 'B' } },
            anonymousId: { join: [{ value: 'x-' }, { path: 'id' }] },
            name: { value: '' },
            messageId: { path: 'id' },
            'properties.none': { value: null },
            'properties.five': { value: 5 },
            'properties.yes': { value: true },
            'properties.sum': { sum: [{ path: 'a' }, { path: 'b' }] },
            'properties.sumOf': {
              sumOf: 'lines',
              of: { path: 'item.a' },
              when: [{ that: { path: 'item.b' }, is: [1] }],
            },
            'properties.abs': { absolute: { path: 'a' } },
            'properties.list': { list: 'lines', each: { a: { path: 'item.a' } } },
            'properties.pluck': { pluck: 'lines', of: { path: 'item.a' } },
            'properties.deep': { number: { first: [{ path: 'a' }, { value: '0' }] } },
            'properties.one': { first: [{ path: 'a' }] },
            'context.page.url': { path: 'url' },
          },
          identifiers: { email: { lower: { first: [{ path: 'a' }, { path: 'b' }] } } },
        },
        // What a kind of call has no use for stays too, as long as nobody chooses another kind.
        {
          topics: [],
          when: [],
          type: 'nothing',
          id: { path: 'id' },
          fields: { event: { path: 'a' } },
          identifiers: {},
        },
      ],
    })
    expect(mappingOf(formOf(mapping))).toEqual(mapping)
    const other = formOf(mapping)
    const changed = withNewRule(other, [])
    expect(mappingOf(changed).rules.slice(0, 2)).toEqual(mapping.rules)
  })

  it('tells what it can say from what it cannot', () => {
    expect(valueOf({ time: { first: [{ path: 'a' }, { path: 'b' }] } })).toEqual({
      kind: 'field',
      how: 'time',
      paths: ['a', 'b'],
      first: true,
    })
    expect(valueOf({ value: 'news' })).toEqual({ kind: 'fixed', text: 'news' })
    expect(valueOf({ number: { absolute: { path: 'a' } } }).kind).toBe('said')
  })

  it('makes a call of a form without a line of JSON', () => {
    const { paths } = pathsOf([JSON.stringify(answer)])
    const begun = withNewRule({ topic: { path: '' }, rules: [] }, paths)
    expect(problemsOf(begun).map(({ says }) => says)).toEqual(['Rule 1: the event has no name yet.'])
    const [rule] = begun.rules
    if (rule === undefined) throw new Error('no rule')
    const named = {
      ...rule,
      rows: rule.rows.map((row) =>
        row.name === 'event' ? { ...row, value: { kind: 'fixed' as const, text: 'Form Sent' } } : row,
      ),
    }
    const worth = withRow(named, {
      part: 'field',
      name: 'properties.worth',
      value: { kind: 'field', how: 'number', paths: ['answers.value', 'answers.worth'], first: false },
    })
    const whole = withRow(worth, { part: 'id', name: 'id', value: { kind: 'id', before: 'form-', path: 'id' } })
    const user = withRow(whole, { part: 'whose', name: 'userId', value: { ...noField, paths: ['id'] } })
    const form: Form = { ...begun, rules: [user] }
    expect(problemsOf(form)).toEqual([])
    expect(applyMapping(Mapping.parse(mappingOf(form)), { body: answer, headers }).calls).toEqual([
      {
        type: 'track',
        event: 'Form Sent',
        messageId: 'form-4711',
        userId: 4711,
        properties: { worth: 199.5 },
        context: { externalIds: [{ type: 'email', id: 'åsa@fjörd.example', collection: 'users', encoding: 'none' }] },
      },
    ])
  })

  it('a rule that is not whole does not keep the others, or what the message is about, from being tried', () => {
    const { rules } = formOf({
      rules: [{ topics: [], when: [], type: 'identify', fields: {}, identifiers: { email: { path: 'mail' } } }],
    })
    const tried = (of: Form) => applyMapping(Mapping.parse(triedOf(of)), { body: answer, headers })
    const topic = { path: 'form' }
    expect(tried(withNewRule({ topic, rules }, []))).toMatchObject({
      topic: 'newsletter',
      calls: [{ type: 'identify' }],
    })
    expect(tried(withNewRule({ topic, rules: [] }, []))).toMatchObject({ topic: 'newsletter', calls: [] })
    expect(tried({ topic: { path: 'a b' }, rules })).toMatchObject({ topic: '' })
  })

  it('says what is missing, and what is there twice', () => {
    const form = withNewRule({ topic: { path: 'a b' }, rules: [] }, [])
    const [rule] = form.rules
    if (rule === undefined) throw new Error('no rule')
    const email = withRow(rule, { part: 'whose', name: 'email', value: noField })
    const odd = withRow(email, { part: 'whose', name: 'Kund Nr', value: { ...noField, paths: ['x'] } })
    const worse = withRow(odd, { part: 'field', name: 'properties.for me', value: { ...noField, paths: ['a..b'] } })
    expect(problemsOf({ ...form, rules: [worse] }).map(({ says }) => says)).toEqual([
      '“a b” is no field: write it as customer.email.',
      'Rule 1: “email” has no field yet.',
      'Rule 1: the event has no name yet.',
      'Rule 1: “email” is there twice.',
      'Rule 1: “email” has no field yet.',
      'Rule 1: “Kund Nr” is no kind of identifier: small letters, digits and _, such as customer_number.',
      'Rule 1: “for me” is no name: letters, digits and _, such as order_id.',
      'Rule 1: “a..b” is no field: write it as customer.email.',
    ])
    expect(problemsOf({ topic: { path: '' }, rules: [] })).toHaveLength(1)
  })

  it('gives back what rested while another kind of call was chosen', () => {
    const mapping = presets.find(({ name }) => name === 'woocommerce')?.mapping
    const [rule] = formOf(mapping ?? { rules: [] }).rules
    if (rule === undefined) throw new Error('no rule')
    const asPerson = withType(rule, 'identify')
    const [said] = mappingOf({ topic: { path: '' }, rules: [asPerson] }).rules
    expect(said?.fields['event']).toBeUndefined()
    expect(said?.fields['traits.order_id']).toEqual({ text: { path: 'id' } })
    const [none] = mappingOf({ topic: { path: '' }, rules: [withType(asPerson, 'nothing')] }).rules
    expect({ fields: none?.fields, identifiers: none?.identifiers, id: none?.id }).toEqual({
      fields: {},
      identifiers: {},
    })
    expect(withType(withType(asPerson, 'nothing'), 'track')).toEqual(rule)
  })

  it('moves a rule and stops at the ends', () => {
    const form = formOf({
      rules: ['a', 'b', 'c'].map((topic) => ({
        topics: [topic],
        when: [],
        type: 'nothing',
        fields: {},
        identifiers: {},
      })),
    })
    const order = (of: Form) => of.rules.map(({ topics }) => topics[0]).join('')
    expect([order(withMoved(form, 0, 1)), order(withMoved(form, 2, -1)), order(withMoved(form, 0, -1))]).toEqual([
      'bac',
      'acb',
      'abc',
    ])
  })

  it('two mappings are the same in whatever order their fields stand', () => {
    const rule = { topics: [], when: [], type: 'asItIs' as const, fields: {} }
    const [a, b] = [{ path: 'a' }, { path: 'b' }]
    expect(
      isSame({ rules: [{ ...rule, identifiers: { a, b } }] }, { rules: [{ identifiers: { b, a }, ...rule }] }),
    ).toBe(true)
    expect(isSame({ rules: [{ ...rule, identifiers: { a, b } }] }, { rules: [{ ...rule, identifiers: { a } }] })).toBe(
      false,
    )
  })
})

describe('the fields of the last bodies', () => {
  it('each stands with what a body says there, and every one can be chosen: a rule reads the same', () => {
    const { paths, unsayable } = pathsOf([JSON.stringify(answer)], 'items')
    expect(paths.slice(0, 3)).toEqual([
      { path: 'item.sku', sample: 'A-1' },
      { path: 'item.gift', sample: 'true' },
      { path: 'form', sample: 'newsletter' },
    ])
    expect(paths).toContainEqual({ path: 'body.topic', sample: 'mountains' })
    expect(paths).toContainEqual({ path: 'answers.wants', sample: 'news, offers' })
    expect(paths.map(({ path }) => path)).not.toContain('note')
    expect(paths).toContainEqual({ path: 'answers["Your name"]', sample: 'Åsa' })
    expect(unsayable).toEqual([])
    for (const { path, sample } of paths.filter((one) => !one.path.startsWith('item.'))) {
      const [call] = applyMapping(
        Mapping.parse({
          rules: [{ topics: [], when: [], type: 'identify', fields: { 'traits.it': { path } }, identifiers: {} }],
        }),
        { body: answer, headers },
      ).calls
      const { it: read } = (call?.['traits'] ?? {}) as { it?: unknown }
      expect(Array.isArray(read) ? read.join(', ') : String(read)).toBe(sample)
    }
  })

  it('the newest body gives the sample, an older one what the newest has not', () => {
    expect(pathsOf(['{"a":"new"}', 'no JSON', '{"a":"old","b":2}']).paths).toEqual([
      { path: 'a', sample: 'new' },
      { path: 'b', sample: '2' },
    ])
  })

  it('a body that was cut off is read as far as it goes', () => {
    expect(pathsOf(['{"a":{"b":"x, {y","c":[{"d":1},{"d":2,"e":"cut o']).paths).toEqual([
      { path: 'a.b', sample: 'x, {y' },
      { path: 'a.c[0].d', sample: '1' },
      { path: 'a.c[1].d', sample: '2' },
    ])
    expect(pathsOf(['{"a"', '']).paths).toEqual([])
  })

  it('a list at the top is reached from the body', () => {
    expect(pathsOf(['[{"a":1}]']).paths).toEqual([{ path: 'body[0].a', sample: '1' }])
  })

  it('a body of ten thousand fields does not offer them all', () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_none, at) => [`f${String(at)}`, at]))
    expect(pathsOf([JSON.stringify(many)]).paths).toHaveLength(500)
  })
})

describe('what the form cannot say, in words', () => {
  it.each([
    [{ list: 'lines', each: { sku: { path: 'item.sku' } } }, 'a list of sku for each of lines'],
    [{ sumOf: 'lines', of: { path: 'item.total' } }, 'the sum of item.total over lines'],
    [{ choose: { path: 'state' }, from: { on: 'Given' } }, 'what state stands for (on → “Given”)'],
    [{ join: [{ value: 'order-' }, { path: 'id' }] }, '“order-” + id in one'],
    [{ number: { first: [{ path: 'a' }, { path: 'b' }] } }, 'the first of a, b as a number'],
  ])('%j', (expression, words) => {
    expect(inWords(expression)).toBe(words)
  })
  it('conditions', () => {
    expect(
      conditionsInWords([
        { that: { path: 'test' }, isNot: [true] },
        { that: { path: 'status' }, is: ['paid', 'done'], exists: true },
      ]),
    ).toBe('test is not true and status is there and status is paid or done')
  })
})
