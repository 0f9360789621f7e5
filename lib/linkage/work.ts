import { seededRandom } from '../seeded/seeded.ts'
import type { Blocks } from './blocking.ts'
import type { Columns } from './columns.ts'
import { comparerOf, swappedLevel } from './compare.ts'
import { highestOf, kinds } from './kinds.ts'
import { priorWeight, weightOf, type FieldModel } from './model.ts'
import type { Trained } from './training.ts'

/** What all pieces of work share. */
export interface Job {
  all: Columns
  blocks: Blocks
  /** By record, where records of one part are not compared with each other. */
  parts: Uint8Array | undefined
}

/** A piece of work; its answer can be passed on between threads. */
export type Task =
  /** Levels of random pairs. */
  | { do: 'random'; pairs: number; seed: number }
  /** Levels of random pairs that say the same in a field. */
  | { do: 'beside'; field: number; pairs: number; seed: number }
  /** Levels of the pairs of a rule. */
  | { do: 'count'; rule: number; piece: number }
  /** Links of the pairs that no earlier rule has. */
  | { do: 'score'; rule: number; piece: number }

export type Answer =
  | { did: 'random'; counts: Map<number, number> }
  | { did: 'beside'; field: number; counts: Map<number, number> }
  /** `own`: of pairs that no earlier rule has. */
  | { did: 'count'; rule: number; counts: Map<number, number>; own: Map<number, number> }
  | { did: 'score'; rule: number; left: Uint32Array; right: Uint32Array; weight: Float32Array }

/** Levels as one number, and back: each field has as many places as it has levels. */
export function levelCodes({ columns }: Columns) {
  const places = columns.map(({ kind }) => highestOf(kind) + 1)
  return {
    encode(levels: Uint8Array): number {
      let code = 0
      for (let at = 0; at < places.length; at++) code = code * (places[at] ?? 1) + (levels[at] ?? 0)
      return code
    },
    decode(code: number): number[] {
      const levels: number[] = []
      let rest = code
      for (const place of places.toReversed()) {
        levels.push(rest % place)
        rest = Math.floor(rest / place)
      }
      return levels.reverse()
    },
  }
}

/** Does pieces of work. @param model what pairs are scored by; absent while it is being learned */
export function createWork(job: Job, model?: { trained: Trained; least: number }) {
  const { all, blocks, parts } = job
  const comparer = comparerOf(all)
  const { encode } = levelCodes(all)
  const levels = new Uint8Array(comparer.fields)
  const scorer = model === undefined ? undefined : createScorer(all, model.trained, model.least)
  const apart = (left: number, right: number) => parts === undefined || parts[left] !== parts[right]

  /** Calls `work` for each pair of a piece; `isNew` says that no earlier rule has it. */
  function eachPair(
    rule: number,
    piece: number,
    needsNew: boolean,
    work: (left: number, right: number, isNew: boolean) => void,
  ) {
    const { keys, rules } = blocks
    const order = blocks.orders[rule] ?? new Uint32Array()
    const starts = blocks.pieces[rule] ?? new Uint32Array()
    const end = starts[piece + 1] ?? 0
    for (let from = starts[piece] ?? 0; from < end;) {
      const key = keys[(order[from] ?? 0) * rules + rule]
      let to = from + 1
      while (to < end && keys[(order[to] ?? 0) * rules + rule] === key) to += 1
      for (let one = from; one < to; one++) {
        const left = order[one] ?? 0
        for (let other = one + 1; other < to; other++) {
          const right = order[other] ?? 0
          if (!apart(left, right)) continue
          let isNew = true
          for (let at = 0; at < rule; at++) {
            const mine = keys[left * rules + at]
            if (mine !== 0 && mine === keys[right * rules + at]) {
              isNew = false
              break
            }
          }
          if (isNew || !needsNew) work(left, right, isNew)
        }
      }
      from = to
    }
  }
  const countInto = (counts: Map<number, number>, code: number) => counts.set(code, (counts.get(code) ?? 0) + 1)

  return function run(task: Task): Answer {
    if (task.do === 'random') {
      const counts = new Map<number, number>()
      const random = seededRandom(task.seed)
      for (let at = 0; at < task.pairs; at++) {
        const left = Math.floor(random() * all.records)
        const right = Math.floor(random() * all.records)
        if (left === right || !apart(left, right)) continue
        comparer.levelsOf(left, right, levels)
        countInto(counts, encode(levels))
      }
      return { did: 'random', counts }
    }
    if (task.do === 'beside') {
      const counts = new Map<number, number>()
      const draw = pairsThatShare(all, task.field, seededRandom(task.seed))
      for (let at = 0; at < task.pairs; at++) {
        const [left, right] = draw() ?? []
        if (left === undefined || right === undefined) break
        if (!apart(left, right)) continue
        comparer.levelsOf(left, right, levels)
        countInto(counts, encode(levels))
      }
      return { did: 'beside', field: task.field, counts }
    }
    const { rule, piece } = task
    if (task.do === 'count') {
      const [counts, own] = [new Map<number, number>(), new Map<number, number>()]
      eachPair(rule, piece, false, (left, right, isNew) => {
        comparer.levelsOf(left, right, levels)
        const code = encode(levels)
        countInto(counts, code)
        if (isNew) countInto(own, code)
      })
      return { did: 'count', rule, counts, own }
    }
    let links = emptyLinks(1_024)
    let count = 0
    eachPair(rule, piece, true, (left, right) => {
      const weight = scorer?.(left, right)
      if (weight === undefined) return
      if (count === links.left.length) links = widened(links)
      links.left[count] = Math.min(left, right)
      links.right[count] = Math.max(left, right)
      links.weight[count++] = weight
    })
    return {
      did: 'score',
      rule,
      left: links.left.slice(0, count),
      right: links.right.slice(0, count),
      weight: links.weight.slice(0, count),
    }
  }
}

