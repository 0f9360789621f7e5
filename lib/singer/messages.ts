import { cellTypeOf, type CellType } from '../csv/cells.ts'

/** Who writes the lines. */
export type LineFormat = 'singer' | 'airbyte'

/** A property of a stream, nested objects taken apart: `address.city`. */
export interface Property {
  name: string
  type: CellType
}

/** A schema as it is announced, before the records. */
export interface Announced {
  stream: string
  properties: Property[]
  /** Properties that tell every record from every other; empty when the source does not say. */
  key: string[]
}

/** What one line says, in the words of both protocols. */
export type Message =
  | { kind: 'schemas'; schemas: Announced[] }
  /** @property cells text by property; null is no value. @property version of the whole stream that it belongs to */
  | { kind: 'record'; stream: string; cells: Map<string, string | null>; version: number | undefined }
  /** Everything before it, once durable, need not be sent again. @property state what goes into the state file */
  | { kind: 'state'; state: unknown; format: LineFormat }
  /** Records of the stream with another version are no longer there. */
  | { kind: 'version'; stream: string; version: number }
  /** What the source says to people. @property bad it failed */
  | { kind: 'says'; text: string; bad: boolean }
  /** Known, and nothing to do. */
  | { kind: 'nothing' }
  | { kind: 'malformed'; reason: string }
  /** Records that are somewhere else: going on would lose them. */
  | { kind: 'impossible'; reason: string }

/** Levels of objects that are taken apart; what is deeper stays JSON. */
const deepest = 3
/** Properties of one record or schema. */
const mostProperties = 500
const longestName = 200

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= longestName && isKept(value)
/** A database keeps no NUL and no half of a surrogate pair. */
const isKept = (text: string) => !text.includes('\0') && text.isWellFormed()
const malformed = (reason: string): Message => ({ kind: 'malformed', reason })

/**
 * Reads one line of a Singer tap (github.com/singer-io/getting-started, docs/SPEC.md) or of an Airbyte source
 * (docs.airbyte.com, Airbyte Protocol). Each line tells by itself whose it is.
 * @param expected lines of the other kind are malformed; undefined takes both
 */
export function readMessage(line: string, expected?: LineFormat): Message {
  const message = parse(line)
  if (!isObject(message)) return malformed(message === undefined ? 'no JSON' : 'no JSON object')
  const { type } = message
  if (typeof type !== 'string') return malformed('no “type”')
  const format = formatOf(type, message)
  if (format === undefined) return malformed(`no message of Singer or Airbyte: ${type.slice(0, 40)}`)
  if (expected !== undefined && format !== expected) return malformed(`a message of ${format}, not of ${expected}`)
  return format === 'singer' ? singer(type, message) : airbyte(type, message)
}

function formatOf(type: string, message: Record<string, unknown>): LineFormat | undefined {
  if (['SCHEMA', 'ACTIVATE_VERSION', 'BATCH'].includes(type)) return 'singer'
  if (['LOG', 'TRACE', 'SPEC', 'CONNECTION_STATUS', 'CATALOG', 'CONTROL', 'DESTINATION_CATALOG'].includes(type))
    return 'airbyte'
  if (type === 'RECORD')
    return isObject(message['record']) && typeof message['stream'] !== 'string' ? 'airbyte' : 'singer'
  if (type === 'STATE') return 'value' in message ? 'singer' : 'airbyte'
  return undefined
}

function singer(type: string, message: Record<string, unknown>): Message {
  const { stream, version } = message
  if (type === 'STATE') return { kind: 'state', state: message['value'], format: 'singer' }
  if (!isName(stream)) return malformed(`a ${type} without a stream`)
  if (type === 'BATCH')
    return {
      kind: 'impossible',
      reason: `Stream ${stream} comes as files (BATCH), which this machine cannot see. Turn batches off in the configuration of the tap.`,
    }
  if (type === 'ACTIVATE_VERSION')
    return Number.isSafeInteger(version)
      ? { kind: 'version', stream, version: version as number }
      : malformed('an ACTIVATE_VERSION without a version')
  if (type === 'SCHEMA') {
    const properties = propertiesOf(message['schema'])
    if (properties === undefined) return malformed('a SCHEMA without properties')
    return { kind: 'schemas', schemas: [{ stream, properties, key: names(message['key_properties']) }] }
  }
  return record(stream, message['record'], Number.isSafeInteger(version) ? (version as number) : undefined)
}

