import type { Command } from './command.ts'
import { runScript } from './script.ts'

export const conformance: Command = {
  name: 'conformance',
  usage: 'conformance [matrix] [leaving] [answers] [mutated]',
  summary:
    'Drive the four real SDKs of Segment and RudderStack against the whole product, with every answer between them, and count.',
  options: {},
  run: ({ rest }) => runScript('test/conformance/run.ts', rest),
}
