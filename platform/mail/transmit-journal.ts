import {
  closeSync,
  existsSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

/** What the journal knows of one message: its final dot was about to be written (`dotted`), and whether an answer came. */
export type Transmitted = { kind: 'dotted' } | { kind: 'answered'; code: number; text: string }

/**
 * Names the only instant at which it cannot be known whether a mail left: between its final dot and the answer. `D id` is written before the
 * dot, `A id code text` after the answer. It lives in the page cache by default, which survives a killed process; with `durable` each line
 * is on disk, which survives a power cut and costs one fdatasync for each mail.
 */
export interface TransmitJournal {
  /** Identifies this process in claims: a journal file of the same name belongs to it. */
  owner: string
  dot(id: string): void
  answer(id: string, code: number, text: string): void
  /** Forgets everything: only when every message in it is completed in the database. */
  clear(): void
  close(): void
}

export function openTransmitJournal(directory: string, owner: string, durable: boolean): TransmitJournal {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, `${owner}.log`)
  let file = openSync(path, 'a', 0o600)
  const write = (line: string) => {
    writeSync(file, line)
    if (durable) fdatasyncSync(file)
  }
  return {
    owner,
    dot(id) {
      write(`D ${id}\n`)
    },
    answer(id, code, text) {
      write(`A ${id} ${String(code)} ${text.replace(/[\r\n]+/g, ' ').slice(0, 200)}\n`)
    },
    clear() {
      closeSync(file)
      file = openSync(path, 'w', 0o600)
    },
    close() {
      closeSync(file)
    },
  }
}

/** The journals of owners that are gone. A line that was cut off by a kill says nothing, so it counts for nothing. */
export function readTransmitJournals(
  directory: string,
  except: string | undefined,
): { owner: string; messages: Map<string, Transmitted> }[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => name.endsWith('.log') && name !== `${except ?? ''}.log`)
    .map((name) => {
      const messages = new Map<string, Transmitted>()
      const text = readFileSync(join(directory, name), 'utf8')
      for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
        const [kind, id, code, ...rest] = line.split(' ')
        if (id === undefined) continue
        if (kind === 'D') messages.set(id, { kind: 'dotted' })
        else if (kind === 'A') messages.set(id, { kind: 'answered', code: Number(code), text: rest.join(' ') })
      }
      return { owner: name.replace(/[.]log$/, ''), messages }
    })
}

export function dropTransmitJournal(directory: string, owner: string): void {
  rmSync(join(directory, `${owner}.log`), { force: true })
}