function airbyte(type: string, message: Record<string, unknown>): Message {
  if (type === 'RECORD') {
    const { stream, namespace, data } = message['record'] as Record<string, unknown>
    if (!isName(stream)) return malformed('a RECORD without a stream')
    return record(
      typeof namespace === 'string' && namespace !== '' ? `${namespace}.${stream}` : stream,
      data,
      undefined,
    )
  }
  if (type === 'STATE') {
    const { state } = message
    return isObject(state) ? { kind: 'state', state, format: 'airbyte' } : malformed('a STATE without a state')
  }
  if (type === 'CATALOG') {
    const { catalog } = message
    const list = isObject(catalog) && Array.isArray(catalog['streams']) ? (catalog['streams'] as unknown[]) : []
    return { kind: 'schemas', schemas: list.flatMap(catalogued) }
  }
  if (type === 'LOG') {
    const { log } = message
    const bad = isObject(log) && (log['level'] === 'FATAL' || log['level'] === 'ERROR')
    return bad ? { kind: 'says', text: textOf(log['message']), bad: log['level'] === 'FATAL' } : { kind: 'nothing' }
  }
  if (type === 'TRACE') {
    const { trace } = message
    const error = isObject(trace) ? trace['error'] : undefined
    return isObject(error) ? { kind: 'says', text: textOf(error['message']), bad: true } : { kind: 'nothing' }
  }
  return { kind: 'nothing' }
}

/** A stream of a catalog, as discovered or as configured. */
function catalogued(one: unknown): Announced[] {
  if (!isObject(one)) return []
  const stream = isObject(one['stream']) ? one['stream'] : one
  const { name, namespace } = stream
  const properties = propertiesOf(stream['json_schema'])
  if (!isName(name) || properties === undefined) return []
  const chosen = Array.isArray(one['primary_key']) && one['primary_key'].length > 0 ? one['primary_key'] : undefined
  const key = chosen ?? stream['source_defined_primary_key']
  const paths = Array.isArray(key) ? (key as unknown[]) : []
  return [
    {
      stream: typeof namespace === 'string' && namespace !== '' ? `${namespace}.${name}` : name,
      properties,
      key: paths.flatMap((path) => (Array.isArray(path) ? [path.join('.')] : typeof path === 'string' ? [path] : [])),
    },
  ]
}

function record(stream: string, data: unknown, version: number | undefined): Message {
  if (!isObject(data)) return malformed('a RECORD without a record')
  const cells = new Map<string, string | null>()
  flatten(data, '', 1, cells)
  for (const [name, cell] of cells)
    if (!isName(name) || (cell !== null && !isKept(cell)))
      return malformed('a RECORD with a NUL character, half a surrogate pair or a property without a name')
  if (cells.size > mostProperties) return malformed(`a RECORD with more than ${String(mostProperties)} properties`)
  return { kind: 'record', stream, cells, version }
}

function flatten(
  value: Record<string, unknown>,
  before: string,
  depth: number,
  into: Map<string, string | null>,
): void {
  for (const [name, inner] of Object.entries(value)) {
    if (into.size > mostProperties) return
    if (isObject(inner) && depth < deepest) flatten(inner, `${before}${name}.`, depth + 1, into)
    else into.set(`${before}${name}`, cellOf(inner))
  }
}

function cellOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  return JSON.stringify(value)
}

/** The properties of a JSON schema with their types; undefined when it has none. */
function propertiesOf(schema: unknown): Property[] | undefined {
  if (!isObject(schema) || !isObject(schema['properties'])) return undefined
  const into: Property[] = []
  gather(schema['properties'], '', 1, into)
  return into.slice(0, mostProperties)
}

function gather(properties: Record<string, unknown>, before: string, depth: number, into: Property[]): void {
  for (const [name, schema] of Object.entries(properties)) {
    if (into.length > mostProperties) return
    const whole = `${before}${name}`
    if (isObject(schema) && isObject(schema['properties']) && depth < deepest)
      gather(schema['properties'], `${whole}.`, depth + 1, into)
    else if (isName(whole)) into.push({ name: whole, type: typeOf(schema) })
  }
}

function typeOf(schema: unknown): CellType {
  if (!isObject(schema)) return 'text'
  const choices = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(choices)) {
    const first = choices.find((one) => isObject(one) && one['type'] !== 'null')
    return typeOf(first)
  }
  const { format } = schema
  if (format === 'date' || format === 'date-time') return 'date'
  if (format === 'email') return 'email'
  const types = Array.isArray(schema['type']) ? (schema['type'] as unknown[]) : [schema['type']]
  if (types.includes('string')) return 'text'
  if (types.includes('integer') || types.includes('number')) return 'number'
  return types.includes('boolean') ? 'boolean' : 'text'
}

/** What the properties of a record are that no schema announced. */
export function propertiesOfRecord(cells: ReadonlyMap<string, string | null>): Property[] {
  return [...cells].map(([name, cell]) => ({ name, type: cellTypeOf(cell === null || cell === '' ? [] : [cell]) }))
}

const names = (value: unknown): string[] => (Array.isArray(value) ? value.filter(isName).slice(0, 8) : [])
const textOf = (value: unknown) => (typeof value === 'string' ? value.slice(0, 500) : 'it did not say what')

/** JSON with whole numbers that a double does not hold as their digits: 64-bit ids must not run together. */
function parse(line: string): unknown {
  try {
    return /\d{16}/.test(line) ? JSON.parse(line, exact as Parameters<typeof JSON.parse>[1]) : JSON.parse(line)
  } catch {
    return undefined
  }
}
function exact(_key: string, value: unknown, context: { source?: string }): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source ?? '')
    ? context.source
    : value
}
