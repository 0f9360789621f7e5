import { argon2, timingSafeEqual } from 'node:crypto'
import type { Random } from '../../../platform/random/random.ts'

/** Argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane), as `argon2id$salt$hash`. */
const parameters = { parallelism: 1, tagLength: 32, memory: 19_456, passes: 2 }

function derive(password: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2(
      'argon2id',
      { message: Buffer.from(password.normalize('NFKC')), nonce: salt, ...parameters },
      (error, key) => {
        if (error === null) resolve(Buffer.from(key))
        else reject(error)
      },
    )
  })
}

export async function hashPassword(password: string, random: Random): Promise<string> {
  const salt = random.bytes(16)
  return `argon2id$${Buffer.from(salt).toString('base64url')}$${(await derive(password, salt)).toString('base64url')}`
}

/** A hash that no password has: checking against it takes as long as a real check, so that nobody learns whether an address exists. */
const nobody = `argon2id$${Buffer.alloc(16).toString('base64url')}$${Buffer.alloc(32).toString('base64url')}`

export async function checkPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [, salt = '', hash = ''] = (stored ?? nobody).split('$')
  const derived = await derive(password, Buffer.from(salt, 'base64url'))
  return timingSafeEqual(derived, Buffer.from(hash, 'base64url')) && stored !== undefined
}

/** What everybody tries first. */
const common = new Set([
  'password12',
  'password123',
  'passwort123',
  'qwertyuiop',
  '1234567890',
  '0123456789',
  'iloveyou12',
  'letmein1234',
  'welcome123',
  'administrator',
  'interlock123',
  'sommer2026!',
  'marketing1',
])
export const isCommon = (password: string) => common.has(password.toLowerCase()) || new Set(password).size < 4
