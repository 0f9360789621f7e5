import type { Config } from '../../../platform/config/config.ts'

export type Options = Record<string, string | true>

/** What a command is given. */
export interface Call {
  config: Config
  options: Options
  /** Words that are no options, in order. */
  rest: string[]
  /** For machines: print one JSON value and nothing else on standard output. */
  json: boolean
  print(text: string): void
}

/** One word of `npx interlock`. It answers with the exit code: 0 done, 1 found something wrong. */
export interface Command {
  name: string
  usage: string
  summary: string
  options: Record<string, { type: 'string' | 'boolean'; says: string; value?: string }>
  run(call: Call): Promise<number>
}

/** The call was not understood: exit code 2. */
export class Misuse extends Error {}

/** Options that every command has. */
export const common = {
  data: { type: 'string', value: 'DIR', says: 'data directory (default ./data/main, with --demo ./data/demo)' },
  json: { type: 'boolean', says: 'one JSON value on standard output' },
} as const satisfies Command['options']
