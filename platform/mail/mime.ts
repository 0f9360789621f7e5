import { Refusal } from '../../lib/refusals/refusals.ts'

/** A message to one person, ready to be written as RFC 5322. Everything here was rendered; nothing is evaluated. */
export interface Mail {
  messageId: string
  /** Instant of the Date header. */
  atMs: number
  from: { name: string; address: string }
  to: { name: string; address: string }
  subject: string
  text: string
  html: string
  /** RFC 8058: one https address that a mail program may POST to. */
  unsubscribeUrl?: string
  /** RFC 2919: stable for a topic. */
  listId?: { name: string; id: string }
  feedbackId?: string
  /** Further headers, of our own making. */
  headers?: Record<string, string>
}

const address = /^[^\s@<>"(),:;\\[\]\u0000-\u001f\u007f]+@[^\s@<>"(),:;\\[\]\u0000-\u001f\u007f]+$/u

/** @throws Refusal('bad_input') for an address that could mean two recipients or carry a header */
export function checkAddress(text: string): string {
  if (text.length > 254 || !address.test(text))
    throw new Refusal(
      'bad_input',
      `“${text.slice(0, 60).replace(/[\r\n]/g, ' ')}” is no e-mail address that a mail can go to.`,
    )
  return text
}

/** Headers in order, and the body, both with CRLF. Lines are at most 76 characters of base64, so nothing needs to be folded on the way. */
export function buildMime(mail: Mail): { headers: [name: string, value: string][]; body: string } {
  const boundary = `=_${mail.messageId.replace(/[^A-Za-z0-9]/g, '').slice(0, 40)}`
  const headers: [string, string][] = [
    ['From', `${phrase(mail.from.name)} <${checkAddress(mail.from.address)}>`],
    [
      'To',
      mail.to.name === ''
        ? `<${checkAddress(mail.to.address)}>`
        : `${phrase(mail.to.name)} <${checkAddress(mail.to.address)}>`,
    ],
    ['Subject', words(mail.subject)],
    ['Date', new Date(mail.atMs).toUTCString().replace('GMT', '+0000')],
    ['Message-ID', `<${token(mail.messageId)}>`],
    ['MIME-Version', '1.0'],
  ]
  if (mail.unsubscribeUrl !== undefined)
    headers.push(
      ['List-Unsubscribe', `<${token(mail.unsubscribeUrl)}>`],
      ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
    )
  if (mail.listId !== undefined) headers.push(['List-ID', `${phrase(mail.listId.name)} <${token(mail.listId.id)}>`])
  if (mail.feedbackId !== undefined) headers.push(['Feedback-ID', token(mail.feedbackId)])
  for (const [name, value] of Object.entries(mail.headers ?? {})) headers.push([token(name), words(value)])
  headers.push(['Content-Type', `multipart/alternative; boundary="${boundary}"`])
  const part = (type: string, content: string) =>
    `--${boundary}\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${lines(content)}\r\n`
  return { headers, body: `${part('text/plain', mail.text)}${part('text/html', mail.html)}--${boundary}--\r\n` }
}

export function writeHeaders(headers: readonly (readonly [string, string])[]): string {
  return headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
}

function lines(text: string): string {
  const encoded = Buffer.from(text.replace(/\r\n|\r|\n/g, '\r\n'), 'utf8').toString('base64')
  let out = ''
  // Slicing: folding with a regular expression costs four times as much on a 40 kB mail.
  for (let at = 0; at < encoded.length; at += 76) out += `${at === 0 ? '' : '\r\n'}${encoded.slice(at, at + 76)}`
  return out
}

/** Printable ASCII without spaces: what goes into an angle bracket. A line end here would be a header of somebody else's. */
function token(text: string): string {
  if (!/^[\u0021-\u007e]+$/.test(text)) throw new Error(`not a header token: ${JSON.stringify(text.slice(0, 80))}`)
  return text
}

/** Unstructured text (RFC 2047): ASCII as it is, anything else in encoded words of whole characters. Control characters become spaces. */
function words(text: string): string {
  const clean = text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ').trim()
  if (/^[\u0020-\u007e]*$/.test(clean) && clean.length <= 900 && !clean.includes('=?')) return fold(clean)
  const out: string[] = []
  let bytes: number[] = []
  for (const letter of clean) {
    const encoded = [...Buffer.from(letter, 'utf8')]
    if (bytes.length + encoded.length > 42) {
      out.push(`=?UTF-8?B?${Buffer.from(bytes).toString('base64')}?=`)
      bytes = []
    }
    bytes.push(...encoded)
  }
  if (bytes.length > 0) out.push(`=?UTF-8?B?${Buffer.from(bytes).toString('base64')}?=`)
  return out.join('\r\n ')
}

function fold(text: string): string {
  let out = ''
  let length = 0
  for (const word of text.split(' ')) {
    if (length > 0 && length + word.length > 70) {
      out += '\r\n '
      length = 0
    } else if (out !== '') out += ' '
    out += word
    length += word.length + 1
  }
  return out
}

/** A display name: quoted when ASCII, encoded when not. */
function phrase(text: string): string {
  const clean = text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim()
  return /^[\u0020-\u007e]*$/.test(clean) ? `"${clean.replace(/(["\\])/g, '\\$1')}"` : words(clean)
}
