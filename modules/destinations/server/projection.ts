import type { Json } from '../../collect/contract.ts'
import type { KeptEvent } from './outgoing.ts'

/** What leaves of one event: the named fields, by their paths; and the paths of what stayed. */
export interface Projection {
  fields: Map<string, Json>
  dropped: string[]
}

type Scalar = null | boolean | number | string
const isScalar = (value: Json): value is Scalar => value === null || typeof value !== 'object'

/** Beyond so many, fields of one event are counted together: names are chosen by whoever sends. */
const mostDropped = 200

/**
 * Takes the named fields out of an event and lists all others that it has, each once. A name reaches one value or a list of values; an object under
 * it does not go with it, so that a field that a source adds tomorrow stays here until somebody names it. Items of a list have no number in a path,
 * and a value of a list of objects is given as the list of its values.
 */
export function project(kept: KeptEvent, named: ReadonlySet<string>): Projection {
  const fields = new Map<string, Json>()
  const dropped = new Set<string>()
  const leaf = (path: string, value: Scalar | Scalar[], inList: boolean) => {
    if (!named.has(path)) {
      if (dropped.size < mostDropped) dropped.add(path)
      return
    }
    const before = fields.get(path)
    if (inList)
      fields.set(path, [...(Array.isArray(before) ? before : []), ...(Array.isArray(value) ? value : [value])])
    else fields.set(path, value)
  }
  const walk = (path: string, value: Json, inList: boolean): void => {
    if (isScalar(value)) {
      leaf(path, value, inList)
      return
    }
    if (Array.isArray(value)) {
      if (value.every(isScalar)) leaf(path, value, inList)
      else for (const item of value) walk(path, item, true)
      return
    }
    for (const [key, inner] of Object.entries(value)) walk(`${path}.${key}`, inner, inList)
  }
  const { event } = kept
  for (const name of ['userId', 'anonymousId', 'previousId', 'groupId'] as const) {
    const value = event[name]
    if (value !== undefined) leaf(name, value, false)
  }
  if (kept.profileId !== undefined) leaf('profileId', kept.profileId, false)
  walk('traits', event.traits, false)
  walk('properties', event.properties, false)
  walk('context', event.context, false)
  return { fields, dropped: [...dropped] }
}

/** Fields as the object that they came from. Without a prototype, so that no name means anything but itself. */
export function nested(fields: ReadonlyMap<string, Json>): Record<string, Json> {
  const root = Object.create(null) as Record<string, Json>
  for (const [path, value] of fields) {
    const keys = path.split('.')
    const last = keys.pop() ?? path
    let at = root
    for (const key of keys) {
      const inner = at[key]
      if (inner !== undefined && inner !== null && typeof inner === 'object' && !Array.isArray(inner)) at = inner
      else {
        const made = Object.create(null) as Record<string, Json>
        at[key] = made
        at = made
      }
    }
    at[last] = value
  }
  return root
}
