import { StringDecoder } from 'node:string_decoder'
import { Refusal } from '../../../../lib/refusals/refusals.ts'

/** A piece of XML as it comes: a tag that opens (with its attributes), one that closes, or text. */
export type Token =
  | { kind: 'open'; name: string; attributes: string; alone: boolean }
  | { kind: 'close'; name: string }
  | { kind: 'text'; text: string }

const longestToken = 1_048_576

/**
 * Tokens of well-formed XML as Office writes it, in bounded memory. No document type is read, so no entity but the five of XML and numbers stands for
 * anything: a "billion laughs" stays one. Prefixes of names go.
 * @throws Refusal('bad_input') for a tag or text beyond a million characters
 */
export async function* tokensOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Token[]> {
  const decoder = new StringDecoder('utf8')
  let open = ''
  for await (const piece of bytes) {
    open += decoder.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength))
    const tokens: Token[] = []
    let at = 0
    for (;;) {
      const from = open.indexOf('<', at)
      if (from === -1) break
      const to = open.indexOf('>', from)
      if (to === -1) break
      if (from > at) tokens.push({ kind: 'text', text: open.slice(at, from) })
      const tag = open.slice(from + 1, to)
      at = to + 1
      if (tag.startsWith('?') || tag.startsWith('!')) continue
      const name = /^\/?(?:[\w.-]+:)?([\w.-]+)/.exec(tag)?.[1] ?? ''
      if (tag.startsWith('/')) tokens.push({ kind: 'close', name })
      else tokens.push({ kind: 'open', name, attributes: tag, alone: tag.endsWith('/') })
    }
    open = open.slice(at)
    if (open.length > longestToken)
      throw new Refusal('bad_input', 'The workbook has a cell beyond a million characters.')
    yield tokens
  }
}

/** @returns what an attribute says, without its prefix's name; undefined when it is not there */
export function attribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s(?:[\\w.-]+:)?${name}="([^"]*)"`).exec(tag)
  return found?.[1] === undefined ? undefined : unescape(found[1])
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** Text as it is meant. */
export function unescape(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|\w{2,4});/gi, (all, what: string) => {
    if (!what.startsWith('#')) return named[what] ?? all
    const code = what[1] === 'x' || what[1] === 'X' ? Number.parseInt(what.slice(2), 16) : Number(what.slice(1))
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ''
  })
}
