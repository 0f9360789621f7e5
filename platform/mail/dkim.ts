import { createHash, createPrivateKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

/** DKIM (RFC 6376, RFC 8301): rsa-sha256, relaxed/relaxed, no body length. */

export interface DkimKey {
  domain: string
  selector: string
  privateKey: KeyObject
}

/** Signed once more than present (RFC 6376 section 8.15), so that nobody adds a second one on the way. RFC 8058 section 4 demands both list headers. */
const oversigned = ['from', 'to', 'subject', 'date', 'message-id', 'list-unsubscribe', 'list-unsubscribe-post']
const signedToo = ['mime-version', 'content-type', 'list-id', 'feedback-id']

export function newDkimKey(): { privatePem: string; publicBase64: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicBase64: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  }
}

export function dkimKey(domain: string, selector: string, privatePem: string): DkimKey {
  return { domain, selector, privateKey: createPrivateKey(privatePem) }
}

/** @returns the DKIM-Signature header, without its line end */
export function dkimHeader(
  key: DkimKey,
  headers: readonly (readonly [string, string])[],
  body: string,
  atMs: number,
): string {
  const names: string[] = []
  for (const name of [...oversigned, ...signedToo]) {
    const present = headers.filter(([own]) => own.toLowerCase() === name).length
    const times = present + (oversigned.includes(name) ? 1 : 0)
    for (let turn = 0; turn < times; turn++) names.push(name)
  }
  const bodyHash = createHash('sha256').update(relaxedBody(body)).digest('base64')
  const unsigned = `v=1; a=rsa-sha256; c=relaxed/relaxed; d=${key.domain}; s=${key.selector}; t=${String(Math.floor(atMs / 1000))}; h=${names.join(':')}; bh=${bodyHash}; b=`
  const left = new Map<string, string[]>()
  for (const [name, value] of headers) left.set(name.toLowerCase(), [...(left.get(name.toLowerCase()) ?? []), value])
  let data = ''
  for (const name of names) {
    // From the bottom up; one that is not there signs its absence.
    const value = left.get(name)?.pop()
    if (value !== undefined) data += `${name}:${relaxedValue(value)}\r\n`
  }
  data += `dkim-signature:${relaxedValue(unsigned)}`
  return `DKIM-Signature: ${unsigned}${sign('sha256', Buffer.from(data), key.privateKey).toString('base64')}`
}

function relaxedValue(value: string): string {
  return value
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim()
}

function relaxedBody(body: string): string {
  const text = body
    .replace(/[ \t]+\r\n/g, '\r\n')
    .replace(/[ \t]+/g, ' ')
    .replace(/(\r\n)+$/, '')
  return text === '' ? '' : `${text}\r\n`
}
