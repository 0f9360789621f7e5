import { readdirSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Misuse, type Command } from './command.ts'

const folder = join(import.meta.dirname, '../../../bench')

interface Bench {
  name: string
  /**
   * @param words what the command line said after the name
   * @returns figures under names with their unit, of other products too where they could be run beside, and how it was measured
   */
  run(
    words: readonly string[],
  ): Promise<{ figures: Record<string, number>; peers?: Record<string, number>; notes: string[] }>
}

export const bench: Command = {
  name: 'bench',
  usage: 'bench NAME [WORDS]',
  summary: 'Measure one published figure on this machine; without a name, the list.',
  options: { json: { type: 'boolean', says: 'one JSON object as the last line' } },
  async run({ rest, print, json }) {
    const names = readdirSync(folder).flatMap((file) =>
      file.endsWith('.ts') && !file.endsWith('.test.ts') ? [file.slice(0, -3)] : [],
    )
    const [name, ...words] = rest
    if (name === undefined || !names.includes(name)) throw new Misuse(`Say: interlock bench ${names.join(' | ')}`)
    const { run } = (await import(pathToFileURL(join(folder, `${name}.ts`)).href)) as Bench
    const { figures, peers = {}, notes } = await run(words)
    const machine = {
      cpus: cpus().length,
      model: cpus()[0]?.model ?? 'unknown',
      memoryGiB: Math.round(totalmem() / 1_073_741_824),
      node: process.version,
      load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    }
    if (json) print(JSON.stringify({ name, figures, peers, machine, notes }))
    else {
      const width = Math.max(...Object.keys({ ...figures, ...peers }).map((key) => key.length))
      for (const [key, value] of [...Object.entries(figures), ...Object.entries(peers)])
        print(`  ${key.padEnd(width)}  ${value.toLocaleString('en-GB')}`)
      for (const note of notes) print(`  ${note}`)
      print(
        `  On ${String(machine.cpus)} × ${machine.model}, ${String(machine.memoryGiB)} GiB, Node ${machine.node}, load ${String(machine.load)}.`,
      )
    }
    return 0
  },
}
