import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const dist = join(root, 'apps/web/dist')
const stamp = join(dist, '.built-from')

/** Everything that the pages are made of. */
function inputs(): string {
  const hash = createHash('sha256')
  const walk = (path: string) => {
    for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const at = join(path, entry.name)
      if (entry.isDirectory()) {
        if (entry.name !== 'dist' && entry.name !== 'server' && entry.name !== 'node_modules') walk(at)
      } else if (!/[.]test[.]tsx?$/.test(entry.name)) {
        hash.update(at.slice(root.length))
        hash.update(readFileSync(at))
      }
    }
  }
  for (const folder of ['apps/web', 'lib', 'modules', 'ui']) walk(join(root, folder))
  hash.update(readFileSync(join(root, 'package-lock.json')))
  return hash.digest('hex')
}

/**
 * The folder with the built pages; builds them (about ten seconds) when what they are made of has changed since. An image brings them built and
 * without their sources, so nothing is compared there.
 * @param say is told before a build begins
 */
export async function builtPages(say: (sentence: string) => void): Promise<string> {
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  if (!existsSync(join(root, 'apps/web/main.tsx')) || !existsSync(vite)) return dist
  const wanted = inputs()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && statSync(join(dist, 'index.html')).isFile())
    return dist
  say('Building the pages…')
  let output = ''
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(process.execPath, [vite, 'build', '--logLevel', 'warn', join(root, 'apps/web')], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', reject)
    child.on('exit', resolve)
  })
  if (code !== 0) throw new Error(`The pages could not be built:\n${output}`)
  writeFileSync(stamp, wanted)
  return dist
}
