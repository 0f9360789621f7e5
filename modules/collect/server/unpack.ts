import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import { limits } from './scan.ts'

const cap = { maxOutputLength: limits.bodyBytes }
const gzip = promisify(gunzip)
const brotli = promisify(brotliDecompress)
const zstd = promisify(zstdDecompress)
const deflate = promisify(inflate)
const deflateRaw = promisify(inflateRaw)

/**
 * Unpacks a body as its Content-Encoding says, up to 8 MiB: a gigabyte of zeros stops there, after milliseconds and
 * without the memory. A body that is not packed after all is taken as it is: proxies unpack and forget to say so.
 * @throws Refusal('too_large') | Refusal('bad_encoding')
 */
export async function unpack(body: Buffer, contentEncoding: string | undefined): Promise<Buffer> {
  const encoding = (contentEncoding ?? 'identity').trim().toLowerCase()
  const isGzip = body[0] === 0x1f && body[1] === 0x8b
  if (!isGzip && (encoding === 'identity' || encoding === '' || looksLikeJson(body))) return body
  try {
    if (isGzip) return await gzip(body, cap)
    if (encoding === 'deflate') return await deflate(body, cap).catch(rawDeflate(body))
    if (encoding === 'br') return await brotli(body, cap)
    if (encoding === 'zstd') return await zstd(body, cap)
  } catch (error) {
    if (isTooLarge(error)) throw new Refusal('too_large', 'Unpacked, the body is larger than 8 MiB.')
    throw new Refusal('bad_encoding', `The body is not ${encoding} as Content-Encoding says, or it is cut.`)
  }
  throw new Refusal('bad_encoding', `Content-Encoding ${encoding.slice(0, 40)} is not known here.`)
}

/** Some say deflate and mean it without the zlib frame. */
const rawDeflate = (body: Buffer) => (error: unknown) => {
  if (isTooLarge(error)) throw error
  return deflateRaw(body, cap)
}
const isTooLarge = (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
const looksLikeJson = (body: Buffer) => /^(?:\xef\xbb\xbf)?\s*[[{]/.test(body.toString('latin1', 0, 64))
