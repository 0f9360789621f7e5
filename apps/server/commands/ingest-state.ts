import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { Misuse } from './command.ts'

interface Kept {
  format: 'singer' | 'airbyte'
  state?: unknown
}
type AirbyteState = { type?: string; stream?: { stream_descriptor?: unknown }; data?: unknown }

/**
 * The file from which a tap or a source begins next time. For Singer it is the value of the last STATE. Airbyte tells the state of each stream by
 * itself, so the file is the list of the last of each; a global one stands for all, and an old one (LEGACY) is its data alone.
 */
export interface StateFile {
  /** Writes what may be kept now, in one step, on disk before it returns. @returns each state as the line to pass on */
  keep(states: readonly Kept[]): string[]
}

export function openStateFile(path: string | undefined): StateFile {
  if (path !== undefined && !existsSync(dirname(path))) throw new Misuse(`There is no folder ${dirname(path)}.`)
  let streams: AirbyteState[] = path !== undefined && existsSync(path) ? before(path) : []
  return {
    keep(states) {
      let value: unknown
      for (const { format, state } of states)
        if (format === 'singer') value = state
        else {
          streams = together(streams, state as AirbyteState)
          const [only] = streams
          value = streams.length === 1 && only !== undefined && isOld(only) ? only.data : streams
        }
      if (value !== undefined && path !== undefined) write(path, `${JSON.stringify(value)}\n`)
      return states.map(({ format, state }) => JSON.stringify(format === 'singer' ? state : { type: 'STATE', state }))
    },
  }
}

const isOld = (state: AirbyteState) => state.type === undefined || state.type === 'LEGACY'
const descriptor = (state: AirbyteState) => JSON.stringify(state.stream?.stream_descriptor)

function together(streams: readonly AirbyteState[], state: AirbyteState): AirbyteState[] {
  if (state.type !== 'STREAM') return [state]
  return [...streams.filter((one) => one.type === 'STREAM' && descriptor(one) !== descriptor(state)), state]
}

/** What other streams were at: kept when only some tell their state this time. */
function before(path: string): AirbyteState[] {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return Array.isArray(value) ? (value as AirbyteState[]) : []
  } catch {
    throw new Misuse(`${path} is no JSON. A state file is written by this command, or empty lists are “[]”.`)
  }
}

function write(path: string, text: string): void {
  const beside = `${path}.new`
  const file = openSync(beside, 'w', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(beside, path)
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