/** Draws from all pairs of records that have the same value, each as probable as another. */
function pairsThatShare({ columns, cells, records }: Columns, field: number, random: () => number) {
  const width = columns.length
  const { counts = new Uint32Array(), values = 0 } = columns[field] ?? {}
  /** By value: pairs of it and of all before it. */
  const pairs = new Float64Array(values)
  const starts = new Uint32Array(values + 1)
  for (let code = 1; code < values; code++) {
    const count = counts[code] ?? 0
    pairs[code] = (pairs[code - 1] ?? 0) + (count * (count - 1)) / 2
    starts[code + 1] = (starts[code] ?? 0) + count
  }
  const order = new Uint32Array(records)
  const filled = starts.slice()
  for (let record = 0; record < records; record++) {
    const code = cells[record * width + field] ?? 0
    if (code === 0) continue
    const place = filled[code] ?? 0
    order[place] = record
    filled[code] = place + 1
  }
  const total = pairs.at(-1) ?? 0
  return (): [number, number] | undefined => {
    if (total === 0) return undefined
    const wanted = random() * total
    let [low, high] = [1, values - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((pairs[middle] ?? 0) > wanted) high = middle
      else low = middle + 1
    }
    const count = counts[low] ?? 0
    const one = Math.floor(random() * count)
    const other = (one + 1 + Math.floor(random() * (count - 1))) % count
    const start = starts[low] ?? 0
    return [order[start + one] ?? 0, order[start + other] ?? 0]
  }
}

const emptyLinks = (size: number) => ({
  left: new Uint32Array(size),
  right: new Uint32Array(size),
  weight: new Float32Array(size),
})
function widened({ left, right, weight }: ReturnType<typeof emptyLinks>) {
  const wider = emptyLinks(left.length * 2)
  wider.left.set(left)
  wider.right.set(right)
  wider.weight.set(weight)
  return wider
}

/** A frequency moves a weight by no more bits than these. */
const mostBits = 12
/** Of what is still to be compared, the cheapest comes first. */
const costs: Readonly<Record<string, number>> = {
  nothing: 0,
  slip: 1,
  postcode: 1,
  date: 2,
  givenName: 3,
  letters: 4,
  words: 5,
  email: 6,
}

/**
 * Weighs pairs: first what costs nothing (missing, the same), then field after field, and stops once all that is left could not lift the pair to `least`.
 * @returns bits, or undefined when the pair weighs less than `least`
 */
