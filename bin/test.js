// `npm test`: set-up, then every check in the order in which they are cheapest to fail. Options: a step's name runs it alone
// (`npm test -- types`), `--` and what follows goes to vitest.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { onCarriedNode } from './run.js'
import { root, setUp } from './setup.js'

setUp()
const bin = (name) => join(root, 'node_modules', name)
const rest = process.argv.includes('--') ? process.argv.slice(process.argv.indexOf('--') + 1) : []
const only = process.argv.slice(2).filter((word) => !word.startsWith('-') && !rest.includes(word))
const chromium = [process.env.CHROMIUM_PATH, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (path) => path && existsSync(path),
)

const steps = [
  [
    'format',
    'prettier: every file as prettier writes it',
    [bin('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.'],
  ],
  ['lint', 'oxlint, type-aware', [bin('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings', '--quiet']],
  ['types', 'tsc, strict', [bin('typescript/bin/tsc'), '--noEmit']],
  [
    'boundaries',
    'dependency-cruiser: layers, front doors, cycles',
    [
      bin('dependency-cruiser/bin/dependency-cruiser.mjs'),
      '--config',
      '.dependency-cruiser.cjs',
      'apps',
      'modules',
      'platform',
      'lib',
      'ui',
      'sdk',
    ],
  ],
  ['dead', 'knip: unused files, exports, packages', [bin('knip/bin/knip.js'), '--no-progress']],
  ['tests', 'vitest', [bin('vitest/vitest.mjs'), 'run', ...rest]],
]

const started = Date.now()
for (const [name, what, args] of steps) {
  if (only.length > 0 && !only.includes(name)) continue
  const at = Date.now()
  process.stdout.write(`\n── ${name} · ${what}\n`)
  const code = await onCarriedNode(args, { cwd: root })
  if (code !== 0) {
    process.stdout.write(`\n${name} failed (exit ${code}).\n`)
    process.exit(1)
  }
  process.stdout.write(`   ${name} passed in ${((Date.now() - at) / 1000).toFixed(1)} s\n`)
}
process.stdout.write(`\nAll of it in ${((Date.now() - started) / 1000).toFixed(0)} s.\n`)
if (!chromium) {
  process.stdout.write(
    'The browser tests were skipped, because there is no Chromium. Install it with: apt-get install -y chromium\n',
  )
  if (process.env.CI) process.exit(1)
}
