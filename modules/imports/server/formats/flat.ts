import type { CsvRecord } from '../../../../lib/csv/records.ts'

const deepest = 16
const mostCells = 1_000

/**
 * An object as cells under flat names: `{ address: { city } }` is `address.city`, a list is its JSON, null is empty. A Map, so that no key is a trap.
 * @returns undefined for what is nested more than 16 levels or has more than 1,000 values
 */
export function flatten(value: unknown): Map<string, string> | undefined {
  const cells = new Map<string, string>()
  const walk = (one: unknown, path: string, depth: number): boolean => {
    if (depth > deepest || cells.size > mostCells) return false
    if (
      typeof one === 'object' &&
      one !== null &&
      !Array.isArray(one) &&
      !(one instanceof Date) &&
      !(one instanceof Uint8Array)
    )
      return Object.entries(one).every(([key, inner]) => walk(inner, path === '' ? key : `${path}.${key}`, depth + 1))
    const text = textOfValue(one)
    if (text !== '') cells.set(path, text)
    return true
  }
  return walk(value, '', 0) ? cells : undefined
}

/** A value as people would write it in a table. */
export function textOfValue(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '' : value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? String(one) : one))
}

/** Cells in the order of the columns; a name that no column has is named, so that nothing disappears in silence. */
export function recordOf(line: number, cells: Map<string, string> | undefined, names: readonly string[]): CsvRecord {
  if (cells === undefined)
    return { line, cells: [], problem: 'the row is nested more than 16 levels or has more than 1,000 values' }
  const found = names.map((name) => cells.get(name) ?? '')
  if (found.filter((cell) => cell !== '').length >= cells.size) return { line, cells: found }
  const known = new Set(names)
  const left = [...cells].flatMap(([name, cell]) => (cell === '' || known.has(name) ? [] : [name])).slice(0, 20)
  return left.length === 0 ? { line, cells: found } : { line, cells: found, left }
}
