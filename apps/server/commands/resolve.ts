import { createWriteStream, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { once } from 'node:events'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { qualityOf, type Quality } from '../../../lib/linkage/measure.ts'
import { kindNames, ResolveConfig } from '../../../modules/matching/contract.ts'
import { openTable } from '../../../modules/imports/server/index.ts'
import {
  explainPair,
  resolveReport,
  resolveTables,
  type Explained,
  type Resolved,
  type ResolveTable,
} from '../../../modules/matching/server/index.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { fileAt } from '../../../platform/files/files.ts'
import { common, Misuse, type Command } from './command.ts'

export const resolve: Command = {
  name: 'resolve',
  usage: 'resolve FILE…',
  summary:
    'Find which rows of a table, or of several, are one person or company: no server, no configuration, no labels. Writes the rows with their cluster.',
  options: {
    json: common.json,
    out: { type: 'string', value: 'FILE', says: 'where the rows go with their cluster (default FILE.clusters.csv)' },
    report: { type: 'string', value: 'FILE', says: 'a page of HTML with weights, rules, sizes and thresholds' },
    score: { type: 'string', value: 'COLUMN', says: 'compare with the truth: rows that share this value are one' },
    explain: {
      type: 'string',
      value: 'ROW,ROW',
      says: 'why two rows are one or not; rows are counted from 1, over all files',
    },
    link: {
      type: 'boolean',
      says: 'several files that each have an entity once: only rows of different files may be one',
    },
    threshold: { type: 'string', value: 'BITS', says: 'how much must speak for it, on average (default 0: even odds)' },
    config: { type: 'string', value: 'FILE', says: 'YAML: columns: { NAME: KIND or ignore }, threshold: BITS' },
  },
  async run({ options, rest, print, json }) {
    if (rest.length === 0) throw new Misuse('Say which file: interlock resolve customers.csv')
    for (const path of rest) if (!existsSync(path)) throw new Misuse(`There is no file ${path}.`)
    if (options['link'] === true && rest.length < 2) throw new Misuse('--link wants two files or more.')
    const config = readConfigFile(options['config'])
    const threshold = options['threshold'] === undefined ? config.threshold : Number(options['threshold'])
    if (threshold !== undefined && !Number.isFinite(threshold))
      throw new Misuse('--threshold wants a number of bits, for example 3.')
    const pair = readPair(options['explain'])
    const truth = typeof options['score'] === 'string' ? options['score'] : undefined
    const tables = await Promise.all(rest.map(tableOf))
    const out = typeof options['out'] === 'string' ? options['out'] : `${rest[0] ?? 'rows'}.clusters.csv`
    for (const path of [out, options['report']])
      if (typeof path === 'string' && !existsSync(dirname(path)))
        throw new Misuse(`There is no folder ${dirname(path)}.`)
    const began = performance.now()
    const resolved = await resolveTables(tables, {
      clock: systemClock,
      ...(config.columns === undefined ? {} : { columns: config.columns }),
      ...(threshold === undefined ? {} : { threshold }),
      ...(truth === undefined ? {} : { truth }),
      link: options['link'] === true,
      say: (step) => {
        if (!json && process.stderr.isTTY) process.stderr.write(`\r\u001B[2K${step} …`)
      },
    })
    if (!json && process.stderr.isTTY) process.stderr.write('\r\u001B[2K')
    const seconds = (performance.now() - began) / 1_000
    const quality = resolved.truth === undefined ? undefined : qualityOf(resolved.clusters, resolved.truth)
    const explained = pair === undefined ? undefined : explainPair(resolved, pair[0], pair[1])
    await writeClusters(out, tables, resolved)
    if (typeof options['report'] === 'string')
      writeFileSync(
        options['report'],
        resolveReport(resolved, `Who is who in ${rest.map((path) => basename(path)).join(' and ')}`, quality),
      )
    print(
      json
        ? JSON.stringify({
            ...figuresOf(resolved, seconds),
            ...(quality === undefined ? {} : { quality }),
            ...(explained === undefined ? {} : { explained }),
            out,
          })
        : wordsOf(resolved, seconds, quality, explained, out, options['report']),
    )
    return 0
  },
}

function readConfigFile(path: string | true | undefined): ResolveConfig {
  if (typeof path !== 'string') return {}
  if (!existsSync(path)) throw new Misuse(`There is no file ${path}.`)
  const read = ResolveConfig.safeParse(parseYaml(readFileSync(path, 'utf8')))
  if (read.success) return read.data
  throw new Misuse(`${path}: ${z.prettifyError(read.error)}\nKinds of columns: ${kindNames.join(', ')}, ignore.`)
}

function readPair(text: string | true | undefined): [number, number] | undefined {
  if (typeof text !== 'string') return undefined
  const rows = text.split(',').map(Number)
  const [left = 0, right = 0] = rows
  if (rows.length !== 2 || !rows.every((row) => Number.isInteger(row) && row > 0))
    throw new Misuse('--explain wants two numbers of rows: --explain 12,31')
  return [left - 1, right - 1]
}

async function tableOf(path: string): Promise<ResolveTable> {
  const table = await openTable(fileAt(path), statSync(path).size)
  return {
    name: path,
    columns: table.columns.map((column) => column.name),
    async *rows() {
      for await (const some of table.records()) yield some.map((record) => record.cells)
    },
  }
}

/** The rows as they were, behind the number of their cluster: the number of its first row, from 1. */
async function writeClusters(path: string, tables: readonly ResolveTable[], { clusters }: Resolved): Promise<void> {
  const names = [...new Set(tables.flatMap((table) => table.columns))]
  const file = createWriteStream(path)
  const several = tables.length > 1
  const line = (cells: readonly string[]) => `${cells.map(cellOf).join(',')}\n`
  file.write(line(['interlock_cluster', 'interlock_row', ...(several ? ['interlock_file'] : []), ...names]))
  let row = 0
  for (const table of tables) {
    const places = names.map((name) => table.columns.indexOf(name))
    for await (const some of table.rows()) {
      let text = ''
      for (const cells of some) {
        text += line([
          String((clusters[row] ?? row) + 1),
          String(row + 1),
          ...(several ? [basename(table.name)] : []),
          ...places.map((place) => cells[place] ?? ''),
        ])
        row += 1
      }
      if (!file.write(text)) await once(file, 'drain')
    }
  }
  file.end()
  await once(file, 'close')
}

const cellOf = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

const figuresOf = (resolved: Resolved, seconds: number) => ({
  rows: resolved.count,
  entities: new Set(resolved.clusters).size,
  pairs: Math.round(resolved.pairs),
  links: resolved.links.count,
  threshold: resolved.threshold,
  untrained: resolved.model.untrained.map((at) => resolved.fields[at]?.name ?? ''),
  seconds: Number(seconds.toFixed(2)),
  steps: resolved.seconds,
  columns: Object.fromEntries(
    resolved.columns.map(({ name, recognised }) => [
      name,
      'kind' in recognised ? recognised.kind : `ignored: ${recognised.ignored}`,
    ]),
  ),
})

function wordsOf(
  resolved: Resolved,
  seconds: number,
  quality: Quality | undefined,
  explained: Explained | undefined,
  out: string,
  report: string | true | undefined,
): string {
  const { rows, entities, pairs, columns, untrained } = figuresOf(resolved, seconds)
  const number = (value: number) => value.toLocaleString('en-GB')
  const lines = [
    `${number(rows)} rows are ${number(entities)} entities (${number(pairs)} pairs compared, ${seconds.toFixed(1)} s).`,
    '',
    ...Object.entries(columns).map(([name, kind]) => `  ${name.padEnd(24)}  ${kind}`),
    '',
    ...(untrained.length === 0
      ? []
      : [
          `Nothing could be learned of ${untrained.join(', ')}: too few rows agree. ${untrained.length === resolved.fields.length ? 'So only rows that say the same in everything were put together.' : 'So it counts for nothing.'}`,
          '',
        ]),
    `The rows with their cluster are in ${out}.`,
    ...(typeof report === 'string' ? [`The report is ${report}.`] : []),
  ]
  if (quality !== undefined)
    lines.push(
      '',
      `Compared with the truth: precision ${quality.precision.toFixed(4)}, recall ${quality.recall.toFixed(4)}, F1 ${quality.f1.toFixed(4)} (${number(quality.truePairs)} true pairs, ${number(quality.foundPairs)} found; the largest entity has ${number(quality.largest)} rows).`,
    )
  if (explained !== undefined)
    lines.push(
      '',
      `These two weigh ${explained.weight.toFixed(1)} bits: one entity with a probability of ${(explained.probability * 100).toFixed(2)}%.`,
      `  ${'before anything is compared'.padEnd(44)}${explained.prior.toFixed(1).padStart(8)}`,
      ...explained.fields.map(
        (field) =>
          `  ${`${field.name}: ${field.level}`.padEnd(44)}${field.weight.toFixed(1).padStart(8)}   ${field.values.map((value) => `“${value}”`).join(' · ')}`,
      ),
    )
  return lines.join('\n')
}
