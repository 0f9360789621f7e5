import { constants } from 'node:fs'
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'

/** A folder into which whole files are put by name. */
export interface Folder {
  readonly path: string
  /**
   * Writes a file durably and all at once: under a name of its own first, then renamed, so that nobody reads half of it and the same name again
   * replaces it. @param name relative, of `/`-separated parts that begin with a letter, digit, `_` or `=`. @throws when the name or a link leads out
   */
  put(name: string, bytes: Uint8Array): Promise<void>
}

const part = /^[\w=][\w.=-]{0,120}$/

/** @param path absolute; made when it is missing */
export function createFolder(path: string): Folder {
  return {
    path,
    async put(name, bytes) {
      const parts = name.split('/')
      if (!parts.every((one) => part.test(one))) throw new Error(`not a name for a file: ${name}`)
      await mkdir(path, { recursive: true, mode: 0o700 })
      const root = await realpath(path)
      const target = join(root, ...parts)
      const directory = dirname(target)
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const real = await realpath(directory)
      if (real !== root && !real.startsWith(root.endsWith(sep) ? root : `${root}${sep}`))
        throw new Error('a link leads out of the folder')
      const draft = join(real, `.${basename(target)}.part`)
      try {
        // O_NOFOLLOW: a link that somebody laid under the draft's name is not written through.
        const file = await open(
          draft,
          constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW,
          0o600,
        )
        try {
          await file.writeFile(bytes)
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(draft, join(real, basename(target)))
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
      const listing = await open(real, 'r')
      try {
        await listing.sync()
      } finally {
        await listing.close()
      }
    },
  }
}
