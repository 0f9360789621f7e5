import { join } from 'node:path'
import { serve, stopOnSignal } from '../main.ts'
import { serveNode } from '../node.ts'
import { common, type Command } from './command.ts'

export const serveCommand: Command = {
  name: 'serve',
  usage: 'serve',
  summary: 'Serve: pages, API, tracking endpoints and everything behind them.',
  options: {
    ...common,
    demo: { type: 'boolean', says: 'with the demo company, in ./data/demo unless told otherwise' },
    port: { type: 'string', value: 'PORT', says: 'the port (default 4400, or INTERLOCK_PORT); 0 takes a free one' },
  },
  async run({ config, options, print }) {
    if (config.role === 'collect') {
      await stopOnSignal(await serveNode(config, print), print)
      return 0
    }
    const demo = options['demo'] === true
    const dataDir = demo && !config.dataDirGiven ? join(config.dataDir, '..', 'demo') : config.dataDir
    const serving = await serve({ ...config, dataDir }, { demo, print })
    await stopOnSignal(serving, print)
    return 0
  },
}
