import {
  hasName,
  labelOfEvent,
  propertyTypes,
  type Plan,
  type PlannedEvent,
  type PlannedProperty,
} from '../contract.ts'

/** A property, or an object that has planned ones in it. */
interface Node {
  property: PlannedProperty | undefined
  inside: Map<string, Node>
}

/**
 * A typed TypeScript client of a plan: one function per planned event over any object that has Segment's `track`, `identify`, `page`, … A property that
 * is not planned, missing or of another type does not compile.
 */
export function clientOf(sourceName: string, plan: Plan): { fileName: string; text: string } {
  const { content } = plan
  const open = content.unplannedProperties === 'allowed'
  const taken = new Set<string>()
  const calls = content.events
    .filter((event) => event.type !== 'alias')
    .map((event) => ({ event, name: unique(camel(event), taken) }))
  const kinds = [...new Set(calls.map(({ event }) => event.type))]
  const text = `// Made by Interlock from version ${String(plan.version)} of the tracking plan of ${JSON.stringify(sourceName)}.
// Not to be edited: change the plan and make it again.

/** What it speaks through: the SDKs of Segment and RudderStack have these. */
export interface Analytics {
${kinds.map((kind) => `  ${signatures[kind]}`).join('\n')}
}

${calls.map(({ event, name }) => typeOf(event, pascal(name), open)).join('\n\n')}

/** One function for each planned event. */
export function createTracking(analytics: Analytics) {
  return {
${calls.map(({ event, name }) => functionOf(event, name, open)).join('\n')}
  }
}
`
  const file = sourceName
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .toLowerCase()
  return { fileName: `${file === '' ? 'source' : file}-tracking.ts`, text }
}

const signatures: Readonly<Record<PlannedEvent['type'], string>> = {
  track: 'track(event: string, properties?: Record<string, unknown>): unknown',
  page: 'page(name: string, properties?: Record<string, unknown>): unknown',
  screen: 'screen(name: string, properties?: Record<string, unknown>): unknown',
  identify: 'identify(userId: string, traits?: Record<string, unknown>): unknown',
  group: 'group(groupId: string, traits?: Record<string, unknown>): unknown',
  alias: '',
}

function functionOf(event: PlannedEvent, name: string, open: boolean): string {
  const type = pascal(name)
  const optional = !event.properties.some((property) => property.required)
  const what = event.type === 'identify' || event.type === 'group' ? 'traits' : 'properties'
  const takes = event.properties.length > 0 || open
  const argument = takes ? `${what}: ${type}${optional ? ' = {}' : ''}` : ''
  const hand = takes ? `, ${what}` : ''
  const before = hasName(event.type)
    ? event.name === ''
      ? { takes: 'name: string', hand: 'name' }
      : { takes: '', hand: JSON.stringify(event.name) }
    : event.type === 'identify'
      ? { takes: 'userId: string', hand: 'userId' }
      : { takes: 'groupId: string', hand: 'groupId' }
  const says = [
    event.description === '' ? labelOfEvent(event) : event.description,
    ...(event.status === 'deprecated' ? ['@deprecated by the tracking plan'] : []),
  ]
  return `${comment(says, '    ')}
    ${name}(${[before.takes, argument].filter((one) => one !== '').join(', ')}) {
      return analytics.${event.type}(${before.hand}${hand})
    },`
}

function typeOf(event: PlannedEvent, name: string, open: boolean): string {
  const root: Node = { property: undefined, inside: new Map() }
  for (const property of event.properties) {
    let at = root
    for (const part of property.name.split('.')) {
      const next = at.inside.get(part) ?? { property: undefined, inside: new Map<string, Node>() }
      at.inside.set(part, next)
      at = next
    }
    at.property = property
  }
  return `/** What ${oneLine(labelOfEvent(event))} carries. */
export type ${name} = ${shapeOf(root, open, '')}`
}

const isRequired = (node: Node): boolean =>
  node.property?.required === true || [...node.inside.values()].some(isRequired)

function shapeOf(node: Node, open: boolean, indent: string): string {
  const inner = `${indent}  `
  const lines = [...node.inside].map(([name, one]) => {
    const { property } = one
    const says =
      property === undefined
        ? ''
        : `${comment(
            [
              property.meaning === '' ? property.name : property.meaning,
              ...(typesByItself.has(property.type) ? [] : [`Must be ${propertyTypes[property.type]}.`]),
              ...boundsOf(property),
              ...(property.purpose === '' ? [] : [`For: ${property.purpose}`]),
              ...(property.sensitivity < 2 ? [] : [`Sensitivity ${String(property.sensitivity)} of 4.`]),
            ],
            inner,
          )}\n`
    const type = one.inside.size > 0 ? shapeOf(one, open, inner) : typeScriptOf(property)
    return `${says}${inner}${JSON.stringify(name)}${isRequired(one) ? '' : '?'}: ${type}`
  })
  if (open) lines.push(`${inner}[other: string]: unknown`)
  return lines.length === 0 ? 'Record<string, never>' : `{\n${lines.join('\n')}\n${indent}}`
}

const typesByItself = new Set(['string', 'number', 'boolean', 'array', 'object'])

function boundsOf({ type, min, max }: PlannedProperty): string[] {
  if (min === undefined && max === undefined) return []
  const what = type === 'string' ? ' characters' : type === 'array' ? ' elements' : ''
  return [
    [min === undefined ? '' : `at least ${String(min)}`, max === undefined ? '' : `at most ${String(max)}`]
      .filter((one) => one !== '')
      .join(', ')
      .replace(/^a/, 'A') + `${what}.`,
  ]
}

function typeScriptOf(property: PlannedProperty | undefined): string {
  if (property?.values !== undefined) return property.values.map((value) => JSON.stringify(value)).join(' | ')
  switch (property?.type) {
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'array':
      return 'readonly unknown[]'
    case 'object':
    case undefined:
      return 'Record<string, unknown>'
    default:
      return 'string'
  }
}

const oneLine = (text: string) => text.replaceAll('*/', '* /').replace(/\s+/g, ' ').trim()
function comment(says: readonly string[], indent: string): string {
  const lines = says.map(oneLine)
  return lines.length === 1
    ? `${indent}/** ${lines[0] ?? ''} */`
    : `${indent}/**\n${lines.map((line) => `${indent} * ${line}`).join('\n')}\n${indent} */`
}

/** `Order Completed` → `orderCompleted`, page `Checkout` → `pageCheckout`. */
function camel(event: PlannedEvent): string {
  const words = `${event.type === 'track' ? '' : `${event.type} `}${event.name}`
    .split(/[^\p{ID_Continue}]+/u)
    .filter((word) => word !== '')
  const name = words
    .map((word, at) => {
      const first = firstOf(word)
      return (at === 0 ? first.toLowerCase() : first.toUpperCase()) + word.slice(first.length)
    })
    .join('')
  return /^\p{ID_Start}/u.test(name) ? name : `event${name}`
}
/** Its first character, which may be two code units. */
const firstOf = (text: string) => /^./su.exec(text)?.[0] ?? ''
const pascal = (name: string) => {
  const first = firstOf(name)
  const type = first.toUpperCase() + name.slice(first.length)
  return type === 'Analytics' || type === 'Record' ? `${type}Event` : type
}
function unique(name: string, taken: Set<string>): string {
  let one = name
  // By type name, so that `a` and `A` do not make one type.
  for (let nr = 2; taken.has(pascal(one)); nr++) one = `${name}${String(nr)}`
  taken.add(pascal(one))
  return one
}
