import { crc32c } from '../../lib/crc32c/crc32c.ts'
import { JournalDamage } from './damage.ts'
import type { JournalFile, JournalFiles } from './files.ts'

/**
 * The second file of a journal: which batches were handed out with which boundaries, how far the store is, and where a
 * clean stop was. Lines of text, so that a person can read it; each ends with a checksum over itself and the one before.
 *
 *     journal <id> …   sealed <from> <to> …   stored <position> …   closed <position> …
 *
 * Every line is on disk before the next is written, so only the last can be torn.
 */
export interface Seals {
  journal: string
  /** Batches handed out and not yet confirmed, in order. */
  sealed: { from: number; to: number }[]
  stored: number
  /** Everything before this was on disk: damage there is damage, never a torn tail. */
  durable: number
}

export const sealsName = 'seals.log'
/** Longer than this, and it is written anew with what still matters. */
const compactAboveBytes = 256 * 1024

const line = (text: string, chain: number): { text: string; chain: number } => {
  const sum = crc32c(Buffer.from(text), 0, Buffer.byteLength(text), chain)
  return { text: `${text} ${sum.toString(16).padStart(8, '0')}\n`, chain: sum }
}

/** @throws JournalDamage when a line that was once on disk does not hold; a torn last line is left out */
export function readSeals(path: string, bytes: Uint8Array): Seals {
  const seals: Seals = { journal: '', sealed: [], stored: 0, durable: 0 }
  let chain = 0
  let at = 0
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  while (at < all.length) {
    const newline = all.indexOf(0x0a, at)
    const text = newline === -1 ? '' : all.toString('latin1', at, newline)
    const parts = text.split(' ')
    const sum = parts.pop()
    const expected = line(parts.join(' '), chain)
    if (newline === -1 || sum !== expected.chain.toString(16).padStart(8, '0')) {
      if (anotherLineFollows(all, at)) {
        throw new JournalDamage(`${path}/${sealsName}`, at, seals.stored, 'a line that was once on disk does not hold')
      }
      break
    }
    chain = expected.chain
    at = newline + 1
    const [kind, first = '', second = ''] = parts
    if (kind === 'journal') seals.journal = first
    else if (kind === 'sealed') {
      seals.sealed.push({ from: Number(first), to: Number(second) })
      seals.durable = Math.max(seals.durable, Number(second))
    } else if (kind === 'stored') {
      seals.stored = Number(first)
      seals.sealed = seals.sealed.filter((seal) => seal.to > seals.stored)
    } else if (kind === 'closed') seals.durable = Math.max(seals.durable, Number(first))
  }
  if (seals.journal === '') {
    throw new JournalDamage(`${path}/${sealsName}`, 0, 0, 'it does not begin with the name of the journal')
  }
  seals.durable = Math.max(seals.durable, seals.stored)
  return seals
}

/** Only one line is ever on its way, so a damaged line with another line behind it was once on disk. */
function anotherLineFollows(all: Buffer, at: number): boolean {
  const rest = all.toString('latin1', at)
  return (rest.match(/(?:sealed|stored|closed) /g) ?? []).length > 1 || /\n[^\0]/.test(rest)
}

/** The open file. Calls are made one after the other by the journal. */
export interface SealsFile {
  add(text: string, seals: Seals): Promise<void>
  close(): Promise<void>
}

/** Writes the file anew (which also makes what was read certainly durable) and leaves it open for more lines. */
export async function writeSeals(files: JournalFiles, seals: Seals): Promise<SealsFile> {
  let { file, size, chain } = await rewrite(files, seals)
  return {
    async add(text, now) {
      if (size > compactAboveBytes) {
        await file.close()
        ;({ file, size, chain } = await rewrite(files, now))
        return
      }
      const next = line(text, chain)
      const bytes = Buffer.from(next.text)
      await file.write(bytes, size)
      await file.sync()
      size += bytes.length
      chain = next.chain
    },
    close: () => file.close(),
  }
}

async function rewrite(files: JournalFiles, seals: Seals): Promise<{ file: JournalFile; size: number; chain: number }> {
  let chain = 0
  let text = ''
  const add = (what: string) => {
    const next = line(what, chain)
    text += next.text
    chain = next.chain
  }
  add(`journal ${seals.journal}`)
  add(`stored ${seals.stored}`)
  for (const seal of seals.sealed) add(`sealed ${seal.from} ${seal.to}`)
  const temporary = `${sealsName}.new`
  if ((await files.list()).includes(temporary)) await files.remove(temporary)
  const file = await files.open(temporary, 'create')
  const bytes = Buffer.from(text)
  await file.write(bytes, 0)
  await file.sync()
  await files.rename(temporary, sealsName)
  await files.syncDirectory()
  return { file, size: bytes.length, chain }
}
