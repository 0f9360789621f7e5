import { hash } from 'node:crypto'
import type { Column, FileKind, Format } from '../contract.ts'

/** What is kept of how a file was read, for the next one of its shape. */
export interface Mapping {
  format: Format
  columns: Pick<Column, 'name' | 'type' | 'meaning'>[]
  savedAt: Date
  savedBy: string
}

/** Files of a source with the same kind and the same set of columns, in whatever order, look the same. */
export const shapeOf = (kind: FileKind, names: readonly string[]): string =>
  hash('sha256', JSON.stringify([kind, [...names].sort()])).slice(0, 32)

/** Whether two sets of columns have the same names, in whatever order. */
export const sameNames = (some: readonly { name: string }[], others: readonly { name: string }[]): boolean => {
  const sorted = (columns: readonly { name: string }[]) => columns.map(({ name }) => name).sort()
  return JSON.stringify(sorted(some)) === JSON.stringify(sorted(others))
}

/** The format as it was kept, but for what belongs to this very file. */
export const formatAsKept = (found: Format, kept: Format): Format => ({
  ...kept,
  kind: found.kind,
  gzip: found.gzip,
  encoding: found.encoding,
  sheets: found.sheets,
  sheet: found.sheets.includes(kept.sheet) ? kept.sheet : found.sheet,
})

/** Types and meanings as they were kept, by the columns' names; columns of the same name stay in their order. */
export function columnsAsKept(found: readonly Column[], kept: Mapping['columns']): Column[] {
  const left = [...kept]
  return found.map((column) => {
    const at = left.findIndex((one) => one.name === column.name)
    const [one] = at === -1 ? [] : left.splice(at, 1)
    return one === undefined ? column : { ...column, type: one.type, meaning: one.meaning }
  })
}
