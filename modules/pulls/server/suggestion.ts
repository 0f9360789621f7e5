import { cellTypeOf } from '../../../lib/csv/cells.ts'
import type { Cell, ColumnInfo, Relation } from '../../../platform/databases/database.ts'
import { guessMeanings } from '../../imports/server/index.ts'
import type { Connection, Plan } from '../contract.ts'

/** Names that a column has which every change sets, and such as tell that a row is deleted. */
const changed =
  /^(system_?mod_?stamp|updated|modified|changed|last_?(update|modified|change)d?|geaendert|mtime)(_?(at|on|time|date|ts|am))?$/i
const deleted = /^(is_?)?(deleted|removed|geloescht)(_?(at|on|time|date|am))?$/i
/** Times of Salesforce that say of every change, or every look, that it was: no news of a person. */
const housekeeping = /^Last(Modified|Viewed|Referenced)(Date|ById)$/
const isTime = (type: string) => /^(timestamp|datetime)/.test(type)

/** A first plan for a table, from its names, types and first rows; a person sees and corrects it. */
export function suggestPlan(
  kind: Connection['kind'],
  from: Relation,
  isTable: boolean,
  infos: readonly ColumnInfo[],
  rows: readonly (readonly Cell[])[],
): Plan {
  const guessed = guessMeanings(
    infos.map((info, index) => {
      const present = rows.map((row) => row[index]?.trim() ?? '').filter((value) => value !== '')
      return {
        index,
        name: info.name,
        type: isTime(info.type) || info.type === 'date' ? 'date' : cellTypeOf(present),
        filled: rows.length === 0 ? 0 : present.length / rows.length,
        samples: [...new Set(present)].slice(0, 3).map((value) => value.slice(0, 200)),
      }
    }),
  )
  const key = infos
    .filter((info) => info.inKey !== undefined)
    .sort((a, b) => (a.inKey ?? 0) - (b.inKey ?? 0))
    .map((info) => info.name)
  const first = infos.find((info) => /^id$/i.test(info.name)) ?? infos[0]
  const keys = key.length > 0 ? key : first === undefined ? [] : [first.name]
  const cursor = infos.find(
    (info) => (kind === 'salesforce' ? info.name === 'SystemModstamp' : changed.test(info.name)) && isTime(info.type),
  )
  const tombstone = infos.find((info) => deleted.test(info.name))
  const columns = guessed.map((column, index) => {
    const info = infos[index]
    const ours =
      column.name === cursor?.name ||
      column.name === tombstone?.name ||
      (kind === 'salesforce' && housekeeping.test(column.name))
    // A key that nothing else is known of is the customer's number in that system: without one, nobody could be told to be gone.
    const alone = keys.length === 1 && column.name === keys[0] && /^id$/i.test(column.name)
    return {
      ...column,
      ...(alone ? { type: 'text' as const, meaning: { kind: 'identifier' as const, type: 'crm_id' } } : {}),
      ...(ours ? { meaning: { kind: 'ignore' as const } } : {}),
      databaseType: info?.type ?? 'text',
      nullable: info?.nullable ?? true,
      inKey: info?.inKey ?? null,
    }
  })
  return {
    from,
    columns,
    key: keys,
    finding:
      kind === 'postgres' && isTable
        ? { by: 'transactions' }
        : cursor === undefined
          ? { by: 'comparison' }
          : { by: 'cursor', column: cursor.name, overlap: 3600 },
    deletes: tombstone === undefined ? { by: 'comparison', everyRuns: 24 } : { by: 'column', column: tombstone.name },
  }
}
