import { Expression, Mapping, type Condition, type Rule } from '../../../lib/mapping/mapping.ts'
import type { BodyPath } from './body-paths.ts'

/**
 * A mapping as a form. Whatever the form has no words for is carried along as it was written, so that opening, changing and keeping a mapping loses
 * nothing: `mappingOf(formOf(mapping))` says the same as `mapping`.
 */

export type RuleType = Rule['type']
/** What is done with a field before it is said. */
export type How = 'asItIs' | 'number' | 'time' | 'lower' | 'text'
export type FormValue =
  | { kind: 'fixed'; text: string }
  /** The first of `paths` of which something is known; `first`: it is written as such even when it is one. */
  | { kind: 'field'; how: How; paths: string[]; first: boolean }
  /** Of ids only: words before a field, so that two kinds of call about one thing are two. */
  | { kind: 'id'; before: string; path: string }
  /** More than the form can say. */
  | { kind: 'said'; expression: Expression }

/** One line of a rule. `name` is the type of an identifier, or where the field of a call stands (`properties.worth`, `userId`). */
export interface Row {
  key: number
  part: 'id' | 'whose' | 'field'
  name: string
  value: FormValue
  /** The kind of call that was chosen has no use for it; it comes back with the kind that has, until the mapping is kept. */
  idle: boolean
}
export interface FormRule {
  key: number
  topics: string[]
  type: RuleType
  rows: Row[]
  when: Condition[]
  each: string | undefined
}
export interface Form {
  /** What says what a body is about; an empty path when nothing does. */
  topic: { path: string } | { said: Expression }
  rules: FormRule[]
}

/** Identifiers that are fields of the call itself, not of its `context.externalIds`. */
export const callIds: readonly string[] = ['userId', 'anonymousId', 'groupId', 'previousId']

const fieldOf = (how: How, of: Expression): FormValue | undefined => {
  if ('path' in of) return { kind: 'field', how, paths: [of.path], first: false }
  if (!('first' in of)) return undefined
  const paths = of.first.flatMap((one) => ('path' in one ? [one.path] : []))
  return paths.length === of.first.length ? { kind: 'field', how, paths, first: true } : undefined
}

/** What the form can say of an expression; `said` when it cannot say it exactly. */
export function valueOf(expression: Expression): FormValue {
  const said: FormValue = { kind: 'said', expression }
  if ('value' in expression)
    return typeof expression.value === 'string' && expression.value !== ''
      ? { kind: 'fixed', text: expression.value }
      : said
  if ('number' in expression) return fieldOf('number', expression.number) ?? said
  if ('time' in expression) return fieldOf('time', expression.time) ?? said
  if ('lower' in expression) return fieldOf('lower', expression.lower) ?? said
  if ('text' in expression) return fieldOf('text', expression.text) ?? said
  return fieldOf('asItIs', expression) ?? said
}
function idOf(expression: Expression): FormValue {
  if ('path' in expression) return { kind: 'id', before: '', path: expression.path }
  if ('join' in expression && expression.with === undefined && expression.join.length === 2) {
    const [before, of] = expression.join
    if (before !== undefined && 'value' in before && typeof before.value === 'string' && before.value !== '')
      if (of !== undefined && 'path' in of) return { kind: 'id', before: before.value, path: of.path }
  }
  return { kind: 'said', expression }
}

/** Undefined while nothing is chosen. */
export function expressionOf(value: FormValue): Expression | undefined {
  if (value.kind === 'said') return value.expression
  if (value.kind === 'fixed') return value.text === '' ? undefined : { value: value.text }
  if (value.kind === 'id') {
    if (value.path === '') return undefined
    return value.before === '' ? { path: value.path } : { join: [{ value: value.before }, { path: value.path }] }
  }
  const paths = value.paths.filter((path) => path !== '').map((path) => ({ path }))
  const [only] = paths
  if (only === undefined) return undefined
  const of: Expression = paths.length > 1 || value.first ? { first: paths } : only
  return wrapped[value.how](of)
}
const wrapped: Record<How, (of: Expression) => Expression> = {
  asItIs: (of) => of,
  number: (of) => ({ number: of }),
  time: (of) => ({ time: of }),
  lower: (of) => ({ lower: of }),
  text: (of) => ({ text: of }),
}

