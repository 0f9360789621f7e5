import type { Json } from '../../collect/contract.ts'

type JsonObject = Record<string, Json>
const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * The properties of an event as paths: `{ address: { city } }` and `{ 'address.city' }` are both `address.city`, as they are for the store.
 * null counts as missing. An object that is planned as such is a value too; what is in it counts only where it is planned by its path.
 * @param planned the type of a path; undefined for one that is not planned
 * @param within whether a path has planned ones below it
 */
export function pathsOf(
  properties: JsonObject,
  planned: (path: string) => string | undefined = () => undefined,
  within: (path: string) => boolean = () => false,
): Map<string, Json> {
  const found = new Map<string, Json>()
  const walk = (one: JsonObject, before: string, free: boolean) => {
    for (const [key, value] of Object.entries(one)) {
      const path = before === '' ? key : `${before}.${key}`
      if (value === null) continue
      const type = planned(path)
      if (!isObject(value)) {
        if (!free || type !== undefined) found.set(path, value)
        continue
      }
      if (type !== undefined) found.set(path, value)
      // Where text is planned and an object came, the object is what is wrong, not each thing in it.
      if (type !== undefined && type !== 'object') continue
      walk(value, path, free || (type === 'object' && !within(path)))
    }
  }
  walk(properties, '', false)
  return found
}

/** The same properties without these paths, however they were nested; objects that become empty go too. */
export function without(properties: JsonObject, paths: ReadonlySet<string>): JsonObject {
  const walk = (one: JsonObject, before: string): JsonObject => {
    const kept: [string, Json][] = []
    for (const [key, value] of Object.entries(one)) {
      const path = before === '' ? key : `${before}.${key}`
      if (paths.has(path)) continue
      if (!isObject(value)) {
        kept.push([key, value])
        continue
      }
      const inner = walk(value, path)
      if (Object.keys(inner).length > 0 || Object.keys(value).length === 0) kept.push([key, inner])
    }
    return Object.fromEntries(kept)
  }
  return walk(properties, '')
}
