import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Random } from '../random/random.ts'

/**
 * Everything that rests on the installation's secret. Each use has a key of its own (HKDF-SHA256 with the purpose as info), so a leak of one
 * says nothing of another.
 */
export interface Secrets {
  /** Encrypts with AES-256-GCM. `place` (table|row|field) is bound in: a ciphertext moved to another place does not open. */
  seal(text: string, place: string): string
  /** @throws when it was changed, moved, or sealed under another key */
  open(sealed: string, place: string): string
  /** Keyed hash, hex, for look-ups that must not show the value. */
  digest(purpose: string, text: string): string
  /** A short unforgeable tag over a text (128 bits, base64url), and its check in constant time. */
  sign(purpose: string, text: string): string
  verify(purpose: string, text: string, tag: string): boolean
}

export function createSecrets(key: Uint8Array, random: Random): Secrets {
  const keys = new Map<string, Buffer>()
  const keyFor = (purpose: string) => {
    const known = keys.get(purpose)
    if (known !== undefined) return known
    const made = Buffer.from(hkdfSync('sha256', key, 'interlock', purpose, 32))
    keys.set(purpose, made)
    return made
  }
  const sign = (purpose: string, text: string) =>
    createHmac('sha256', keyFor(`sign ${purpose}`))
      .update(text)
      .digest()
      .subarray(0, 16)
      .toString('base64url')
  return {
    seal(text, place) {
      const iv = random.bytes(12)
      const cipher = createCipheriv('aes-256-gcm', keyFor('seal'), iv)
      cipher.setAAD(Buffer.from(place))
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return `v1.${Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')}`
    },
    open(sealed, place) {
      const bytes = Buffer.from(sealed.replace(/^v1[.]/, ''), 'base64url')
      const cipher = createDecipheriv('aes-256-gcm', keyFor('seal'), bytes.subarray(0, 12))
      cipher.setAAD(Buffer.from(place))
      cipher.setAuthTag(bytes.subarray(12, 28))
      return Buffer.concat([cipher.update(bytes.subarray(28)), cipher.final()]).toString('utf8')
    },
    digest: (purpose, text) =>
      createHmac('sha256', keyFor(`digest ${purpose}`))
        .update(text)
        .digest('hex'),
    sign,
    verify(purpose, text, tag) {
      const expected = Buffer.from(sign(purpose, text))
      const given = Buffer.from(tag)
      return expected.length === given.length && timingSafeEqual(expected, given)
    },
  }
}