export function formOf(mapping: Mapping): Form {
  const { topic } = mapping
  return {
    topic: topic === undefined ? { path: '' } : 'path' in topic ? { path: topic.path } : { said: topic },
    rules: mapping.rules.map((rule, key) => ({
      key,
      topics: rule.topics,
      type: rule.type,
      when: rule.when,
      each: rule.each,
      rows: [
        ...(rule.id === undefined ? [] : [{ part: 'id' as const, name: 'id', value: idOf(rule.id) }]),
        ...Object.entries(rule.identifiers).map(([name, of]) => ({ part: 'whose' as const, name, value: valueOf(of) })),
        ...Object.entries(rule.fields).map(([name, of]) => ({
          part: callIds.includes(name) ? ('whose' as const) : ('field' as const),
          name,
          value: valueOf(of),
        })),
      ].map((row, at) => ({ ...row, key: at, idle: false })),
    })),
  }
}

/** What the form says so far; a row without a name or a field is not said yet (`problemsOf` names it). */
export function mappingOf(form: Form): Mapping {
  const topic = 'said' in form.topic ? form.topic.said : form.topic.path === '' ? undefined : { path: form.topic.path }
  return { ...(topic === undefined ? {} : { topic }), rules: form.rules.map(ruleOf) }
}
/** What can be tried while the rest is written: without the rules that are not whole, which would stop the others. */
export function triedOf(form: Form): Mapping {
  const topic = 'path' in form.topic && !isPath(form.topic.path) ? { path: '' } : form.topic
  const mapping = mappingOf({ topic, rules: form.rules.filter((rule) => wrongsOf(rule).length === 0) })
  if (mapping.rules.length > 0) return mapping
  return { ...mapping, rules: [{ topics: [], when: [], type: 'nothing', fields: {}, identifiers: {} }] }
}
function ruleOf({ topics, type, rows, when, each }: FormRule): Rule {
  const said = rows.flatMap(({ part, name, value, idle }) => {
    const expression = expressionOf(value)
    return idle || name === '' || expression === undefined ? [] : [{ part, name, expression }]
  })
  const id = said.find((row) => row.part === 'id')?.expression
  const isIdentifier = (row: { part: string; name: string }) => row.part === 'whose' && !callIds.includes(row.name)
  return {
    topics,
    when,
    ...(each === undefined ? {} : { each }),
    type,
    ...(id === undefined ? {} : { id }),
    fields: Object.fromEntries(
      said.filter((row) => row.part !== 'id' && !isIdentifier(row)).map((row) => [row.name, row.expression]),
    ),
    identifiers: Object.fromEntries(said.filter(isIdentifier).map((row) => [row.name, row.expression])),
  }
}

/** Whether two mappings say the same, in whatever order their fields stand. */
export const isSame = (one: Mapping, other: Mapping): boolean =>
  JSON.stringify(one, inOrder) === JSON.stringify(other, inOrder)
const inOrder = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value

/** Where the fields of a kind of call stand when nothing else is said. */
const homeOf = (type: RuleType): string => (type === 'identify' || type === 'group' ? 'traits.' : 'properties.')
/** The name as people see it: without `properties.` where that goes without saying. */
export const shownName = (type: RuleType, name: string): string =>
  name.startsWith(homeOf(type)) ? name.slice(homeOf(type).length) : name
export const fullName = (type: RuleType, shown: string): string =>
  shown === '' || /^(properties|traits|context)[.]/.test(shown) ? shown : `${homeOf(type)}${shown}`
/** Whether a row is one of the properties or traits, whose name a person gives. */
export const isNamedField = (row: Row): boolean =>
  row.part === 'field' && (row.name === '' || /^(properties|traits|context)[.]/.test(row.name))

/** Whether this kind of call has anything to fill in. */
export const isMade = (type: RuleType): boolean => type !== 'nothing' && type !== 'asItIs'
const isOfUse = (type: RuleType, row: Row): boolean =>
  isMade(type) && (row.name !== 'event' || row.part !== 'field' || type === 'track')

/** Another kind of call: properties become traits and back, and what it has no use for rests. */
export function withType(rule: FormRule, type: RuleType): FormRule {
  const [from, to] = [homeOf(rule.type), homeOf(type)]
  const rows = rule.rows.map((row) => ({
    ...row,
    name: row.part === 'field' && row.name.startsWith(from) ? `${to}${row.name.slice(from.length)}` : row.name,
    idle: !isOfUse(type, row),
  }))
  const event = type === 'track' && !rows.some(({ name, part }) => part === 'field' && name === 'event')
  const whole = { ...rule, type, rows }
  return event ? withRow(whole, { part: 'field', name: 'event', value: { kind: 'fixed', text: '' } }) : whole
}

