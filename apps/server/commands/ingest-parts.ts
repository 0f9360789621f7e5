import type { Clock } from '../../../platform/clock/clock.ts'
import { longestLine } from '../../../modules/streams/contract.ts'

/** Whole lines that are sent together. */
export interface MessagePart {
  body: Uint8Array<ArrayBuffer>
  lines: number
}

const mostLines = 4000
const enoughBytes = 1_048_576
/** Without another line for so long, those that came are sent. */
const stillMs = 1000

/**
 * Cuts what comes into parts of whole lines. Nothing further is read while a part is in hand, so whoever writes waits for whoever stores. Of a line
 * that is longer than may be, its beginning is passed on, too long to be taken for a message; memory holds no more than a part.
 * @param first lines that come before all others
 */
export async function* partsOf(
  input: AsyncIterable<Uint8Array>,
  first: readonly string[],
  clock: Pick<Clock, 'sleep'>,
): AsyncGenerator<MessagePart> {
  let whole: Buffer[] = first.map((line) => Buffer.from(`${line}\n`))
  let lines = first.length
  let bytes = whole.reduce((sum, one) => sum + one.length, 0)
  let open: Buffer[] = []
  let openBytes = 0
  const part = (): MessagePart => {
    const made = { body: new Uint8Array(Buffer.concat(whole)), lines }
    whole = []
    lines = 0
    bytes = 0
    return made
  }
  /** Beginnings are kept to one byte more than the longest line. */
  const add = (piece: Buffer) => {
    const room = longestLine + 1 - openBytes
    const kept = piece.subarray(0, Math.max(0, room))
    if (kept.length > 0) open.push(Buffer.from(kept))
    openBytes += kept.length
  }
  const close = () => {
    whole.push(...open, Buffer.from('\n'))
    bytes += openBytes + 1
    lines += 1
    open = []
    openBytes = 0
  }

  const source = input[Symbol.asyncIterator]()
  for (;;) {
    const next = source.next()
    if (lines > 0 && (await Promise.race([next.then(() => false), clock.sleep(stillMs).then(() => true)]))) yield part()
    const { value, done } = await next
    if (done === true) break
    const chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    for (let at = 0; at < chunk.length;) {
      const end = chunk.indexOf(10, at)
      add(chunk.subarray(at, end === -1 ? chunk.length : end))
      if (end === -1) break
      close()
      at = end + 1
      if (lines >= mostLines || bytes >= enoughBytes) yield part()
    }
  }
  if (openBytes > 0) close()
  if (lines > 0) yield part()
}
