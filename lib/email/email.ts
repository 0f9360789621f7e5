import { domainToASCII } from 'node:url'

/**
 * The one spelling of an e-mail address, for look-ups: no surrounding space or angle brackets, NFC, small letters, the domain in
 * ASCII (IDNA). Dots and tags of the local part stay: whether they matter is the receiving server's business (RFC 5321 section 2.4).
 * @returns undefined when it is no address
 */
export function normaliseEmail(text: string): string | undefined {
  const bare = text
    .trim()
    .replace(/^<(.*)>$/s, '$1')
    .normalize('NFC')
    .toLowerCase()
  const at = bare.lastIndexOf('@')
  if (at < 1 || bare.length > 254 || /[\s\p{Cc}]/u.test(bare)) return undefined
  const domain = domainToASCII(bare.slice(at + 1).replace(/\.$/, ''))
  return domain === '' ? undefined : `${bare.slice(0, at)}@${domain}`
}
