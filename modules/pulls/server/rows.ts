import { hash } from 'node:crypto'
import type { Cell } from '../../../platform/databases/database.ts'
import { sayRow } from '../../imports/server/index.ts'
import type { Column as ImportColumn } from '../../imports/contract.ts'
import type { Column, Plan } from '../contract.ts'

/** 128 bits of SHA-256, as 32 hexadecimal digits: what a uuid holds. */
const short = (text: string) => hash('sha256', text, 'hex').slice(0, 32)

/** What is known of a row: what it said last, how often it changed, and whether that certainly went in. */
export interface Known {
  /** null: it is gone. */
  hash: string | null
  generation: number
  unsure: boolean
  who: string
}

/** What is said of a row, and then written down. */
export interface Said {
  key: string
  hash: string | null
  generation: number
  who: string
  events: object[]
}

export type Judged =
  { is: 'unchanged' } | { is: 'sent'; said: Said; problems: string[] } | { is: 'rejected'; reason: string; key: string }

/** Where rows come from, and how they are read. */
export interface Judging {
  /** Part of every key: the same key of another origin is another row. */
  id: string
  /** By which way they come; message ids begin with it. */
  way: 'pull' | 'stream'
  columns: readonly ImportColumn[]
  key: readonly string[]
  /** The column that says that a row is deleted. */
  deletedBy: string | undefined
  /** Rows without a value for a column are as those from before it was there. */
  sparse?: true
  /** Properties of the event that says that a row is gone. */
  properties: Record<string, string>
}

/** How rows of a pull are judged. */
export function judgingOf(pull: { id: string; name: string; plan: Plan }): Judging {
  const { plan } = pull
  return {
    id: pull.id,
    way: 'pull',
    columns: plan.columns,
    key: plan.key,
    deletedBy: plan.deletes.by === 'column' ? plan.deletes.column : undefined,
    properties: {
      pull: pull.name,
      table: 'table' in plan.from ? `${plan.from.table.schema}.${plan.from.table.name}` : 'query',
    },
  }
}

/** Turns rows of one origin into what is to be said of them. */
export function createJudge(of: Judging) {
  const { columns, way } = of
  const at = (name: string) => columns.findIndex((column) => column.name === name)
  const keyAt = of.key.map(at)
  const goneAt = of.deletedBy === undefined ? -1 : at(of.deletedBy)
  const meant = columns.filter((column) => column.meaning.kind !== 'ignore')
  // Another meaning makes another row of it: everything is said again.
  const meanings = meant.map(({ name, type, meaning }) => [name, type, meaning])
  const meaning = JSON.stringify(meanings)
  const saysOf = (cells: readonly Cell[]) => {
    const values = meant.map((column) => cells[column.index] ?? null)
    if (of.sparse !== true) return short(JSON.stringify([meaning, ...values]))
    return short(JSON.stringify(values.flatMap((value, index) => (value === null ? [] : [meanings[index], value]))))
  }

  const keyOf = (values: readonly Cell[]) => short(JSON.stringify([of.id, ...values]))
  const gone = (key: string, known: Known): Said => {
    const generation = known.hash === null ? known.generation : known.generation + 1
    return {
      key,
      hash: null,
      generation,
      who: known.who,
      events: [
        {
          ...about(known.who, way),
          type: 'track',
          event: 'Record Deleted',
          properties: of.properties,
          messageId: `${way}-${key}-gone-${String(generation)}`,
        },
      ],
    }
  }

  return {
    /** The key of a whole row. */
    key: (cells: readonly Cell[]) => keyOf(keyAt.map((index) => cells[index] ?? null)),
    /** The key, of its columns alone. */
    keyOf,
    /** The key as people see it. */
    shownKey: (cells: readonly Cell[]) =>
      keyAt
        .map((index) => cells[index] ?? '')
        .join(', ')
        .slice(0, 200),
    gone,
    judge(cells: readonly Cell[], key: string, known: Known | undefined): Judged {
      if (goneAt >= 0 && isYes(cells[goneAt] ?? null)) {
        if (known === undefined || (known.hash === null && !known.unsure)) return { is: 'unchanged' }
        return { is: 'sent', said: gone(key, known), problems: [] }
      }
      const said = saysOf(cells)
      const same = known?.hash === said
      if (same && !known.unsure) return { is: 'unchanged' }
      const read = sayRow(
        { line: 0, cells: cells.map((cell) => cell ?? '') },
        columns,
        { dateOrder: 'dmy' },
        way,
        [...Object.values(of.properties), ...of.key.map((name) => `${name} ${cells[at(name)] ?? ''}`)]
          .join(', ')
          .slice(0, 190),
      )
      if (read.kind === 'rejected') return { is: 'rejected', reason: read.reason, key }
      const generation = known === undefined ? 0 : same ? known.generation : known.generation + 1
      const messageId = `${way}-${key}-${said}-${String(generation)}`
      return {
        is: 'sent',
        problems: read.problems,
        said: {
          key,
          hash: said,
          generation,
          who: read.about === undefined ? '' : `${read.about.type}:${read.about.id}`,
          events: read.events.map((event, index) => ({
            ...event,
            messageId: index === 0 ? messageId : `${messageId}-${String(index)}`,
          })),
        },
      }
    },
  }
}

/** A column that says that a row is deleted says so by anything but no: a time, yes, 1. */
function isYes(cell: Cell): boolean {
  return cell !== null && !/^(|0|false|f|n|no|0000-00-00( 00:00:00([.]0+)?)?)$/i.test(cell.trim())
}

function about(who: string, way: Judging['way']): object {
  const split = who.indexOf(':')
  const [type, id] = [who.slice(0, split), who.slice(split + 1)]
  const library = { name: `interlock-${way}`, version: '1' }
  return type === 'user_id'
    ? { userId: id, context: { library } }
    : { context: { library, externalIds: [{ type, id }] } }
}

/** Which columns are asked of the database: those that mean something, and those that the reading needs. */
export function askedColumns(plan: Plan): Column[] {
  const needed = new Set(plan.key)
  if (plan.finding.by === 'cursor') needed.add(plan.finding.column)
  if (plan.deletes.by === 'column') needed.add(plan.deletes.column)
  return plan.columns.filter((column) => column.meaning.kind !== 'ignore' || needed.has(column.name))
}
