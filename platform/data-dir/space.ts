import { statfs } from 'node:fs/promises'

/** Free and total bytes of the file system that holds the path. */
export async function freeSpace(path: string): Promise<{ free: number; total: number }> {
  const found = await statfs(path)
  return { free: found.bavail * found.bsize, total: found.blocks * found.bsize }
}
