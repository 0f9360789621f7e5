import type { Command } from './command.ts'
import { runScript } from './script.ts'

export const faults: Command = {
  name: 'faults',
  usage: 'faults [NAME]',
  summary: 'Break the whole product on purpose and count what is left; without a name, list what can be broken.',
  options: { long: { type: 'boolean', says: 'more rounds of the same' } },
  run: ({ rest, options }) =>
    runScript('test/faults/run.ts', [...rest, ...(options['long'] === true ? ['--long'] : [])]),
}
