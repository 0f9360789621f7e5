import { environmentMeanings, readConfig, type Config } from '../../platform/config/config.ts'
import { commands } from './commands/index.ts'
import { Misuse, type Command, type Options } from './commands/command.ts'

/** `npx interlock COMMAND`: exit code 0 when it did it, 1 when it found something wrong, 2 when the call was not understood. */

function help(): string {
  const width = Math.max(...commands.map((command) => command.usage.length))
  const lines = commands.map((command) => `  ${command.usage.padEnd(width)}  ${command.summary}`)
  return [
    'interlock COMMAND [options]',
    '',
    ...lines,
    '',
    'Each command: --help for its options, --json for machines, --data DIR for the data directory (INTERLOCK_DATA_DIR).',
    '',
    'Environment:',
    ...environmentMeanings.map((one) => `  ${one.name.padEnd(24)}  ${one.meaning}`),
    '',
  ].join('\n')
}

function helpFor(command: Command): string {
  const options = Object.entries(command.options).map(
    ([name, option]) =>
      `  --${name}${option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : ''}`.padEnd(28) + option.says,
  )
  return [`interlock ${command.usage}`, '', command.summary, '', ...options, ''].join('\n')
}

/** Splits the words after the command by what the command declares. @throws Misuse for what it does not know */
function parse(command: Command, words: readonly string[]): { options: Options; rest: string[] } {
  const options: Options = {}
  const rest: string[] = []
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    if (!word.startsWith('--')) {
      rest.push(word)
      continue
    }
    const [name = '', inline] = word.slice(2).split(/=(.*)/s)
    const option = command.options[name]
    if (option === undefined) throw new Misuse(`There is no option --${name}. ${helpFor(command)}`)
    if (option.type === 'boolean') options[name] = true
    else {
      const value = inline ?? words[++index]
      if (value === undefined) throw new Misuse(`--${name} wants a value.`)
      options[name] = value
    }
  }
  return { options, rest }
}

async function main(words: string[]): Promise<number> {
  const [name = 'help', ...after] = words
  if (name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(help())
    return 0
  }
  const command = commands.find((other) => other.name === name)
  if (command === undefined) throw new Misuse(`There is no command ${name}.\n\n${help()}`)
  if (after.includes('--help')) {
    process.stdout.write(helpFor(command))
    return 0
  }
  const { options, rest } = parse(command, after)
  const overrides: Partial<Config> = {
    ...(typeof options['data'] === 'string' ? { dataDir: options['data'] } : {}),
    ...(typeof options['port'] === 'string' ? { port: Number(options['port']) } : {}),
  }
  return command.run({
    config: readConfig(process.env, overrides),
    options,
    rest,
    json: options['json'] === true,
    print: (text) => process.stdout.write(`${text}\n`),
  })
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const known = error instanceof Misuse
  process.stderr.write(
    known || !(error instanceof Error)
      ? `${error instanceof Error ? error.message : String(error)}\n`
      : `${error.message}\n${process.env['INTERLOCK_LOG'] === 'debug' ? (error.stack ?? '') : ''}`,
  )
  process.exitCode = known ? 2 : 1
}
