import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Command } from './command.ts'

export const conformance: Command = {
  name: 'conformance',
  usage: 'conformance [matrix] [leaving] [answers] [mutated]',
  summary:
    'Drive the four real SDKs of Segment and RudderStack against the whole product, with every answer between them, and count.',
  options: {},
  run({ rest }) {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, '../../../test/conformance/run.ts'), ...rest], {
        stdio: 'inherit',
      })
      child.on('error', reject)
      child.on('exit', (code) => {
        resolve(code ?? 1)
      })
    })
  },
}
