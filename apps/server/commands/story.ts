import type { Command } from './command.ts'
import { runScript } from './script.ts'

export const story: Command = {
  name: 'story',
  usage: 'story [FOLDER]',
  summary:
    'Drive a real browser through the main job on the demo company, with a picture of every page (default ./pictures).',
  options: {},
  run: ({ rest }) => runScript('test/story/run.ts', [rest[0] ?? 'pictures']),
}
