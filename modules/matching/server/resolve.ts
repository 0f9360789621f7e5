import { cluster } from '../../../lib/linkage/clusters.ts'
import { packColumns, type Columns, type Field } from '../../../lib/linkage/columns.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { ResolveConfig } from '../contract.ts'
import { leastWeight, match, type Matched } from './match.ts'
import { recogniseColumns, type Recognised } from './recognise.ts'

/** One file. Its rows are read more than once, so none is kept. */
export interface ResolveTable {
  name: string
  columns: readonly string[]
  rows(): AsyncIterable<readonly (readonly string[])[]>
}

export interface ResolveOptions {
  clock: Pick<Clock, 'ms'>
  /** By column: a kind, or `ignore`. What is not named is recognised. */
  columns?: NonNullable<ResolveConfig['columns']>
  /** The column that says which rows are one. It is not compared, but kept to compare with. */
  truth?: string
  /** In bits; two clusters become one while the mean weight between them is at least this. */
  threshold?: number
  /** Of several files: only rows of different files may be one, and each file has an entity once. */
  link?: boolean
  signal?: AbortSignal
  say?: (step: string) => void
}

export interface Resolved extends Matched {
  /** Rows of all files, one file after the other. */
  count: number
  all: Columns
  columns: { name: string; recognised: Recognised }[]
  fields: Field[]
  /** For each row the first row of its cluster. */
  clusters: Uint32Array
  threshold: number
  truth?: string[]
}

/** The odds are even: two are one when on the whole more speaks for it than against. */
export const evenOdds = 0
const sampled = 20_000
/** The file of a row has one byte. */
const mostFiles = 255
/** All are in memory: about a kilobyte each. */
const mostRows = 10_000_000

/**
 * Finds which rows of one table, or of several, are one entity: recognises the columns, matches, clusters.
 * @throws Refusal('bad_input') when there is nothing to compare
 */
export async function resolveTables(tables: readonly ResolveTable[], options: ResolveOptions): Promise<Resolved> {
  const { threshold = evenOdds, say = () => undefined, signal, link = false, truth } = options
  const names = [...new Set(tables.flatMap((table) => table.columns))]
  if (truth !== undefined && !names.includes(truth))
    throw new Refusal('bad_input', `There is no column ${truth} to compare with. There are: ${names.join(', ')}.`)
  const unknown = Object.keys(options.columns ?? {}).find((name) => !names.includes(name))
  if (unknown !== undefined)
    throw new Refusal('bad_input', `There is no column ${unknown}. There are: ${names.join(', ')}.`)
  if (link && tables.length > mostFiles)
    throw new Refusal(
      'bad_input',
      `At most ${String(mostFiles)} files are linked at once; these are ${String(tables.length)}.`,
    )
  say('look at the columns')
  const columns = await recognised(names, tables, options)
  const fields = columns.flatMap(({ name, recognised: one }) => ('kind' in one ? [{ name, kind: one.kind }] : []))
  if (fields.length === 0)
    throw new Refusal(
      'bad_input',
      'No column says anything that can be compared. Say of what kind the columns are, with --config.',
    )
  say('load')
  const { all, sources, truths } = await load(tables, fields, truth, signal)
  const count = sources.length
  if (count < 2) throw new Refusal('bad_input', 'There are fewer than two rows, so none can be another.')
  const matched = await match(all, {
    clock: options.clock,
    say,
    ...(link ? { parts: Uint8Array.from(sources) } : {}),
    ...(signal === undefined ? {} : { signal }),
  })
  say('cluster')
  const clusters = cluster(count, matched.links, {
    threshold,
    unseen: leastWeight,
    ...(link ? { source: sources, once: new Set(tables.keys()) } : {}),
  })
  return {
    ...matched,
    all,
    count,
    columns,
    fields,
    clusters,
    threshold,
    ...(truth === undefined ? {} : { truth: truths }),
  }
}

async function recognised(
  names: readonly string[],
  tables: readonly ResolveTable[],
  { columns = {}, truth }: Pick<ResolveOptions, 'columns' | 'truth'>,
): Promise<Resolved['columns']> {
  const samples = new Map(names.map((name) => [name, [] as string[]]))
  let seen = 0
  for (const table of tables) {
    let left = Math.ceil(sampled / tables.length)
    for await (const some of table.rows()) {
      for (const cells of some.slice(0, left))
        for (const [at, name] of table.columns.entries()) {
          const value = cells[at]?.trim() ?? ''
          if (value !== '') samples.get(name)?.push(value)
        }
      seen += Math.min(left, some.length)
      left -= some.length
      if (left <= 0) break
    }
  }
  const found = recogniseColumns(
    names.map((name) => {
      const values = samples.get(name) ?? []
      return { name, samples: values, filled: values.length / Math.max(1, seen) }
    }),
  )
  return names.map((name, at) => {
    const said = columns[name]
    if (name === truth) return { name, recognised: { ignored: 'the truth, which the result is compared with' } }
    if (said === 'ignore') return { name, recognised: { ignored: 'you said so' } }
    return { name, recognised: said === undefined ? (found[at] ?? { ignored: 'unknown' }) : { kind: said } }
  })
}

async function load(
  tables: readonly ResolveTable[],
  fields: readonly Field[],
  truth: string | undefined,
  signal: AbortSignal | undefined,
) {
  const packed = packColumns(fields)
  const sources: number[] = []
  const truths: string[] = []
  for (const [at, table] of tables.entries()) {
    const places = fields.map(({ name }) => table.columns.indexOf(name))
    const truthAt = truth === undefined ? -1 : table.columns.indexOf(truth)
    for await (const some of table.rows()) {
      signal?.throwIfAborted()
      for (const cells of some) {
        if (sources.length >= mostRows)
          throw new Refusal('too_large', `More than ${mostRows.toLocaleString('en-GB')} rows are not resolved at once.`)
        packed.add(places.map((place) => cells[place] ?? ''))
        sources.push(at)
        if (truth !== undefined) truths.push(cells[truthAt] ?? '')
      }
    }
  }
  return { all: packed.columns(), sources, truths }
}
