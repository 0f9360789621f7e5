import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Draws the module map from the code's own imports. `npm run map` prints it; ARCHITECTURE.md holds the same text (test/tidy.test.ts). */

const root = join(import.meta.dirname, '..')

interface Cruised {
  modules: { source: string; dependencies: { resolved: string; circular: boolean }[] }[]
  summary: { violations: unknown[]; totalCruised: number; totalDependenciesCruised: number }
}

export function cruise(): Cruised {
  const out = execFileSync(
    process.execPath,
    [
      join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'),
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'json',
      'apps',
      'modules',
      'platform',
      'lib',
      'ui',
      'sdk',
    ],
    { cwd: root, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  )
  return JSON.parse(out) as Cruised
}

/** One line a module, lowest first, with the modules that it calls. */
export function moduleMap(cruised: Cruised): string {
  const calls = new Map<string, Set<string>>()
  const of = (path: string) => /^modules\/([^/]+)\//.exec(path)?.[1]
  for (const file of cruised.modules) {
    const from = of(file.source)
    if (from === undefined || /[.]test[.]tsx?$/.test(file.source)) continue
    const set = calls.get(from) ?? new Set<string>()
    calls.set(from, set)
    for (const { resolved } of file.dependencies) {
      const to = of(resolved)
      if (to !== undefined && to !== from) set.add(to)
    }
  }
  const height = new Map<string, number>()
  const heightOf = (name: string): number => {
    const known = height.get(name)
    if (known !== undefined) return known
    height.set(name, 0)
    const own = Math.max(-1, ...[...(calls.get(name) ?? [])].map(heightOf)) + 1
    height.set(name, own)
    return own
  }
  for (const name of calls.keys()) heightOf(name)
  return [...calls]
    .sort(([a], [b]) => heightOf(a) - heightOf(b) || a.localeCompare(b))
    .map(([name, to]) =>
      `${String(heightOf(name))}  ${name.padEnd(11)}${to.size === 0 ? '' : ` → ${[...to].sort().join(', ')}`}`.trimEnd(),
    )
    .join('\n')
}

if (import.meta.main) {
  const cruised = cruise()
  process.stdout.write(`${moduleMap(cruised)}\n\n`)
  process.stdout.write(
    `files looked at ${String(cruised.summary.totalCruised)}, imports ${String(cruised.summary.totalDependenciesCruised)}, violations (boundaries, cycles, types included) ${String(cruised.summary.violations.length)}\n\nThe ten longest files:\n`,
  )
  const longest = execFileSync('git', ['ls-files', '*.ts', '*.tsx', '*.sql', '*.css'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((path) => path !== '')
  const counted = execFileSync('wc', ['-l', ...longest], { cwd: root, encoding: 'utf8' })
  const rows = counted
    .split('\n')
    .map((line) => /^\s*(\d+) (.+)$/.exec(line))
    .flatMap((match) =>
      match === null || match[2] === 'total' ? [] : [{ lines: Number(match[1]), path: match[2] ?? '' }],
    )
    .sort((a, b) => b.lines - a.lines)
    .slice(0, 10)
  for (const row of rows) process.stdout.write(`${String(row.lines).padStart(5)}  ${row.path}\n`)
}
