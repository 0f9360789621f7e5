import { readdir, readlink, rm } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'

/** How far below the folder a data directory may lie. */
const deepest = 2

/**
 * Removes a folder and the data directories in it, with the databases that lie elsewhere behind links: started as root, PostgreSQL keeps its own where its
 * user can walk (docs/operations, "Data"). For benches, fault programs and tests, whose data nobody wants back. Nothing may run on it any more.
 */
export async function removeDataDirs(folder: string): Promise<void> {
  await removeBehindLinks(folder, deepest)
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}

async function removeBehindLinks(folder: string, levels: number): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isSymbolicLink() && entry.name === 'postgres') {
      const target = await readlink(path)
      await rm(isAbsolute(target) ? target : join(dirname(path), target), {
        recursive: true,
        force: true,
        maxRetries: 5,
      })
    } else if (entry.isDirectory() && levels > 0) await removeBehindLinks(path, levels - 1)
  }
}
