import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What one run of the load generator saw. Latencies in milliseconds, from the first byte sent to the last byte of the answer. */
export interface Load {
  requests: number
  events: number
  seconds: number
  p50: number
  p99: number
  statuses: Record<string, number>
}

/** How the events come: each connection sends its next request when the last was answered. */
export interface Shape {
  connections: number
  eventsPerRequest: number
}

export const single: Shape = { connections: 64, eventsPerRequest: 1 }
export const batch: Shape = { connections: 16, eventsPerRequest: 100 }

const generator = join(import.meta.dirname, '../collect/load.ts')
const run = promisify(execFile)
let numbered = 0

/**
 * Sends events of 567 bytes in the wire format of the Segment API from a process of its own.
 * @throws when an answer was not 200: a rate with refusals in it is no rate
 */
export async function load(
  server: { port: number; writeKey: string },
  shape: Shape,
  seconds: number,
): Promise<Load & { perSecond: number }> {
  const { port, writeKey } = server
  const order = { port, writeKey, ...shape, seconds, run: `bench${String(numbered++)}` }
  const { stdout } = await run(process.execPath, [generator, JSON.stringify(order)])
  const done = JSON.parse(stdout) as Load
  const refused = Object.entries(done.statuses).filter(([status]) => status !== '200')
  if (refused.length > 0) throw new Error(`The server answered ${JSON.stringify(done.statuses)}`)
  return { ...done, perSecond: done.events / done.seconds }
}

/** The middle one by the measure. @throws when there is none */
export function medianBy<Run>(runs: readonly Run[], measure: (run: Run) => number): Run {
  const median = [...runs].sort((a, b) => measure(a) - measure(b))[Math.floor(runs.length / 2)]
  if (median === undefined) throw new Error('The bench has no runs')
  return median
}

/**
 * How many times the one is the other: the middle of the ratios of the pairs that ran one after the other. On a machine that others use too, what both
 * had in the same seconds compares; the middle of all of the one may come from another minute than the middle of all of the other.
 */
export function timesOf(ours: readonly number[], theirs: readonly number[]): number {
  const ratio = medianBy(
    ours.map((one, at) => one / (theirs[at] ?? NaN)),
    (one) => one,
  )
  return Math.round(ratio * 100) / 100
}
