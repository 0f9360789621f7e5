import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/** `npm run property -- NAME --seeds N`: what must hold whatever happens, tried with N stories drawn from seeds. Exit code 1 when it did not hold for one, 2 for a name that is none. */
interface Property {
  summary: string
  /** Prints what it saw. @returns whether everything held */
  run(say: (line: string) => void, of: { seeds: number; from: number }): Promise<boolean>
}

const folder = join(import.meta.dirname, 'programs')
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3))
const load = async (name: string) => (await import(join(folder, `${name}.ts`))) as Property
const say = (line: string) => {
  process.stdout.write(`${line}\n`)
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '1000' }, from: { type: 'string', default: '0' } },
})
const [seeds, from] = [Number(values.seeds), Number(values.from)]
const [wanted] = positionals
if (wanted === undefined) for (const name of names) say(`  ${name.padEnd(12)} ${(await load(name)).summary}`)
else if (!names.includes(wanted)) {
  say(`There is no property ${wanted}; there are: ${names.join(', ')}.`)
  process.exitCode = 2
} else if (!Number.isInteger(seeds) || seeds < 1 || !Number.isInteger(from) || from < 0) {
  say('--seeds is how many stories, --from the first: whole numbers.')
  process.exitCode = 2
} else {
  const held = await (await load(wanted)).run(say, { seeds, from }).catch((error: unknown) => {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return false
  })
  process.exitCode = held ? 0 : 1
}
