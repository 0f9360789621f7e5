import { TemplateFault } from './fault.ts'
import type { Parsed } from './liquid.ts'
import { everyNode, pathsOf } from './paths.ts'

/** What the product puts in; a template cannot give these names to something else. */
const loops = new Set(['forloop', 'tablerowloop'])
const reserved = new Set(['person', 'topic', 'unsubscribe', ...loops])
const ofLists = new Set(['first', 'last', 'size'])

/**
 * The fields of the person that a template shows or asks about: `firstName`, `address.city`. Approval rests on this list, so whatever could read a field
 * without naming it is refused: the person as a whole, a field whose name is worked out, a part of something that was read as a whole.
 * @throws TemplateFault
 */
export function fieldsRead(...parsed: Parsed[]): string[] {
  const fields = new Set<string>()
  for (const nodes of parsed) {
    for (const name of namesMade(nodes))
      if (reserved.has(name))
        throw new TemplateFault(`“${name}” is set here; that name is taken. Call it something else.`)
    for (const path of pathsOf(nodes)) {
      const [root, ...rest] = path
      if (root === undefined) throw new TemplateFault('A name is worked out here. Write it out, like person.firstName.')
      if (root === 'person') {
        if (rest.length === 0)
          throw new TemplateFault(
            'The person is used as a whole here, so nobody could tell which fields are shown. Name the field: {{ person.firstName }}.',
          )
        if (rest.includes(undefined))
          throw new TemplateFault(
            'Which field of the person is shown is worked out here. Name it: {{ person.firstName }} or {{ person["first name"] }}.',
          )
        fields.add(rest.join('.'))
      } else if (!reserved.has(String(root))) {
        const inside = rest.find((part) => typeof part === 'string' && !/^-?\d+$/.test(part) && !ofLists.has(part))
        if (inside !== undefined)
          throw new TemplateFault(
            `“${String(root)}.${String(inside)}” is part of something that was taken as a whole. Write the path out from the person: {{ person.address.city }}.`,
          )
      }
    }
  }
  return [...fields].sort()
}

/** Names that the template itself gives to values: by assign, capture, increment, for. */
function* namesMade(nodes: Parsed): Generator<string> {
  for (const node of everyNode(nodes)) {
    for (const name of node.localScope?.() ?? [])
      yield typeof name === 'string' ? name : name.getText().replace(/["']/g, '')
    for (const name of node.blockScope?.() ?? []) if (!loops.has(name)) yield name
  }
}

type Traits = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const own = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined

/** A field's value; a name with a full stop in it may be a path or one name. */
export function valueAt(person: Traits, field: string): unknown {
  const whole = own(person, field)
  if (whole !== undefined) return whole
  let at: unknown = person
  for (const part of field.split('.')) {
    if (typeof at === 'string' && part === 'size') at = at.length
    else if (Array.isArray(at) && ofLists.has(part)) at = part === 'size' ? at.length : at.at(part === 'first' ? 0 : -1)
    else at = own(at, part)
  }
  return at
}

/**
 * All of a person that rendering gets to see: the fields that the template declares and nothing beside or below them. What holds further fields is there
 * (so that one can ask whether it is), but empty.
 */
export function onlyFields(person: Traits, fields: readonly string[]): Record<string, unknown> {
  const shown = empty()
  // The shorter path first, so that what is below finds its place.
  for (const field of [...fields].sort((one, other) => one.length - other.length)) {
    const value = withoutFields(valueAt(person, field))
    if (value === undefined) continue
    if (Object.hasOwn(person, field)) shown[field] ??= value
    const path = field.split('.')
    const last = path.pop() ?? field
    let at: Record<string, unknown> | undefined = shown
    for (const part of path) {
      const next: unknown = (at[part] ??= empty())
      at = isObject(next) && !Array.isArray(next) && !(next instanceof Date) ? next : undefined
      // Within a text or a list that is shown as a whole, the language finds its own way.
      if (at === undefined) break
    }
    if (at !== undefined) at[last] ??= value
  }
  return shown
}

/** As text it is nothing, and no name leads out of it: `__proto__` is a name like any other here. */
const nothing: object = Object.assign(Object.create(null) as object, { toString: () => '' })
const empty = () => Object.create(nothing) as Record<string, unknown>
function withoutFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((one) => !isObject(one))
  if (value instanceof Date || !isObject(value)) return value ?? undefined
  return empty()
}
