// Brings the checkout to the state the lock file describes. Plain JavaScript, because it runs before anything is
// installed, on whatever Node (20 or later) the machine has; everything after it runs on the Node 26 that npm installs.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHash } from 'node:crypto'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
export const node = join(root, 'node_modules', 'node', 'bin', 'node')
const stamp = join(root, 'node_modules', '.interlock-installed')

/** Installs what is locked when package.json or the lock file changed since the last time; says so on standard error. */
export function setUp() {
  const wanted = createHash('sha256')
  for (const file of ['package.json', 'package-lock.json']) {
    const path = join(root, file)
    if (existsSync(path)) wanted.update(readFileSync(path))
  }
  const hash = wanted.digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash && existsSync(node)) return
  process.stderr.write('Installing what is locked (about a minute, 1.3 GB on disk)…\n')
  // npm install, not npm ci: npm ci refuses a lock file that lacks other platforms' builds of native packages.
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'])
  if (!existsSync(node)) {
    // The package `node` fetches its binary in an install script; where install scripts are off, run just that one.
    run('npm', ['rebuild', '--ignore-scripts=false', '--loglevel=error', 'node'])
  }
  if (!existsSync(node))
    fail(
      'The npm package `node` did not bring its binary. Allow its install script and try again: npm rebuild --ignore-scripts=false node',
    )
  const tried = spawnSync(node, ['--version'], { encoding: 'utf8' })
  if (tried.status !== 0)
    fail(
      `Node 26, which npm brought, does not run here: ${(tried.error?.message ?? tried.stderr).trim()}\nIf a library is missing, install it; on Debian and Ubuntu: apt-get install -y libatomic1`,
    )
  const link = join(root, 'node_modules', '.bin', 'interlock')
  mkdirSync(dirname(link), { recursive: true })
  rmSync(link, { force: true })
  symlinkSync('../../bin/interlock.js', link)
  writeFileSync(
    stamp,
    createHash('sha256')
      .update(readFileSync(join(root, 'package.json')))
      .update(readFileSync(join(root, 'package-lock.json')))
      .digest('hex'),
  )
}

function run(command, args) {
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (done.error) fail(`${command} could not be started: ${done.error.message}`)
  if (done.status !== 0) fail(`${command} ${args.join(' ')} ended with ${done.status ?? done.signal}.`)
}

/** @returns {never} */
export function fail(sentence) {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}