export function createScorer(all: Columns, { fields, prior, untrained }: Trained, least: number) {
  const comparer = comparerOf(all)
  const { columns, cells } = all
  const count = columns.length
  const highest = columns.map(({ kind }) => highestOf(kind))
  const base = priorWeight(prior)
  const tables = columns.map((_, at) => weightTables(fields, at, untrained))
  const rare = columns.map((column, at) => rarityOf(column, fields[at], untrained.includes(at)))
  const cheapFirst = columns.map((_, at) => at).sort((one, other) => costOf(one) - costOf(other))
  function costOf(at: number): number {
    return costs[kinds[columns[at]?.kind ?? 'text'].compare.by] ?? 9
  }
  const open = new Uint8Array(count)
  const same = new Uint8Array(count)
  const best = new Float64Array(count)
  const table: Float64Array[] = Array.from({ length: count }, () => new Float64Array())
  const { givenName, surname } = comparer

  return (left: number, right: number): number | undefined => {
    for (let at = 0; at < count; at++) {
      const one = cells[left * count + at] ?? 0
      const two = cells[right * count + at] ?? 0
      same[at] = one !== 0 && one === two ? 1 : 0
      open[at] = one !== 0 && two !== 0 && one !== two ? 1 : 0
    }
    let weight = base
    let hope = 0
    for (let at = 0; at < count; at++) {
      if (same[at] === 0 && open[at] === 0) continue
      const { beside, byAgreement } = tables[at] ?? noTables
      let agreement = 0
      for (let other = 0; other < beside.length; other++) agreement |= (same[beside[other] ?? 0] ?? 0) << other
      const chosen = byAgreement[agreement] ?? noTable
      table[at] = chosen.weights
      best[at] = chosen.best
      if (open[at] === 1) hope += chosen.best
      else
        weight +=
          (chosen.weights[highest[at] ?? 0] ?? 0) + (chosen.free ? (rare[at]?.[cells[left * count + at] ?? 0] ?? 0) : 0)
    }
    if (weight + hope < least) return undefined
    if (
      givenName >= 0 &&
      surname >= 0 &&
      open[givenName] === 1 &&
      open[surname] === 1 &&
      comparer.swapped(left, right)
    ) {
      for (const at of [givenName, surname]) {
        hope -= best[at] ?? 0
        weight += table[at]?.[swappedLevel] ?? 0
        open[at] = 0
      }
    }
    for (let place = 0; place < count; place++) {
      const at = cheapFirst[place] ?? 0
      if (open[at] === 0) continue
      if (weight + hope < least) return undefined
      const level = comparer.of[at]?.(cells[left * count + at] ?? 0, cells[right * count + at] ?? 0) ?? 1
      hope -= best[at] ?? 0
      weight += table[at]?.[level] ?? 0
    }
    return weight < least ? undefined : weight
  }
}

interface Tables {
  /** Fields that change what this one weighs when they are the same; bit n of an agreement is the nth of them. */
  beside: number[]
  byAgreement: { weights: Float64Array; best: number; free: boolean }[]
}
const noTable = { weights: new Float64Array(), best: 0, free: false }
const noTables: Tables = { beside: [], byAgreement: [] }
/** Of more, those under which a field surprises least: there is a table for each way in which they agree. */
const mostBeside = 6

function weightTables(fields: readonly FieldModel[], at: number, untrained: readonly number[]): Tables {
  const { u = [], given = [] } = fields[at] ?? {}
  const top = ({ u: shares }: { u: readonly number[] }) => shares.slice(2).reduce((sum, one) => sum + one, 0)
  const beside = [...given].sort((one, other) => top(other) - top(one)).slice(0, mostBeside)
  const alone = weightOf(
    fields,
    at,
    fields.map((_, place) => (place === at ? u.length - 1 : 0)),
  )
  return {
    beside: beside.map(({ field }) => field),
    byAgreement: Array.from({ length: 1 << beside.length }, (_, agreement) => {
      const levels = fields.map((field, place) =>
        beside.some((one, bit) => one.field === place && (agreement & (1 << bit)) !== 0) ? field.u.length - 1 : 0,
      )
      const weights = Float64Array.from(u, (__, level) =>
        untrained.includes(at) ? 0 : weightOf(fields, at, levels.with(at, level)),
      )
      return {
        weights,
        /** The most that a value that differs can weigh. */
        best: weights.slice(1, -1).reduce((most, weight) => Math.max(most, weight), -Infinity),
        /** Beside a field that makes it agree anyway, how rare its value is says nothing more. */
        free: (weights.at(-1) ?? 0) > alone - 0.5,
      }
    }),
  }
}

/** By value: the bits by which it being rare or frequent moves the weight of agreeing on it. */
function rarityOf(
  column: Columns['columns'][number],
  field: FieldModel | undefined,
  untrained: boolean,
): Float32Array | undefined {
  if (untrained || !kinds[column.kind].byFrequency) return undefined
  const all = column.counts.subarray(1).reduce((sum, one) => sum + one, 0)
  const u = field?.u.at(-1) ?? 1
  return Float32Array.from(column.counts, (one, code) =>
    code === 0 ? 0 : Math.max(-mostBits, Math.min(mostBits, Math.log2(u / (one / all)))),
  )
}

/** Bits by which the frequency of a record's value moves the weight of agreeing on it. */
export const rarityBits = (all: Columns, { fields, untrained }: Trained, at: number, record: number): number => {
  const column = all.columns[at]
  if (column === undefined) return 0
  return rarityOf(column, fields[at], untrained.includes(at))?.[all.cells[record * all.columns.length + at] ?? 0] ?? 0
}
