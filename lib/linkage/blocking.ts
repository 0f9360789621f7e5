import type { Columns, Field } from './columns.ts'
import { kinds, type KindOf } from './kinds.ts'

/** Records that agree on all parts are compared with each other. */
export interface Rule {
  /** Field by place, and which of its keys. */
  parts: { field: number; key: number }[]
  /** How many pairs it makes, some of them made by other rules too; of many records estimated. */
  pairs: number
}

/** A rule that was not taken. */
export interface Refused extends Rule {
  because: 'too many pairs' | 'enough rules'
}

/** Candidate pairs for each record, at most; a few records may have more. */
const pairsForEach = 20
const pairsOfFew = 2_000_000
const mostRules = 14
/** Of more records, every nth is counted; pairs grow with the square. */
const counted = 150_000

/**
 * Proposes rules from what the data itself shows: of every key and every two keys of different fields, the pairs are counted, and as many rules are taken as
 * the budget allows, the most selective first; a broader rule takes the place of those that it implies.
 * @returns the rules in the order in which they are used, and what was refused with its count
 */
export function proposeRules(all: Columns): { rules: Rule[]; refused: Refused[] } {
  const atoms = all.columns.flatMap(({ kind }, field) => kinds[kind].keys.map((_, key) => ({ field, key })))
  const candidates = atoms.flatMap((one, at) => [
    [one],
    ...atoms.slice(at + 1).flatMap((other) => (other.field === one.field ? [] : [[one, other]])),
  ])
  const every = Math.max(1, Math.ceil(all.records / counted))
  const count = createCounter(Math.ceil(all.records / every))
  const sorted = candidates
    .map((parts): Rule => ({ parts, pairs: count(all, parts, every) * every * every }))
    .filter(({ pairs }) => pairs > 0)
    .sort((one, other) => one.pairs - other.pairs)
  const budget = Math.max(pairsOfFew, all.records * pairsForEach)
  let rules: Rule[] = []
  const refused: Refused[] = []
  for (const one of sorted) {
    const left = rules.filter((other) => !implies(other, one))
    const total = left.reduce((sum, { pairs }) => sum + pairs, one.pairs)
    if (total > budget) refused.push({ ...one, because: 'too many pairs' })
    else if (left.length >= mostRules) refused.push({ ...one, because: 'enough rules' })
    else rules = [...left, one]
  }
  return { rules, refused }
}

/** Whether all pairs of the narrow rule are pairs of the broad one: keys of a field are implied by those before them. */
const implies = (narrow: Rule, broad: Rule) =>
  broad.parts.every((part) => narrow.parts.some((one) => one.field === part.field && one.key <= part.key))

/** Counts pairs of a rule among every nth record, in a hash table that all counts share. */
function createCounter(records: number) {
  let slots = 1_024
  while (slots < records * 2) slots *= 2
  const keys = new Uint32Array(slots)
  const counts = new Uint32Array(slots)
  return (all: Columns, parts: Rule['parts'], every: number): number => {
    keys.fill(0)
    counts.fill(0)
    const keyOf = keyReader(all, parts)
    let pairs = 0
    for (let record = 0; record < all.records; record += every) {
      const key = keyOf(record)
      if (key === 0) continue
      let at = key & (slots - 1)
      while (keys[at] !== 0 && keys[at] !== key) at = (at + 1) & (slots - 1)
      keys[at] = key
      const before = counts[at] ?? 0
      pairs += before
      counts[at] = before + 1
    }
    return pairs
  }
}

/** The key of a record as a number of 32 bits, 0 where a part says nothing. Two keys that share one make candidates that match nothing. */
export function keyReader({ columns, cells }: Columns, parts: Rule['parts']): (record: number) => number {
  const width = columns.length
  const [one, two] = parts.map(({ field, key }) => {
    const column = columns[field]
    const values = column?.values ?? 0
    return { field, keys: column?.keys.subarray(key * values, (key + 1) * values) ?? new Uint32Array() }
  })
  if (one === undefined) return () => 0
  if (two === undefined) return (record) => one.keys[cells[record * width + one.field] ?? 0] ?? 0
  return (record) => {
    const first = one.keys[cells[record * width + one.field] ?? 0] ?? 0
    const second = two.keys[cells[record * width + two.field] ?? 0] ?? 0
    if (first === 0 || second === 0) return 0
    const mixed = Math.imul(first ^ (first >>> 15), 0x2c1b3c6d) ^ Math.imul(second ^ (second >>> 13), 0x297a2d39)
    return (mixed ^ (mixed >>> 16)) >>> 0 || 1
  }
}

