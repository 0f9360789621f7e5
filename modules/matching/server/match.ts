import { join } from 'node:path'
import { prepareBlocks, proposeRules, type Refused, type Rule } from '../../../lib/linkage/blocking.ts'
import type { Links } from '../../../lib/linkage/clusters.ts'
import type { Columns } from '../../../lib/linkage/columns.ts'
import { learnChances } from '../../../lib/linkage/chances.ts'
import type { Pattern } from '../../../lib/linkage/model.ts'
import { train, type Trained } from '../../../lib/linkage/training.ts'
import { levelCodes, type Job } from '../../../lib/linkage/work.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import { startThreads, type Threads } from '../../../platform/threads/threads.ts'
import { matchWork, type MatchAnswer, type MatchTask } from './match-work.ts'

/** What a run found. */
export interface Matched {
  rules: (Rule & { newPairs: number; links: number })[]
  refused: Refused[]
  model: Trained
  links: Links
  /** Candidate pairs, each once; of many records estimated from a sample of keys. */
  pairs: number
  /** By step. */
  seconds: Readonly<Record<string, number>>
}

export interface MatchOptions {
  clock: Pick<Clock, 'ms'>
  /** By record, where records of one part are not compared with each other: each part names an entity once. */
  parts?: Uint8Array
  signal?: AbortSignal
  /** Says what is being done. */
  say?: (step: string) => void
}

/** A pair that weighs less is no evidence even beside others: that is what a pair weighs that nobody compared (lib/linkage/clusters). */
export const leastWeight = -4
/** Random pairs that u is learned from: enough to see a level that one in a hundred thousand shows. */
const randomPairs = 600_000
const randomAtOnce = 50_000
/** Of pairs that agree on one field, so many tell how the others behave beside it. */
const besidePairs = 60_000
/** Candidates that m is learned from; of more, a part of the pieces of each rule. */
const countedPairs = 1_500_000
/** Of fewer records, threads take longer to start than the work. */
const alone = 5_000

/**
 * Finds which records are probably of one entity: proposes blocking rules, learns how often fields agree by chance and among matches, and weighs the candidate
 * pairs. Nothing is labelled, nothing is set by hand. The work is shared by as many threads as the machine has cores.
 */
export async function match(
  all: Columns,
  { clock, parts, signal, say = () => undefined }: MatchOptions,
): Promise<Matched> {
  const seconds: Record<string, number> = {}
  const step = async <Result>(name: string, work: () => Promise<Result> | Result): Promise<Result> => {
    signal?.throwIfAborted()
    say(name)
    const began = clock.ms()
    const result = await work()
    seconds[name] = (clock.ms() - began) / 1_000
    return result
  }
  const { rules, refused } = await step('propose rules', () => proposeRules(all))
  const blocks = await step('block', () => prepareBlocks(all, rules))
  const job: Job = { all, blocks, parts }
  const threads =
    all.records < alone
      ? inThisThread(job)
      : startThreads<MatchTask, MatchAnswer>(join(import.meta.dirname, 'match-thread.ts'), job)
  try {
    const ask = (task: MatchTask) => {
      signal?.throwIfAborted()
      return threads.ask(task)
    }
    const { decode } = levelCodes(all)
    const patternsOf = (counts: ReadonlyMap<number, number>, times = 1): Pattern[] =>
      [...counts].map(([code, pairs]) => ({ levels: decode(code), pairs: pairs * times }))

    const chances = await step('learn from random pairs', async () => {
      const random = await Promise.all(
        Array.from({ length: randomPairs / randomAtOnce }, (_, at) =>
          ask({ do: 'random', pairs: randomAtOnce, seed: at + 1 }),
        ),
      )
      const beside = await Promise.all(
        all.columns.map((_, field) => ask({ do: 'beside', field, pairs: besidePairs, seed: field + 1 })),
      )
      return learnChances(
        all,
        patternsOf(added(random.flatMap((one) => (one.did === 'random' ? [one.counts] : [])))),
        beside.map((one) => (one.did === 'beside' ? patternsOf(one.counts) : [])),
      )
    })
    const {
      blocks: training,
      candidates,
      newPairs,
    } = await step('learn from candidates', async () => {
      const total = rules.reduce((sum, { pairs }) => sum + pairs, 0)
      const every = Math.max(1, Math.round(total / countedPairs))
      const found = await Promise.all(
        rules.flatMap((_, rule) => {
          const pieces = (blocks.pieces[rule]?.length ?? 1) - 1
          const step = Math.min(every, Math.max(1, pieces))
          return Array.from({ length: Math.ceil(pieces / step) }, (__, at) =>
            ask({ do: 'count', rule, piece: at * step }),
          )
        }),
      )
      return rules
        .map((rule, at) => {
          const mine = found.flatMap((one) => (one.did === 'count' && one.rule === at ? [one] : []))
          const pieces = (blocks.pieces[at]?.length ?? 1) - 1
          const times = mine.length === 0 ? 1 : pieces / mine.length
          const own = patternsOf(added(mine.map((one) => one.own)), times)
          return {
            block: {
              blocked: new Set(rule.parts.map((part) => part.field)),
              patterns: patternsOf(added(mine.map((one) => one.counts))),
            },
            own,
          }
        })
        .reduce<{ blocks: { blocked: Set<number>; patterns: Pattern[] }[]; candidates: Pattern[]; newPairs: number[] }>(
          (sum, { block, own }) => ({
            blocks: [...sum.blocks, block],
            candidates: [...sum.candidates, ...own],
            newPairs: [...sum.newPairs, own.reduce((pairs, one) => pairs + one.pairs, 0)],
          }),
          { blocks: [], candidates: [], newPairs: [] },
        )
    })
    const model = await step('train', () => train(chances, training, candidates, pairsInAll(all.records, parts)))
    const isBlind = model.untrained.length === all.columns.length
    const scored = await step('score', async () => {
      if (isBlind) return []
      threads.tell({ do: 'use', trained: model, least: leastWeight })
      return Promise.all(
        rules.flatMap((_, rule) =>
          Array.from({ length: (blocks.pieces[rule]?.length ?? 1) - 1 }, (__, piece) =>
            ask({ do: 'score', rule, piece }),
          ),
        ),
      )
    })
    const linksOf = rules.map(() => 0)
    for (const one of scored) if (one.did === 'score') linksOf[one.rule] = (linksOf[one.rule] ?? 0) + one.left.length
    return {
      rules: rules.map((rule, at) => ({ ...rule, newPairs: newPairs[at] ?? 0, links: linksOf[at] ?? 0 })),
      refused,
      model,
      links: isBlind ? sameRows(all) : together(scored),
      pairs: newPairs.reduce((sum, one) => sum + one, 0),
      seconds,
    }
  } finally {
    await threads.stop()
  }
}

