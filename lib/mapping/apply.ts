import { stepsOf, type Condition, type Expression, type Mapping, type Rule } from './mapping.ts'

/** What a mapping reads from. */
export interface Reads {
  body: unknown
  /** Names in small letters. */
  headers: Readonly<Record<string, string>>
}

/** One tracking call, as an SDK would send it. */
export type Call = Record<string, unknown>

interface Place extends Reads {
  topic: string
  item?: unknown
}

/** More calls than this from one body are a mapping gone wrong. */
const mostCalls = 1000
const mostSteps = 200_000
const mostDepth = 40

/** A body that cannot become calls as the mapping says; the sentence is for people. */
export class MappingProblem extends Error {}

/**
 * The calls that a body becomes, and its topic. `known` says whether any rule speaks of it.
 * @throws MappingProblem when a rule names what the body has not: a track call without a name, more than a thousand calls
 */
export function applyMapping(mapping: Mapping, reads: Reads): { topic: string; calls: Call[]; known: boolean } {
  const walk = walker()
  const topic = mapping.topic === undefined ? '' : (textOf(walk.say(mapping.topic, { ...reads, topic: '' })) ?? '')
  const place: Place = { ...reads, topic }
  const calls: Call[] = []
  let spokenOf = false
  for (const rule of mapping.rules) {
    if (rule.topics.length > 0 && !rule.topics.includes(topic)) continue
    const items = rule.each === undefined ? [undefined] : listOf(walk.at(rule.each, place))
    for (const item of items) {
      const here = rule.each === undefined ? place : { ...place, item }
      if (!rule.when.every((one) => walk.holds(one, here))) continue
      spokenOf = true
      if (rule.type === 'nothing') continue
      calls.push(callOf(rule, here, walk))
      if (calls.length > mostCalls) throw new MappingProblem(`One body would become more than ${mostCalls} calls.`)
    }
  }
  return { topic, calls, known: spokenOf }
}

function callOf(rule: Rule, place: Place, walk: Walker): Call {
  if (rule.type === 'asItIs') {
    const call = rule.each === undefined ? place.body : place.item
    if (typeof call !== 'object' || call === null || Array.isArray(call))
      throw new MappingProblem('What should be a tracking call is no object.')
    return { ...call }
  }
  const call: Call = { type: rule.type }
  for (const [target, expression] of Object.entries(rule.fields)) {
    const value = walk.say(expression, place)
    if (value !== undefined) put(call, target.split('.'), value)
  }
  const messageId = rule.id === undefined ? undefined : textOf(walk.say(rule.id, place))
  if (rule.id !== undefined && messageId === undefined)
    throw new MappingProblem('The id of a call says nothing, so the same call could come twice.')
  if (messageId !== undefined) call['messageId'] = messageId
  const externalIds = Object.entries(rule.identifiers).flatMap(([type, expression]) => {
    const id = textOf(walk.say(expression, place))
    return id === undefined ? [] : [{ type, id, collection: 'users', encoding: 'none' }]
  })
  if (externalIds.length > 0) put(call, ['context', 'externalIds'], externalIds)
  if (rule.type === 'track' && textOf(call['event']) === undefined)
    throw new MappingProblem('A track call has no event name.')
  return call
}

/** Targets are checked by the schema: no step of them reaches a prototype. */
function put(into: Call, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path
  if (head === undefined || head === '__proto__') return
  if (rest.length === 0) {
    into[head] = value
    return
  }
  const inner = Object.hasOwn(into, head) ? into[head] : undefined
  const next: Call = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? { ...inner } : {}
  put(next, rest, value)
  into[head] = next
}

