import type { Finding } from '../doctor/finding.ts'
import { serving } from '../doctor/serving.ts'
import { stores } from '../doctor/stores.ts'
import { surroundings } from '../doctor/surroundings.ts'
import { runningServer } from '../control.ts'
import { common, type Command } from './command.ts'

export const doctor: Command = {
  name: 'doctor',
  usage: 'doctor',
  summary:
    'Look at everything that can be wrong with an installation, change nothing, and say how to mend it. Exit code 1 when something is wrong.',
  options: common,
  async run({ config, print, json }) {
    const server = runningServer(config.dataDir)
    const around = await surroundings(config, server !== undefined)
    // Where a folder is lost an engine is not even started.
    const lost = around.some(({ name, ok }) => name.startsWith('Folder ') && !ok)
    const within = server !== undefined ? await serving(server) : lost ? [] : await stores(config)
    const findings = [...around, ...within]
    if (json) print(JSON.stringify(findings))
    else for (const found of findings) print(line(found))
    return findings.every((found) => found.ok) ? 0 : 1
  },
}

function line({ name, ok, says, mend }: Finding): string {
  const indent = `\n${' '.repeat(26)}`
  return `${ok ? '  ok  ' : ' WRONG'}  ${name.padEnd(17)} ${[says, ...(mend === undefined ? [] : [mend])].join('\n').replaceAll('\n', indent)}`
}
