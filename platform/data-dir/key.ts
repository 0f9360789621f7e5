import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The secret that everything encrypted or signed here rests on: from the environment, else from `secret.key` in the data
 * directory, which is made once, readable by its owner only.
 * @throws when the file is readable by others, because then it is no secret
 */
export function secretKey(directory: string, configured: string | undefined): Uint8Array {
  if (configured !== undefined) return new TextEncoder().encode(configured)
  const path = join(directory, 'secret.key')
  if (!existsSync(path))
    writeFileSync(path, randomBytes(48).toString('base64url'), { mode: 0o600, flag: 'wx', flush: true })
  if ((statSync(path).mode & 0o077) !== 0)
    throw new Error(`${path} can be read by others. Make it yours alone: chmod 600 ${path}`)
  return new TextEncoder().encode(readFileSync(path, 'utf8').trim())
}
