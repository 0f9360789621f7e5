import iconv from 'iconv-lite'
import { notAFeed } from './items.ts'

/**
 * The text of a feed, by the byte order mark, else by what HTTP said, else by the XML declaration, else UTF-8. What says UTF-8 and is not is read as
 * windows-1252, which is what it nearly always is.
 * @throws Refusal bad_input for a charset that nobody knows
 */
export function decodeFeed(bytes: Uint8Array, contentType: string | undefined): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer[0] === 0xff && buffer[1] === 0xfe) return iconv.decode(buffer, 'utf-16le')
  if (buffer[0] === 0xfe && buffer[1] === 0xff) return iconv.decode(buffer, 'utf-16be')
  const head = buffer.toString('latin1', 0, 200)
  const said =
    /charset\s*=\s*"?([\w.:-]{1,40})/i.exec(contentType ?? '')?.[1] ??
    /^\s*(?:\xef\xbb\xbf)?<\?xml[^>]*encoding\s*=\s*["']([\w.:-]{1,40})["']/i.exec(head)?.[1] ??
    'utf-8'
  if (!iconv.encodingExists(said)) throw notAFeed(`Its charset “${String(said)}” is not known.`)
  if (!/^utf-?8$/i.test(said)) return iconv.decode(buffer, said)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer)
  } catch {
    return iconv.decode(buffer, 'windows-1252')
  }
}
