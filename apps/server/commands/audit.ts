import { createAudit } from '../../../modules/audit/server/index.ts'
import type { Verification } from '../../../modules/audit/contract.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { createLog } from '../../../platform/log/log.ts'
import { ask, runningServer } from '../control.ts'
import { openEngines } from '../engines.ts'
import { common, Misuse, type Command } from './command.ts'

export const audit: Command = {
  name: 'audit',
  usage: 'audit verify',
  summary: 'Recompute the whole chain of the audit log; says which entry is wrong. Exit code 1 when one is.',
  options: common,
  async run({ config, rest, print, json }) {
    if (rest[0] !== 'verify') throw new Misuse('Say: interlock audit verify')
    const server = runningServer(config.dataDir)
    let found: Verification
    if (server !== undefined) found = (await ask(server, 'GET', '/api/audit/verify')) as Verification
    else {
      const engines = await openEngines(config, createLog('warn'))
      try {
        found = await createAudit({
          postgres: engines.postgres,
          clock: systemClock,
          heads: { file: engines.auditHeads, secrets: engines.secrets },
        }).verify()
      } finally {
        await engines.close()
      }
    }
    if (json) print(JSON.stringify(found))
    else
      print(
        found.ok
          ? `The audit log is whole: ${String(found.entries)} entries, held against ${String(found.heads)} written heads, head ${found.head}.`
          : `Entry ${String(found.seq)} is wrong: ${found.because}`,
      )
    return found.ok ? 0 : 1
  },
}
