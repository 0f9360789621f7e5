import { constants } from 'node:fs'
import {
  lstat,
  mkdir,
  open,
  opendir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  stat,
  type FileHandle,
} from 'node:fs/promises'
import { isAbsolute, join, normalize, sep } from 'node:path'
import { Refusal } from '../../lib/refusals/refusals.ts'

/** A file that lies in the folder. */
export interface Arrived {
  name: string
  bytes: number
  modifiedAt: Date
  /** Which file, how long and written when: the same mark is the same file, untouched. */
  mark: string
}

/** A folder into which others put files. */
export interface Inbox {
  /**
   * Whole files whose names fit, the oldest first, and those that are not taken, with the reason. Names that begin with a dot or end as programs name
   * what they still write are left out. @throws Refusal('not_now') when the folder cannot be read
   */
  look(fits: (name: string) => boolean): Promise<{ files: Arrived[]; refused: { name: string; because: string }[] }>
  /** Names among these that a program of this machine has open for writing, as far as this process may see (Linux alone tells). */
  beingWritten(files: readonly Arrived[]): Promise<ReadonlySet<string>>
  /** The bytes of a file. @throws Changed when it is not the one that was seen, or did not stay so while it was read */
  read(file: Arrived): AsyncGenerator<Uint8Array>
  /** Moves a file into `done/`, under a name of its own when one of its name lies there already. One that changed meanwhile stays. */
  done(file: Arrived): Promise<void>
}

/** A file is another one than it was when it was looked at. */
export class Changed extends Error {}

const stillWritten = /(^[.])|([.](part|partial|tmp|temp|filepart|crdownload|swp)$)|~$/i
/** Of a folder with more entries, the rest is not looked at: it is an archive and no inbox. */
const mostEntries = 10_000
const inside = (root: string, path: string) =>
  path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)

/**
 * @param path absolute, at or below one of `allowed`; links are followed as long as they stay below it
 * @throws Refusal('bad_input') for another place
 */