function inThisThread(job: Job): Threads<MatchTask, MatchAnswer> {
  const work = matchWork(job)
  return {
    count: 1,
    // Later than now: others have their turn between two pieces.
    ask: async (task) => {
      await new Promise<void>((resolve) => {
        setImmediate(resolve)
      })
      return work(task)
    },
    tell: (task) => void work(task),
    stop: () => Promise.resolve(),
  }
}

/**
 * Where nothing can be learned because too few rows agree: rows that say the same in every field, two at least, are one all the same. As bits they get what
 * nobody would doubt.
 */
function sameRows({ cells, columns, records }: Columns): Links {
  const width = columns.length
  const first = new Map<string, number>()
  const pairs: [number, number][] = []
  for (let record = 0; record < records; record++) {
    const row = cells.subarray(record * width, (record + 1) * width)
    if (row.filter((cell) => cell !== 0).length < 2) continue
    const key = row.join(' ')
    const before = first.get(key)
    if (before === undefined) first.set(key, record)
    else pairs.push([before, record])
  }
  return {
    left: Uint32Array.from(pairs, ([left]) => left),
    right: Uint32Array.from(pairs, ([, right]) => right),
    weight: new Float32Array(pairs.length).fill(surely),
    count: pairs.length,
  }
}
const surely = 20

function added(all: readonly ReadonlyMap<number, number>[]): Map<number, number> {
  const sum = new Map<number, number>()
  for (const one of all) for (const [code, pairs] of one) sum.set(code, (sum.get(code) ?? 0) + pairs)
  return sum
}

function pairsInAll(records: number, parts: Uint8Array | undefined): number {
  const all = (records * (records - 1)) / 2
  if (parts === undefined) return all
  const sizes = new Map<number, number>()
  for (const part of parts) sizes.set(part, (sizes.get(part) ?? 0) + 1)
  return [...sizes.values()].reduce((left, size) => left - (size * (size - 1)) / 2, all)
}

function together(scored: readonly MatchAnswer[]): Links {
  const some = scored.flatMap((one) => (one.did === 'score' ? [one] : []))
  const count = some.reduce((sum, one) => sum + one.left.length, 0)
  const links = { left: new Uint32Array(count), right: new Uint32Array(count), weight: new Float32Array(count), count }
  let at = 0
  for (const one of some) {
    links.left.set(one.left, at)
    links.right.set(one.right, at)
    links.weight.set(one.weight, at)
    at += one.left.length
  }
  return links
}
