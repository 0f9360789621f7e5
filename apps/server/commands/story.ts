import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Command } from './command.ts'

export const story: Command = {
  name: 'story',
  usage: 'story [FOLDER]',
  summary:
    'Drive a real browser through the main job on the demo company, with a picture of every page (default ./pictures).',
  options: {},
  run({ rest }) {
    return new Promise((resolve, reject) => {
      const child = spawn(
        process.execPath,
        [join(import.meta.dirname, '../../../test/story/run.ts'), rest[0] ?? 'pictures'],
        { stdio: 'inherit' },
      )
      child.on('error', reject)
      child.on('exit', (code) => {
        resolve(code ?? 1)
      })
    })
  },
}
