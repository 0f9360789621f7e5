import { pathWith, stepsOf } from '../../../lib/mapping/mapping.ts'

/** A field that the last bodies have: how a rule names it, and what stood there. */
export interface BodyPath {
  /** As a rule writes it: `customer.email`, `answers[0].text`, `item.price` within the list of `each`. */
  path: string
  /** What the newest body says there, cut to what fits beside the name. */
  sample: string
}

export interface BodyPaths {
  paths: BodyPath[]
  /** Names that no path can say: empty, too long, or with a line break in them. */
  unsayable: string[]
}

const mostPaths = 500
const mostElements = 20
const mostDepth = 12
const longestPath = 200
const longestSample = 48
/** Not to be written in one line, or nothing. */
const unsaid = /^$|\p{Cc}/u
const begins = /^[\p{L}_$][\p{L}\p{N}_$-]*$/u
/** Words that mean something else at the beginning of a path; behind `body.` they are names like any other. */
const taken = new Set(['body', 'header', 'item', 'topic'])

/**
 * The fields of the last bodies, in the order in which they stand there.
 * @param bodies as text, the newest first; one that was cut off is read as far as it goes
 * @param each the list that a rule goes through: the fields of its elements come first, as `item.…`
 */
export function pathsOf(bodies: readonly string[], each?: string): BodyPaths {
  const found = new Map<string, string>()
  const unsayable = new Set<string>()
  const note = (path: string, sample: string) => {
    if (path.length > longestPath) unsayable.add(path)
    else if (!found.has(path) && found.size < mostPaths) found.set(path, sample.slice(0, longestSample))
  }
  const walk = (value: unknown, path: string, depth: number): void => {
    if (isScalar(value)) {
      const text = String(value).trim()
      if (path !== '' && text !== '') note(path, text)
    } else if (Array.isArray(value)) {
      if (path !== '' && value.length > 0 && value.every(isScalar)) note(path, value.map(String).join(', '))
      if (depth < mostDepth)
        for (const [at, one] of value.slice(0, mostElements).entries())
          walk(one, `${path === '' ? 'body' : path}[${String(at)}]`, depth + 1)
    } else if (typeof value === 'object' && value !== null && depth < mostDepth)
      for (const [key, one] of Object.entries(value))
        if (unsaid.test(key)) unsayable.add(key)
        else if (path !== '') walk(one, pathWith(path, key), depth + 1)
        else walk(one, begins.test(key) && !taken.has(key) ? key : pathWith('body', key), depth + 1)
  }
  const read = bodies.map(readBody)
  if (each !== undefined)
    for (const body of read) {
      const list = valueAt(body, each)
      if (Array.isArray(list)) for (const item of list.slice(0, mostElements)) walk(item, 'item', 0)
    }
  for (const body of read) walk(body, '', 0)
  return { paths: [...found].map(([path, sample]) => ({ path, sample })), unsayable: [...unsayable] }
}

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'

/** The same steps as `lib/mapping/apply.ts` takes, from the whole body. */
function valueAt(body: unknown, path: string): unknown {
  const steps = stepsOf(path)
  return (steps[0] === 'body' ? steps.slice(1) : steps).reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string, unknown>)[key]
        : undefined,
    body,
  )
}

/** Undefined when it is no JSON. */
function readBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return readBeginning(text)
  }
}

/** A preview shows the first 20,000 characters of a body: everything that is whole in them. */
function readBeginning(text: string): unknown {
  const open: string[] = []
  let inString = false
  let whole: string | undefined
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at)
    if (inString) {
      if (sign === '\\') at += 1
      else if (sign === '"') inString = false
    } else if (sign === '"') inString = true
    else if (sign === '{' || sign === '[') open.unshift(sign === '{' ? '}' : ']')
    else if (sign === '}' || sign === ']') open.shift()
    else if (sign === ',') whole = `${String(at)} ${open.join('')}`
  }
  if (whole === undefined) return undefined
  const [end, closing = ''] = whole.split(' ')
  try {
    return JSON.parse(text.slice(0, Number(end)) + closing)
  } catch {
    return undefined
  }
}
