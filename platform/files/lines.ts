import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/** A file that only grows, line by line, each on disk before `append` returns. Readable by its owner only. */
export interface Lines {
  /** Whole lines in order. The rest of one that a crash cut off is left out. */
  read(): string[]
  append(line: string): void
}

/** The lines of a file, which the first append makes. */
export function appendedLines(path: string): Lines {
  const text = () => (existsSync(path) ? readFileSync(path, 'utf8') : '')
  return {
    read: () => text().split('\n').slice(0, -1),
    append(line) {
      const before = text()
      const cut = before !== '' && !before.endsWith('\n')
      appendFileSync(path, `${cut ? '\n' : ''}${line}\n`, { mode: 0o600, flush: true })
    },
  }
}
