import type { Announced, Property } from '../../../lib/singer/messages.ts'
import type { Column } from '../../imports/contract.ts'
import { guessMeanings } from '../../imports/server/index.ts'
import type { StoredStream } from './store.ts'

/** Properties of a stream at most; further ones are not kept. */
const mostColumns = 500
/** Properties by which taps and sources say that a record is deleted. */
const deletedNames = ['_sdc_deleted_at', '_ab_cdc_deleted_at']
/** What tools add to records for themselves. */
const ofTools = /^_(sdc|ab|airbyte)_/
/** When a record was touched says nothing of a person, and would make every record another one each time. */
const touched = /^(system_?mod_?stamp|(last_?)?(updated|modified|changed)(_?(at|on|time|date))?)$/i
/** Streams whose `id` is the number of a customer. An order has an id too. */
const people = /(customer|client|contact|user|people|person|profile|lead|member|subscriber|account|kund|patient|guest)/i

/** By which property a stream says that a record is deleted. */
export const deletedBy = (columns: readonly Column[]) =>
  columns.find((column) => deletedNames.includes(column.name))?.name

/**
 * The columns of a stream after something was heard of it: new properties get a meaning by their names, those that are known keep theirs.
 * @returns the same array when nothing is new
 */
export function learned(
  stream: string,
  before: readonly Column[],
  properties: readonly Property[],
  key: readonly string[],
): readonly Column[] {
  const known = new Set(before.map((column) => column.name))
  const fresh = properties.filter((property) => !known.has(property.name)).slice(0, mostColumns - before.length)
  if (fresh.length === 0) return before
  const guessed = guessMeanings(
    // Consent is told by the names of all columns together.
    [...before, ...fresh].map(({ name, type }, index) => {
      const short = name.replace(/^address\./i, '')
      return { index, name: short, type, filled: 1, samples: [] }
    }),
  ).slice(before.length)
  const named = guessed.map((column, index) => ({ ...column, name: fresh[index]?.name ?? column.name }))
  return [...before, ...named.map((column) => corrected(stream, column, key))]
}

function corrected(stream: string, column: Column, key: readonly string[]): Column {
  if (ofTools.test(column.name) || touched.test(column.name)) return { ...column, meaning: { kind: 'ignore' } }
  if (/^id$/i.test(column.name) || (key.length === 1 && key[0] === column.name && column.meaning.kind === 'trait'))
    return people.test(stream)
      ? { ...column, type: 'text', meaning: { kind: 'identifier', type: 'crm_id' } }
      : { ...column, meaning: { kind: 'ignore' } }
  return column
}

/** What tells records apart when the source does not say: `id`, else the identifier that is no contact point, else the e-mail address. */
export function guessKey(columns: readonly Column[]): string[] {
  const id = columns.find((column) => /^id$/i.test(column.name))
  const of = (test: (type: string) => boolean) =>
    columns.find((column) => column.meaning.kind === 'identifier' && test(column.meaning.type))
  const best =
    id ?? of((type) => type !== 'email' && type !== 'phone') ?? of((type) => type === 'email') ?? of(() => true)
  return best === undefined ? [] : [best.name]
}

/** A schema or the first record of a stream as it is to be kept. */
export function knowledge(
  stream: Pick<StoredStream, 'name' | 'columns' | 'key'>,
  announced: Pick<Announced, 'properties' | 'key'>,
): { columns: readonly Column[]; key: readonly string[] } {
  const columns = learned(stream.name, stream.columns, announced.properties, announced.key)
  const has = announced.key.length > 0 && announced.key.every((name) => columns.some((column) => column.name === name))
  return { columns, key: has ? announced.key : stream.key.length > 0 ? stream.key : guessKey(columns) }
}
