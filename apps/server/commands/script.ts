import { spawn } from 'node:child_process'
import { join } from 'node:path'

/**
 * Runs a program of this repository that is not part of the server, in a process of its own that shares the terminal.
 * @param path from the root of the repository
 * @returns its exit code; 1 when a signal ended it
 */
export function runScript(path: string, words: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../..', path), ...words], { stdio: 'inherit' })
    child.on('error', reject)
    child.on('exit', (code) => {
      resolve(code ?? 1)
    })
  })
}
