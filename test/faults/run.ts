import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** `npm run faults`: one file of `programs/` for each way to break the product. Exit code 1 when something was lost, 2 for a name that is none. */
interface Fault {
  /** What is broken and what must hold, in a line. */
  summary: string
  /** Prints what it saw; with `long` after more rounds of the same. @returns whether everything that was promised held */
  run(say: (line: string) => void, long: boolean): Promise<boolean>
}

const folder = join(import.meta.dirname, 'programs')
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3))
const load = async (name: string) => (await import(join(folder, `${name}.ts`))) as Fault
const say = (line: string) => {
  process.stdout.write(`${line}\n`)
}

const long = process.argv.includes('--long')
const [wanted] = process.argv.slice(2).filter((word) => word !== '--long')
if (wanted === undefined) for (const name of names) say(`  ${name.padEnd(12)} ${(await load(name)).summary}`)
else if (names.includes(wanted)) {
  const held = await (await load(wanted)).run(say, long).catch((error: unknown) => {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return false
  })
  process.exitCode = held ? 0 : 1
} else {
  say(`There is no fault program ${wanted}; there are: ${names.join(', ')}.`)
  process.exitCode = 2
}
