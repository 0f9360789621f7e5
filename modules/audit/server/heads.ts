import type { Lines } from '../../../platform/files/lines.ts'
import type { Secrets } from '../../../platform/secrets/secrets.ts'

/** The end of the log as it was at an instant, sealed under the installation's key together with the seal of the head before it. */
export interface Head {
  seq: number
  hash: string
}
interface Line extends Head {
  at: string
  seal: string
}

export interface HeadNeeds {
  /** Beside the database, not in it. */
  file: Lines
  secrets: Pick<Secrets, 'sign' | 'verify'>
}

const purpose = 'audit head'
const sealed = (before: string, { seq, hash, at }: Omit<Line, 'seal'>) => `${before}\n${String(seq)}\n${hash}\n${at}`

function parse(line: string): Line | undefined {
  try {
    const value = JSON.parse(line) as Partial<Line> | null
    return typeof value?.seq === 'number' &&
      typeof value.hash === 'string' &&
      typeof value.at === 'string' &&
      typeof value.seal === 'string'
      ? { seq: value.seq, hash: value.hash, at: value.at, seal: value.seal }
      : undefined
  } catch {
    return undefined
  }
}

/** Heads that were written down: appended, never overwritten. Without the key none can be made, changed or taken out of the middle. */
export function createHeads({ file, secrets }: HeadNeeds) {
  function read(): { heads: Head[]; seal: string; broken: { seq: number; because: string } | undefined } {
    const heads: Head[] = []
    let seal = ''
    for (const [index, text] of file.read().entries()) {
      const line = parse(text)
      // What a crash cut off is no head; the seal of the next whole line shows whether anything is missing.
      if (line === undefined) continue
      const last = heads.at(-1)
      if (!secrets.verify(purpose, sealed(seal, line), line.seal) || (last !== undefined && line.seq <= last.seq))
        return {
          heads,
          seal,
          broken: {
            seq: line.seq,
            because: `head ${String(index + 1)} of the file beside the database was not written by this installation, or one before it was taken out`,
          },
        }
      heads.push({ seq: line.seq, hash: line.hash })
      seal = line.seal
    }
    return { heads, seal, broken: undefined }
  }
  return {
    read,
    append(head: Head, at: string): void {
      const line = { seq: head.seq, hash: head.hash, at }
      file.append(JSON.stringify({ ...line, seal: secrets.sign(purpose, sealed(read().seal, line)) }))
    },
  }
}