/** All rules made ready: each record's keys beside each other, and for each rule the records in order of their keys, cut into pieces of work. */
export interface Blocks {
  rules: number
  /** Key k of record r is at r × rules + k. */
  keys: Uint32Array
  /** By rule: records that have a key, those of one key together. */
  orders: Uint32Array[]
  /** By rule: where a piece begins; the last is the end. A piece never parts two records of one key. */
  pieces: Uint32Array[]
}

/** Pairs in a piece of work. */
const piecePairs = 40_000

export function prepareBlocks(all: Columns, rules: readonly Rule[]): Blocks {
  const { records } = all
  const keys = new Uint32Array(new SharedArrayBuffer(Math.max(4, records * rules.length * 4)))
  const orders: Uint32Array[] = []
  const pieces: Uint32Array[] = []
  const own = new Uint32Array(records)
  for (const [at, rule] of rules.entries()) {
    const keyOf = keyReader(all, rule.parts)
    for (let record = 0; record < records; record++) {
      const key = keyOf(record)
      own[record] = key
      keys[record * rules.length + at] = key
    }
    const order = sortedByKey(own)
    orders.push(order)
    pieces.push(cut(order, own))
  }
  return { rules: rules.length, keys, orders, pieces }
}

/** The records that have a key and share it, by radix sort of its 32 bits in three passes; records of one key stay in their order. */
function sortedByKey(keys: Uint32Array): Uint32Array {
  let from = new Uint32Array(keys.length)
  let to = new Uint32Array(keys.length)
  let have = 0
  for (let record = 0; record < keys.length; record++) if (keys[record] !== 0) from[have++] = record
  for (const [shift, bits] of [
    [0, 11],
    [11, 11],
    [22, 10],
  ] as const) {
    const mask = (1 << bits) - 1
    const starts = new Uint32Array((1 << bits) + 1)
    for (let at = 0; at < have; at++) {
      const digit = ((keys[from[at] ?? 0] ?? 0) >>> shift) & mask
      starts[digit + 1] = (starts[digit + 1] ?? 0) + 1
    }
    for (let digit = 0; digit < 1 << bits; digit++) starts[digit + 1] = (starts[digit + 1] ?? 0) + (starts[digit] ?? 0)
    for (let at = 0; at < have; at++) {
      const record = from[at] ?? 0
      const digit = ((keys[record] ?? 0) >>> shift) & mask
      const place = starts[digit] ?? 0
      to[place] = record
      starts[digit] = place + 1
    }
    ;[from, to] = [to, from]
  }
  // One that shares its key with nobody makes no pair.
  let kept = 0
  for (let at = 0; at < have; at++) {
    const key = keys[from[at] ?? 0]
    if (key === keys[from[at - 1] ?? -1] || (at + 1 < have && key === keys[from[at + 1] ?? 0]))
      to[kept++] = from[at] ?? 0
  }
  const order = new Uint32Array(new SharedArrayBuffer(Math.max(4, kept * 4)))
  order.set(to.subarray(0, kept))
  return order.subarray(0, kept)
}

function cut(order: Uint32Array, keys: Uint32Array): Uint32Array {
  const starts = [0]
  let pairs = 0
  let inGroup = 0
  let last = 0
  for (let at = 0; at < order.length; at++) {
    const key = keys[order[at] ?? 0] ?? 0
    if (key === last) {
      pairs += inGroup
      inGroup += 1
      continue
    }
    if (pairs >= piecePairs) {
      starts.push(at)
      pairs = 0
    }
    last = key
    inGroup = 1
  }
  starts.push(order.length)
  return Uint32Array.from(starts)
}

/** A rule in words, for people. */
export const wordsOfRule = (rule: Rule, fields: readonly Field[]): string =>
  rule.parts
    .map(({ field, key }) => {
      const one = fields[field]
      if (one === undefined) return ''
      const { keys }: KindOf = kinds[one.kind]
      const name = keys[key]?.name ?? ''
      return name === '' ? one.name : `${one.name} (${name})`
    })
    .join(' and ')
