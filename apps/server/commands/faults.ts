import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Command } from './command.ts'

export const faults: Command = {
  name: 'faults',
  usage: 'faults [NAME]',
  summary: 'Break the whole product on purpose and count what is left; without a name, list what can be broken.',
  options: { long: { type: 'boolean', says: 'more rounds of the same' } },
  run({ rest, options }) {
    return new Promise((resolve, reject) => {
      const child = spawn(
        process.execPath,
        [
          join(import.meta.dirname, '../../../test/faults/run.ts'),
          ...rest,
          ...(options['long'] === true ? ['--long'] : []),
        ],
        {
          stdio: 'inherit',
        },
      )
      child.on('error', reject)
      child.on('exit', (code) => {
        resolve(code ?? 1)
      })
    })
  },
}
