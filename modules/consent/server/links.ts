import type { Secrets } from '../../../platform/secrets/secrets.ts'
import { TopicId } from '../contract.ts'

/** Which mail a link was in: enough to act on it when the person, the profile and the campaign are long gone. */
export interface MailRef {
  /** The id of the message, `message_…`. */
  message: string
  /** Of `addressKey`. */
  addressKey: string
  topic: string
}

const purpose = 'consent link'
const part = /^[A-Za-z0-9_-]{1,64}$/

/**
 * `<message>.<address key>.<topic>.<tag>`: signed with a key of the installation, 128 bits, so nobody makes one for another address
 * (RFC 8058 section 3: "hard to forge"). It never expires; a link in an old mail must work (CAN-SPAM: at least 30 days).
 */
export function writeToken(secrets: Pick<Secrets, 'sign'>, ref: MailRef): string {
  if (!part.test(ref.message)) throw new Error(`not a message id: ${ref.message}`)
  const body = `${ref.message}.${Buffer.from(ref.addressKey, 'hex').toString('base64url')}.${ref.topic}`
  return `${body}.${secrets.sign(purpose, body)}`
}

/** @returns undefined when it was not made here or was changed. Compared in constant time. */
export function readToken(secrets: Pick<Secrets, 'verify'>, token: string): MailRef | undefined {
  const cut = token.lastIndexOf('.')
  const body = token.slice(0, Math.max(cut, 0))
  if (!secrets.verify(purpose, body, token.slice(cut + 1))) return undefined
  const [message, address, topic] = body.split('.')
  if (message === undefined || address === undefined || topic === undefined) return undefined
  return TopicId.safeParse(topic).success
    ? { message, addressKey: Buffer.from(address, 'base64url').toString('hex'), topic }
    : undefined
}
