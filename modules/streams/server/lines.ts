import type { Readable } from 'node:stream'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import { longestLine, mostBytes } from '../contract.ts'

/** A line, or why it is none. */
export type Line = { text: string } | { reason: string }

/** @throws Refusal too_large past `mostBytes` */
export async function readLines(body: Readable): Promise<Line[]> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    if (bytes > mostBytes)
      throw new Refusal('too_large', `One part of the messages has at most ${String(mostBytes / 1_048_576)} MiB.`)
    chunks.push(chunk)
  }
  return splitLines(Buffer.concat(chunks))
}

function splitLines(all: Buffer): Line[] {
  const lines: Line[] = []
  for (let at = 0; at < all.length;) {
    const end = all.indexOf(10, at)
    const until = end === -1 ? all.length : end
    lines.push(decoded(all.subarray(at, until)))
    at = until + 1
  }
  return lines
}

function decoded(bytes: Buffer): Line {
  if (bytes.length > longestLine) return { reason: `longer than ${String(longestLine / 1_048_576)} MiB` }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    return { reason: 'not UTF-8' }
  }
}
