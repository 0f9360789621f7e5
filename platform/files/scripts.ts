import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/** A script for browsers, in memory: as it is, packed, and its mark for `If-None-Match`. */
export interface Script {
  bytes: Buffer
  packed: Buffer
  etag: string
}

const pack = promisify(gzip)

export async function scriptOf(bytes: Buffer): Promise<Script> {
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
  return { bytes, packed: await pack(bytes, { level: 9 }), etag }
}

/** The scripts beside a file of an installed package (`package/folder/file.js`), by their names. Read once: they change with the installation only. */
export async function scriptsBeside(file: string): Promise<Map<string, Script>> {
  const folder = dirname(createRequire(import.meta.url).resolve(file))
  const names = (await readdir(folder)).filter((name) => name.endsWith('.js'))
  return new Map(
    await Promise.all(names.map(async (name) => [name, await scriptOf(await readFile(join(folder, name)))] as const)),
  )
}
