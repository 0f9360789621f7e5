import { createLog } from '../../../platform/log/log.ts'
import { openEngines } from '../engines.ts'
import { common, type Command } from './command.ts'

export const migrate: Command = {
  name: 'migrate',
  usage: 'migrate',
  summary: 'Bring both databases to this version and end. A server does the same when it starts.',
  options: common,
  async run({ config, print, json }) {
    const engines = await openEngines(config, createLog('warn'))
    try {
      const applied = await engines.postgres.query<{ name: string }>(
        'SELECT name FROM platform.migration ORDER BY name',
      )
      print(
        json
          ? JSON.stringify({ applied: applied.map((row) => row.name) })
          : `Both databases are at this version (${String(applied.length)} migrations of PostgreSQL).`,
      )
    } finally {
      await engines.close()
    }
    return 0
  },
}