type Walker = ReturnType<typeof walker>
function walker() {
  let steps = 0
  function at(path: string, place: Place): unknown {
    if (path === 'topic') return known(place.topic)
    if (path.startsWith('header.')) return known(place.headers[path.slice(7).toLowerCase()])
    const [first = '', ...rest] = stepsOf(path)
    const root = first === 'item' ? place.item : first === 'body' ? place.body : step(place.body, first)
    return known(rest.reduce<unknown>(step, root))
  }
  function say(expression: Expression, place: Place, depth = 0): unknown {
    steps += 1
    if (steps > mostSteps || depth > mostDepth) throw new MappingProblem('The mapping takes too long on this body.')
    const inner = (one: Expression) => say(one, place, depth + 1)
    if ('path' in expression) return at(expression.path, place)
    if ('value' in expression) return expression.value
    if ('first' in expression) {
      for (const one of expression.first) {
        const value = inner(one)
        if (value !== undefined && value !== '') return value
      }
      return undefined
    }
    if ('join' in expression) {
      const parts = expression.join.map((one) => textOf(inner(one)))
      return parts.includes(undefined) ? undefined : known(parts.join(expression.with ?? ''))
    }
    if ('number' in expression) return numberOf(inner(expression.number))
    if ('absolute' in expression) {
      const number = numberOf(inner(expression.absolute))
      return number === undefined ? undefined : Math.abs(number)
    }
    if ('sum' in expression) return sumOf(expression.sum.map(inner))
    if ('sumOf' in expression) {
      const { of, when = [] } = expression
      const items = listOf(at(expression.sumOf, place)).map((item) => ({ ...place, item }))
      return sumOf(
        items
          .filter((here) => when.every((one) => holds(one, here, depth + 1)))
          .map((here) => say(of, here, depth + 1)),
      )
    }
    if ('time' in expression) return timeOf(inner(expression.time))
    if ('text' in expression) return textOf(inner(expression.text))
    if ('lower' in expression) return textOf(inner(expression.lower))?.toLowerCase()
    if ('choose' in expression) {
      const word = textOf(inner(expression.choose))
      if (word !== undefined && Object.hasOwn(expression.from, word)) return expression.from[word]
      return expression.otherwise === undefined ? undefined : inner(expression.otherwise)
    }
    if ('list' in expression)
      return listOf(at(expression.list, place)).map((item) =>
        Object.fromEntries(
          Object.entries(expression.each).flatMap(([name, one]) => {
            const value = name === '__proto__' ? undefined : say(one, { ...place, item }, depth + 1)
            return value === undefined ? [] : [[name, value]]
          }),
        ),
      )
    const values = listOf(at(expression.pluck, place)).map((item) => say(expression.of, { ...place, item }, depth + 1))
    return known(values.filter((value) => value !== undefined))
  }
  function holds({ that, is, isNot, exists }: Condition, place: Place, depth = 0): boolean {
    const value = say(that, place, depth)
    const word = textOf(value)
    if (exists !== undefined && (value !== undefined) !== exists) return false
    if (is !== undefined && (word === undefined || !is.some((one) => String(one) === word))) return false
    return isNot === undefined || word === undefined || !isNot.some((one) => String(one) === word)
  }
  return { at, say, holds }
}

function step(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  if (Array.isArray(value) && !/^\d+$/.test(key)) return undefined
  return (value as Record<string, unknown>)[key]
}
/** null, '' and an empty list say nothing. */
const known = (value: unknown): unknown =>
  value === null || value === '' || (Array.isArray(value) && value.length === 0) ? undefined : value
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value.trim()
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** Digits that a double holds exactly. */
const exactDigits = 15
/** Decimal text as a number, and nothing rather than a wrong amount: "1.299,00" and "1e999" are none. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  const text = textOf(value)
  if (text === undefined || !/^-?\d+(\.\d+)?$/.test(text)) return undefined
  const digits = text
    .replace(/^-?0*/, '')
    .replace(/(\.\d*?)0+$/, '$1')
    .replace('.', '')
  return digits.length > exactDigits ? undefined : Number(text)
}

/** Added as whole numbers of the smallest place, so that 0.1 and 0.2 are 0.3. */
function sumOf(values: readonly unknown[]): number | undefined {
  const texts = values.flatMap((value) => {
    const number = numberOf(value)
    if (number === undefined) return []
    const text = typeof value === 'number' ? String(value) : (textOf(value) ?? '')
    return /^-?\d+(\.\d+)?$/.test(text) ? [text] : []
  })
  if (texts.length === 0) return undefined
  const places = Math.max(...texts.map((text) => (text.split('.')[1] ?? '').length))
  const total = texts.reduce((sum, text) => {
    const [whole = '0', part = ''] = text.split('.')
    return sum + BigInt(whole + part.padEnd(places, '0'))
  }, 0n)
  const sign = total < 0n ? '-' : ''
  const digits = String(total < 0n ? -total : total).padStart(places + 1, '0')
  return Number(`${sign}${digits.slice(0, digits.length - places)}.${digits.slice(digits.length - places)}0`)
}

function timeOf(value: unknown): string | undefined {
  if (typeof value === 'number') return instant(value * 1000)
  const text = textOf(value)
  if (text === undefined) return undefined
  if (/^\d{9,11}$/.test(text)) return instant(Number(text) * 1000)
  if (!/^\d{4}-\d{2}-\d{2}([T ]|$)/.test(text)) return undefined
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/i.test(text) || text.length === 10
  return instant(Date.parse(hasZone ? text : `${text.replace(' ', 'T')}Z`))
}
const instant = (ms: number) => (Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : undefined)
