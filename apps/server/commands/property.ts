import type { Command } from './command.ts'
import { runScript } from './script.ts'

export const property: Command = {
  name: 'property',
  usage: 'property [NAME] [--seeds N] [--from N]',
  summary: 'Try what must always hold with stories drawn from seeds; without a name, list what can be tried.',
  options: {
    seeds: { type: 'string', says: 'how many stories (1000)' },
    from: { type: 'string', says: 'the seed of the first (0)' },
  },
  run: ({ rest, options }) =>
    runScript('test/property/run.ts', [
      ...rest,
      ...['seeds', 'from'].flatMap((name) => {
        const value = options[name]
        return typeof value === 'string' ? [`--${name}`, value] : []
      }),
    ]),
}