const nextKey = (of: readonly { key: number }[]) => Math.max(-1, ...of.map(({ key }) => key)) + 1
export const withRow = (rule: FormRule, row: Omit<Row, 'key' | 'idle'>): FormRule => ({
  ...rule,
  rows: [...rule.rows, { ...row, key: nextKey(rule.rows), idle: false }],
})
export const noField: Extract<FormValue, { kind: 'field' }> = {
  kind: 'field',
  how: 'asItIs',
  paths: [''],
  first: false,
}

/** A rule to begin with: an event about anything, of the person whose address stands in the bodies, where one does. */
export function withNewRule(form: Form, paths: readonly BodyPath[]): Form {
  const address = paths.find(({ path, sample }) => /e-?mail/i.test(path) && sample.includes('@'))?.path
  const begun = withType(
    {
      key: nextKey(form.rules),
      topics: [],
      type: 'track',
      when: [],
      each: undefined,
      rows: [
        {
          key: 0,
          part: 'whose',
          name: 'email',
          value: { kind: 'field', how: 'lower', paths: [address ?? ''], first: false },
          idle: false,
        },
      ],
    },
    'track',
  )
  return { ...form, rules: [...form.rules, begun] }
}

/** A rule that was taken out, at its place again or at the end. */
export function withRule(form: Form, rule: FormRule, at: number): Form {
  const rules = [...form.rules]
  rules.splice(at, 0, { ...rule, key: nextKey(form.rules) })
  return { ...form, rules }
}

/** @param by how many places, down when positive */
export function withMoved(form: Form, key: number, by: number): Form {
  const from = form.rules.findIndex((rule) => rule.key === key)
  const rules = [...form.rules]
  const [rule] = rules.splice(from, 1)
  if (rule !== undefined) rules.splice(Math.max(0, from + by), 0, rule)
  return { ...form, rules }
}

export interface FormProblem {
  /** The rule's key; undefined when it is about the whole. */
  rule: number | undefined
  says: string
}
const isPath = (path: string) => Expression.safeParse({ path }).success

/** What stands in the way of keeping it, in sentences. */
export function problemsOf(form: Form): FormProblem[] {
  const problems: FormProblem[] = []
  if (form.rules.length === 0) problems.push({ rule: undefined, says: 'There has to be one rule at least.' })
  if ('path' in form.topic && form.topic.path !== '' && !isPath(form.topic.path))
    problems.push({ rule: undefined, says: `“${form.topic.path}” is no field: write it as customer.email.` })
  for (const [at, rule] of form.rules.entries())
    for (const says of wrongsOf(rule)) problems.push({ rule: rule.key, says: `Rule ${String(at + 1)}: ${says}` })
  if (problems.length > 0) return problems
  const parsed = Mapping.safeParse(mappingOf(form))
  const [issue] = parsed.success ? [] : parsed.error.issues
  return issue === undefined ? [] : [{ rule: undefined, says: `${issue.path.join('.')}: ${issue.message}` }]
}

function wrongsOf(rule: FormRule): string[] {
  const wrongs: string[] = []
  const seen = new Set<string>()
  const rows = rule.rows.filter((row) => !row.idle)
  if (rule.type === 'track' && !rows.some((row) => row.part === 'field' && row.name === 'event'))
    wrongs.push('the event has no name yet.')
  for (const { part, name, value } of rows) {
    const shown = shownName(rule.type, name)
    const called = part === 'field' && name === 'event' ? 'the event' : part === 'id' ? 'the id' : `“${shown}”`
    if (name === '') wrongs.push('a line has no name yet.')
    else if (seen.has(`${part} ${name}`)) wrongs.push(`${called} is there twice.`)
    else if (part === 'whose' && !callIds.includes(name) && !/^[a-z][a-z0-9_]{0,39}$/.test(name))
      wrongs.push(`${called} is no kind of identifier: small letters, digits and _, such as customer_number.`)
    else if (part === 'field' && name.includes('.') && !/^(properties|traits|context)([.][A-Za-z_][\w-]*)+$/.test(name))
      wrongs.push(`${called} is no name: letters, digits and _, such as order_id.`)
    seen.add(`${part} ${name}`)
    if (expressionOf(value) === undefined)
      wrongs.push(
        value.kind === 'fixed'
          ? called === 'the event'
            ? 'the event has no name yet.'
            : `${called} has no text yet.`
          : `${name === '' ? 'a line' : called} has no field yet.`,
      )
    const paths = value.kind === 'field' ? value.paths : value.kind === 'id' ? [value.path] : []
    for (const path of paths)
      if (path !== '' && !isPath(path)) wrongs.push(`“${path}” is no field: write it as customer.email.`)
  }
  return wrongs
}