export async function openInbox(path: string, allowed: readonly string[]): Promise<Inbox> {
  const clean = normalize(path)
  const named = isAbsolute(path) ? allowed.find((one) => inside(normalize(one), clean)) : undefined
  if (named === undefined)
    throw new Refusal(
      'bad_input',
      allowed.length === 0
        ? 'No folder may be read yet. An administrator allows some with INTERLOCK_IMPORT_FOLDERS.'
        : `This folder is not allowed; these are, with what is below them: ${allowed.join(', ')} (INTERLOCK_IMPORT_FOLDERS).`,
    )
  const [root, folder] = await Promise.all([realpath(named), realpath(clean)]).catch(() => {
    throw new Refusal('bad_input', `There is no folder ${clean}, or it may not be read.`)
  })
  if (!inside(root, folder))
    throw new Refusal(
      'bad_input',
      'This folder is a link that leads out of what is allowed (INTERLOCK_IMPORT_FOLDERS).',
    )
  if (!(await stat(folder)).isDirectory()) throw new Refusal('bad_input', `${clean} is no folder.`)

  async function seen(name: string): Promise<Arrived | string | undefined> {
    const entry = join(folder, name)
    const own = await lstat(entry)
    if (own.isSymbolicLink()) {
      const target = await realpath(entry).catch(() => undefined)
      if (target === undefined) return 'a link that leads nowhere'
      if (!inside(root, target)) return 'a link that leads out of the allowed folder'
    }
    const found = await stat(entry, { bigint: true })
    if (found.isDirectory()) return undefined
    if (!found.isFile()) return 'no plain file'
    return {
      name,
      bytes: Number(found.size),
      modifiedAt: new Date(Number(found.mtimeMs)),
      mark: markOf(found),
    }
  }

  /** Opened, then looked at once more through the handle itself: a link that is laid in between leads nowhere. */
  async function opened(file: Arrived): Promise<FileHandle> {
    const handle = await open(
      await realpath(join(folder, file.name)),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    )
    try {
      const now = await handle.stat({ bigint: true })
      const really = await realpath(`/proc/self/fd/${String(handle.fd)}`).catch(() => undefined)
      if (!now.isFile() || markOf(now) !== file.mark || (really !== undefined && !inside(root, really)))
        throw new Changed(file.name)
      return handle
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  return {
    async look(fits) {
      const files: Arrived[] = []
      const refused: { name: string; because: string }[] = []
      const names: string[] = []
      try {
        for await (const { name } of await opendir(folder)) {
          if (!stillWritten.test(name) && fits(name)) names.push(name)
          if (names.length >= mostEntries) break
        }
      } catch {
        throw new Refusal('not_now', `The folder ${clean} cannot be read.`)
      }
      for (const name of names) {
        // One that is gone meanwhile is none.
        const found = await seen(name).catch(() => undefined)
        if (typeof found === 'string') refused.push({ name, because: found })
        else if (found !== undefined) files.push(found)
      }
      files.sort((a, b) => a.modifiedAt.getTime() - b.modifiedAt.getTime() || (a.name < b.name ? -1 : 1))
      return { files, refused: refused.slice(0, 20) }
    },
    async beingWritten(files) {
      const paths = new Map<string, string>()
      for (const { name } of files) paths.set(await realpath(join(folder, name)).catch(() => join(folder, name)), name)
      const found = new Set<string>()
      const processes = await readdir('/proc').catch(() => [])
      for (const process of processes.filter((name) => /^\d+$/.test(name))) {
        const handles = await readdir(`/proc/${process}/fd`).catch(() => [])
        for (const handle of handles) {
          const name = paths.get(await readlink(`/proc/${process}/fd/${handle}`).catch(() => ''))
          if (name === undefined) continue
          const flags = /^flags:\s*([0-7]+)/m.exec(
            await readFile(`/proc/${process}/fdinfo/${handle}`, 'utf8').catch(() => ''),
          )?.[1]
          // The lowest two bits are the way of access: 0 reads, 1 and 2 write.
          if ((Number.parseInt(flags ?? '0', 8) & 3) !== 0) found.add(name)
        }
      }
      return found
    },
    async *read(file) {
      const handle = await opened(file)
      try {
        for (;;) {
          const buffer = new Uint8Array(262_144)
          const { bytesRead } = await handle.read(buffer, 0, buffer.length)
          if (bytesRead === 0) break
          yield buffer.subarray(0, bytesRead)
        }
        if (markOf(await handle.stat({ bigint: true })) !== file.mark) throw new Changed(file.name)
      } finally {
        await handle.close()
      }
    },
    async done(file) {
      const entry = join(folder, file.name)
      const now = await lstat(entry, { bigint: true }).catch(() => undefined)
      if (now?.isFile() !== true || markOf(now) !== file.mark) return
      const target = join(folder, 'done')
      await mkdir(target, { recursive: true })
      if (!inside(root, await realpath(target)))
        throw new Refusal('not_now', 'The folder “done” is a link that leads out of the allowed folder.')
      const there = await lstat(join(target, file.name)).catch(() => undefined)
      const dot = file.name.lastIndexOf('.')
      const [stem, end] = dot <= 0 ? [file.name, ''] : [file.name.slice(0, dot), file.name.slice(dot)]
      const stamp = file.modifiedAt.toISOString().replaceAll(':', '-')
      await rename(
        entry,
        join(target, there === undefined ? file.name : `${stem}.${stamp}.${file.mark.split('-')[0] ?? ''}${end}`),
      )
    },
  }
}

const markOf = (found: { ino: bigint; size: bigint; mtimeNs: bigint }) =>
  `${String(found.ino)}-${String(found.size)}-${String(found.mtimeNs)}`

/** Whether a name fits a pattern in which `*` stands for any letters and `?` for one. At most as many steps as the two lengths multiplied. */
export function fitsPattern(pattern: string, name: string): boolean {
  let at = 0
  let from = 0
  let star = -1
  let mark = 0
  while (from < name.length) {
    if (at < pattern.length && (pattern[at] === '?' || (pattern[at] === name[from] && pattern[at] !== '*'))) {
      at += 1
      from += 1
    } else if (pattern[at] === '*') {
      star = at
      mark = from
      at += 1
    } else if (star === -1) return false
    else {
      at = star + 1
      mark += 1
      from = mark
    }
  }
  while (pattern[at] === '*') at += 1
  return at === pattern.length
}
