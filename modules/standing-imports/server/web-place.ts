import { EgressError, type Egress } from '../../../platform/egress/egress.ts'
import type { Place } from '../contract.ts'

/** A look that brought no file, in a sentence for people. */
export class LookFailed extends Error {}

export interface Asked {
  place: Extract<Place, { kind: 'https' }>
  secret: string
  etag: string | null
  lastModified: string | null
  signal: AbortSignal
  nowMs: number
}

export type Answer =
  | { is: 'unchanged' }
  | {
      is: 'file'
      name: string
      modifiedAt: Date
      etag: string | null
      lastModified: string | null
      content: AsyncIterable<Uint8Array>
    }

/** As large as a file that is handed in. */
const mostBytes = 2_147_483_648
const wholeMs = 30 * 60_000

/**
 * Asks a server for its file, unless it is the one that was read last (If-None-Match, If-Modified-Since).
 * @throws LookFailed when it gives none
 */
export async function askServer(egress: Pick<Egress, 'open'>, asked: Asked): Promise<Answer> {
  const { place, secret, nowMs } = asked
  const headers: Record<string, string> = {}
  if (asked.etag !== null) headers['if-none-match'] = asked.etag
  else if (asked.lastModified !== null) headers['if-modified-since'] = asked.lastModified
  if (place.auth === 'basic')
    headers['authorization'] = `Basic ${Buffer.from(`${place.user}:${secret}`).toString('base64')}`
  if (place.auth === 'bearer') headers['authorization'] = `Bearer ${secret}`
  const answer = await egress
    .open({
      purpose: 'standing import',
      url: place.url,
      headers,
      timeoutMs: wholeMs,
      maxReplyBytes: mostBytes,
      signal: asked.signal,
    })
    .catch((error: unknown) => {
      throw asSentence(error)
    })
  const { status } = answer
  if (status === 200) {
    const etag = answer.headers['etag']?.slice(0, 300) ?? null
    const lastModified = answer.headers['last-modified']?.slice(0, 100) ?? null
    const written = Date.parse(lastModified ?? '')
    return {
      is: 'file',
      name: nameIn(place.url),
      // A clock that is ahead makes nothing fresher than now.
      modifiedAt: new Date(Number.isNaN(written) ? nowMs : Math.min(written, nowMs)),
      etag,
      lastModified,
      content: named(answer.body),
    }
  }
  // Left without being read, the connection ends.
  for await (const _ of answer.body) break
  if (status === 304) return { is: 'unchanged' }
  throw new LookFailed(
    status === 401 || status === 403
      ? `The server does not let us in (${String(status)}). Check the sign-in.`
      : status >= 300 && status < 400
        ? `The server points elsewhere (${String(status)}), and that is not followed. Give the address of the file itself.`
        : `The server answered ${String(status)} instead of a file.`,
  )
}

async function* named(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw asSentence(error)
  }
}

const asSentence = (error: unknown) =>
  error instanceof EgressError ? new LookFailed(error.message, { cause: error }) : error

function nameIn(url: string): string {
  const last = new URL(url).pathname.split('/').at(-1) ?? ''
  try {
    return (
      decodeURIComponent(last)
        .replace(/[\p{Cc}/\\]/gu, '')
        .slice(0, 200) || 'file'
    )
  } catch {
    return last.slice(0, 200) || 'file'
  }
}
