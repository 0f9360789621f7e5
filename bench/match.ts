import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { once } from 'node:events'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Misuse } from '../apps/server/commands/command.ts'
import { keyReader } from '../lib/linkage/blocking.ts'
import { qualityOf } from '../lib/linkage/measure.ts'
import { resolveTables, type Resolved, type ResolveTable } from '../modules/matching/server/index.ts'
import { systemClock } from '../platform/clock/clock.ts'
import { removeDataDirs } from '../platform/data-dir/remove.ts'
import { cpuMs } from './parts/cpu.ts'
import { people, type PersonRecord } from './match/people.ts'

/**
 * `npx interlock bench match [rows=N] [splink=PYTHON]`: finds who is who among a million records with the errors of real ones, from reading them to clusters,
 * everything learned from the data. With a Python that has Splink, the same rows and the same blocking keys go through it next.
 */
export const name = 'match'

const usualRows = 1_000_000
const columns = ['first_name', 'surname', 'dob', 'email', 'phone', 'postcode', 'city']
const cellsOf = (one: PersonRecord) => [
  one.givenName,
  one.surname,
  one.dateOfBirth,
  one.email,
  one.phone,
  one.postcode,
  one.city,
]

export async function run(words: readonly string[] = []) {
  const said = new Map(words.map((word) => [word.split('=')[0], word.slice(word.indexOf('=') + 1)]))
  for (const key of said.keys())
    if (key !== 'rows' && key !== 'splink') throw new Misuse('Say: bench match [rows=N] [splink=PYTHON]')
  const rows = Number(said.get('rows') ?? usualRows)
  const python = said.get('splink')
  const folder = await mkdtemp(join(tmpdir(), 'interlock-bench-match-'))
  try {
    const all = Array.from(people(rows))
    const truth = all.map((one) => String(one.person))
    const table: ResolveTable = {
      name: 'people',
      columns,
      async *rows() {
        for (let from = 0; from < all.length; from += 10_000) yield all.slice(from, from + 10_000).map(cellsOf)
        await Promise.resolve()
      },
    }
    const cpu = cpuMs(process.pid)
    const began = performance.now()
    const resolved = await resolveTables([table], { clock: systemClock })
    const seconds = (performance.now() - began) / 1_000
    const spent = cpuMs(process.pid)
    const quality = qualityOf(resolved.clusters, truth)
    const figures: Record<string, number> = {
      rows,
      seconds: round(seconds),
      cpu_seconds:
        cpu === undefined || spent === undefined
          ? 0
          : round((spent.process - cpu.process + spent.below - cpu.below) / 1_000),
      pairs: Math.round(resolved.pairs),
      pair_completeness: round(completeness(truth, resolved), 4),
      precision: round(quality.precision, 4),
      recall: round(quality.recall, 4),
      f1: round(quality.f1, 4),
      rss_mb: mostMemory(),
      ...Object.fromEntries(
        Object.entries(resolved.seconds).map(([step, time]) => [`${step.replaceAll(' ', '_')}_seconds`, round(time)]),
      ),
    }
    const peers = python === undefined ? {} : await beside(folder, python, resolved, seconds, all)
    return {
      figures,
      peers,
      notes: [
        `${rows.toLocaleString('en-GB')} records of ${new Set(truth).size.toLocaleString('en-GB')} people (bench/match/people.ts): slips, short names, swapped names, other addresses, gaps. Columns recognised, rules proposed, all weights learned; seconds are from the first row read to the clusters.`,
        'pair_completeness: of the true pairs, the share that is compared at all. rss_mb is the most that the process had, all its threads.',
        ...(python === undefined
          ? ['Splink was not run: say splink=PYTHON with a Python that has it (pip install splink).']
          : [
              'Splink had the same rows, the same blocking keys and two threads, and of all thresholds the best one, found with the truth.',
            ]),
        `Everything shares ${String(cpus().length)} cores (load average ${(loadavg()[0] ?? 0).toFixed(1)}).`,
      ],
    }
  } finally {
    await removeDataDirs(folder)
  }
}

/** @returns of the true pairs, the share that agrees on a rule */
function completeness(truth: readonly string[], { all, rules }: Resolved): number {
  const keysOf = rules.map((rule) => keyReader(all, rule.parts))
  let [pairs, compared] = [0, 0]
  // Records of one person come one after the other.
  for (let from = 0; from < truth.length; from++)
    for (let to = from + 1; to < truth.length && truth[to] === truth[from]; to++) {
      pairs += 1
      if (keysOf.some((keyOf) => keyOf(from) !== 0 && keyOf(from) === keyOf(to))) compared += 1
    }
  return pairs === 0 ? 1 : compared / pairs
}

/** Splink on the same rows, in a process of its own, once ours is done. */
async function beside(
  folder: string,
  python: string,
  { all, rules }: Resolved,
  seconds: number,
  people: readonly PersonRecord[],
): Promise<Record<string, number>> {
  const path = join(folder, 'people.csv')
  const keysOf = rules.map((rule) => keyReader(all, rule.parts))
  const file = createWriteStream(path)
  file.write(`id,person,${columns.join(',')},${rules.map((_, at) => `k${String(at)}`).join(',')}\n`)
  for (const one of people) {
    const line = `${[String(one.id), String(one.person), ...cellsOf(one), ...keysOf.map((keyOf) => String(keyOf(one.id) || ''))].join(',')}\n`
    if (!file.write(line)) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
  const { stdout } = await promisify(execFile)(
    python,
    [join(import.meta.dirname, 'peers', 'beside_splink.py'), path, String(rules.length)],
    { maxBuffer: 64 * 1024 * 1024, timeout: 1_800_000 },
  )
  const told = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, number | string>
  const number = (key: string) => Number(told[key] ?? 0)
  return {
    splink_seconds: number('seconds'),
    splink_training_seconds: number('training_seconds'),
    splink_scoring_seconds: number('scoring_seconds'),
    splink_f1: number('f1'),
    splink_precision: number('precision'),
    splink_recall: number('recall'),
    splink_threshold: number('threshold'),
    splink_rss_mb: number('rss_mb'),
    times_as_fast: round(number('seconds') / seconds),
  }
}

const round = (value: number, digits = 2) => Number(value.toFixed(digits))

/** @returns MB that the process had at most */
const mostMemory = () => Math.round(process.resourceUsage().maxRSS / 1_000)
