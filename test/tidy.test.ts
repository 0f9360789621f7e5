import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { refusals } from '../lib/refusals/refusals.ts'
import { cruise, moduleMap } from './module-map.ts'

/** House rules that no other tool knows. */

const root = join(import.meta.dirname, '..')
const files = (extension: RegExp, ...folders: string[]) =>
  execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', ...folders], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((path) => extension.test(path) && existsSync(join(root, path)))
const text = (path: string) => readFileSync(join(root, path), 'utf8')
const modules = readdirSync(join(root, 'modules'))

describe('the house', () => {
  it('gives every module a README of at most forty lines, a contract and a front door', () => {
    for (const module of modules) {
      const readme = join('modules', module, 'README.md')
      expect(existsSync(join(root, readme)), readme).toBe(true)
      expect(text(readme).trim().split('\n').length, readme).toBeLessThanOrEqual(40)
      expect(existsSync(join(root, 'modules', module, 'contract.ts')), `${module}/contract.ts`).toBe(true)
      expect(
        existsSync(join(root, 'modules', module, 'server', 'index.ts')) ||
          existsSync(join(root, 'modules', module, 'web', 'index.tsx')),
        `${module}: a front door`,
      ).toBe(true)
    }
  })

  it('names migrations by time, module and deed, says why in the first line, and never gives two the same time', () => {
    const migrations = files(/[.]sql$/, 'migrations')
    expect(migrations.length).toBeGreaterThan(0)
    const owners = new Set([...modules.map((module) => module.replaceAll('-', '_')), 'platform'])
    for (const path of migrations) {
      const name = path.split('/').at(-1) ?? ''
      const match = /^\d{8}T\d{4}_([a-z0-9_]+)[.]sql$/.exec(name)
      expect(match, path).not.toBeNull()
      expect(
        [...owners].some((owner) => match?.[1]?.startsWith(`${owner}_`)),
        `${path} names a module`,
      ).toBe(true)
      expect(text(path).startsWith('-- '), `${path} begins with why`).toBe(true)
    }
    const times = migrations.map((path) => `${path.split('/')[1] ?? ''} ${(path.split('/').at(-1) ?? '').slice(0, 13)}`)
    expect(new Set(times).size).toBe(times.length)
  })

  it('documents every refusal, and no other', () => {
    const documented = [...text('docs/refusals.md').matchAll(/^\| `([a-z_]+)` +\| (\d{3}) +\|/gm)].map(
      (match) => `${match[1] ?? ''} ${match[2] ?? ''}`,
    )
    expect(documented.sort()).toEqual(
      Object.entries(refusals)
        .map(([code, row]) => `${code} ${String(row.status)}`)
        .sort(),
    )
  })

  it('asks for time, chance, timers, files and sockets only in platform/', () => {
    const forbidden: [RegExp, string][] = [
      [/\bDate\.now\(\)|\bnew Date\(\)|performance\.now\(\)/, 'the clock'],
      [/\bMath\.random\(\)|\bcrypto\.getRandomValues|\brandomUUID\(/, 'chance'],
      [/\b(setTimeout|setInterval)\(/, 'timers'],
      [/from 'node:(fs|net|http|https|tls|dgram|dns|child_process|worker_threads)(\/promises)?'/, 'files and sockets'],
      [/(?<![.\w])fetch\(/, 'the network'],
      [/process\.env\b/, 'the environment'],
    ]
    for (const path of files(/(?<![.]test)[.]ts$/, 'lib', 'modules').filter((path) => !path.includes('/web/'))) {
      for (const [pattern, what] of forbidden)
        expect(pattern.test(text(path)), `${path} reaches for ${what}`).toBe(false)
    }
  })

  it('opens outgoing connections in one place', () => {
    for (const path of files(/(?<![.]test)[.]tsx?$/, 'apps/server', 'lib', 'platform', 'modules').filter(
      (path) => !/^platform\/(egress|mail|clickhouse)\//.test(path),
    )) {
      expect(/from 'undici'|(?<![.\w])fetch\(['"`]https?:/.test(text(path)), path).toBe(false)
    }
  })

  it('has no default export, no mark of unfinished work and no silenced type outside tests', () => {
    for (const path of files(/(?<![.]test)[.]tsx?$/, 'apps', 'lib', 'platform', 'modules', 'ui', 'sdk')) {
      if (path.endsWith('vite.config.ts')) continue
      expect(/^export default/m.test(text(path)), `${path}: default export`).toBe(false)
      expect(/\b(TODO|FIXME|XXX|HACK)\b|not implemented|coming soon/i.test(text(path)), `${path}: unfinished`).toBe(
        false,
      )
      expect(/\bas any\b|: any\b|@ts-(ignore|nocheck|expect-error)/.test(text(path)), `${path}: silenced type`).toBe(
        false,
      )
    }
  })

  it('publishes each SDK alone: no dependencies, a licence, types, a README, and the version that it says it has', () => {
    for (const name of readdirSync(join(root, 'sdk'))) {
      const said = JSON.parse(text(`sdk/${name}/package.json`)) as Record<string, unknown>
      expect(said, name).toMatchObject({
        name: `@interlock/${name}`,
        license: 'Apache-2.0',
        types: './dist/index.d.ts',
      })
      expect(said['dependencies'] ?? {}, name).toEqual({})
      expect(text(`sdk/${name}/README.md`)).toContain(`# @interlock/${name}`)
      expect(text(`sdk/${name}/src/version.ts`)).toContain(`'${String(said['version'])}'`)
    }
  })

  it('reads the environment in one file', () => {
    const readers = files(/(?<![.]test)[.]ts$/, 'apps', 'lib', 'platform', 'modules').filter((path) =>
      /process\.env\b/.test(text(path)),
    )
    expect(readers.filter((path) => !['apps/server/cli.ts', 'apps/web/vite.config.ts'].includes(path))).toEqual([])
  })
})

describe('the boundary check', () => {
  const cruised = cruise()

  it('really looked at the files, and found nothing', () => {
    const looked = new Set(cruised.modules.map((module) => module.source))
    const expected = files(/[.]tsx?$/, 'apps', 'modules', 'platform', 'lib', 'ui', 'sdk').filter(
      (path) => !path.endsWith('.d.ts'),
    )
    expect(expected.filter((path) => !looked.has(path))).toEqual([])
    const edges = cruised.modules
      .filter((module) => expected.includes(module.source))
      .flatMap((module) => module.dependencies)
    expect(edges.length).toBeGreaterThan(expected.length)
    expect(cruised.summary.violations).toEqual([])
  })

  it('drew the module map that ARCHITECTURE.md shows', () => {
    expect(text('ARCHITECTURE.md')).toContain(moduleMap(cruised))
  })
})
