import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** What is built here from what. */
interface Build {
  /** Where its `vite.config.ts` is; `dist` in it gets what is built. */
  folder: string
  from: string[]
  /** The file that tells that it was built. */
  made: string
  mode?: string
}
const pages: Build = { folder: 'apps/web', from: ['apps/web', 'lib', 'modules', 'ui'], made: 'index.html' }
const tracker: Build = { folder: 'sdk/browser', from: ['sdk/browser'], made: 'interlock.js', mode: 'snippet' }

/** Everything that it is made of. */
function inputs(folders: readonly string[]): string {
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
  for (const folder of folders) walk(join(root, folder))
  hash.update(readFileSync(join(root, 'package-lock.json')))
  return hash.digest('hex')
}

/**
 * The folder with what was built; builds it when what it is made of has changed since. An image brings it built and without its sources, so nothing
 * is compared there.
 */
async function built({ folder, from, made, mode }: Build, sayFirst: () => void): Promise<string> {
  const dist = join(root, folder, 'dist')
  const stamp = join(dist, '.built-from')
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  if (!existsSync(join(root, folder, 'vite.config.ts')) || !existsSync(vite)) return dist
  const wanted = inputs(from)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(join(dist, made))) return dist
  sayFirst()
  let output = ''
  const words = ['build', '--logLevel', 'warn', ...(mode === undefined ? [] : ['--mode', mode]), join(root, folder)]
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(process.execPath, [vite, ...words], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', reject)
    child.on('exit', resolve)
  })
  if (code !== 0) throw new Error(`${folder} could not be built:\n${output}`)
  writeFileSync(stamp, wanted)
  return dist
}

/**
 * The folder with the built pages; builds them (about ten seconds) when they are stale.
 * @param say is told before a build begins
 */
export const builtPages = (say: (sentence: string) => void): Promise<string> =>
  built(pages, () => {
    say('Building the pages…')
  })

/** The tracker that `/interlock.js` serves, built (in a second) when it is stale; undefined where an image came without it. */
export async function builtTracker(): Promise<Uint8Array | undefined> {
  const file = join(await built(tracker, () => undefined), tracker.made)
  return existsSync(file) ? readFileSync(file) : undefined
}
