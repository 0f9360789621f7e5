import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { aChild } from './parts/child.ts'
import { removeDataDirs } from '../platform/data-dir/remove.ts'

/**
 * `npx interlock bench burst`: a source that may send 2,000 events a second is offered ten times as many for five minutes, one event a request. What is
 * taken must be stored, what is not must be told when to come again, and the process must stay small and answer everybody else meanwhile.
 */
export const name = 'burst'

const paceEventsPerSecond = 2000
const offeredPerSecond = 20_000
const minutes = 5
const run1 = promisify(execFile)

interface Offered {
  offered: number
  wanted: number
  seconds: number
  statuses: Record<string, number>
  withoutRetryAfter: number
}
interface Figures {
  mostRssMb: number
  loopDelayP99Ms: number
}
interface Drained {
  events: number
  messages: number
}

export async function run(): Promise<{ figures: Record<string, number>; notes: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-bench-burst-'))
  try {
    const server = await aChild<{ port: number; writeKey: string }>(join(import.meta.dirname, 'collect', 'server.ts'), [
      join(folder, 'data'),
      '0',
      '--pace',
      String(paceEventsPerSecond),
    ])
    await server.ask('begin')
    const order = { ...server.told, perSecond: offeredPerSecond, seconds: minutes * 60 }
    const { stdout } = await run1(process.execPath, [
      join(import.meta.dirname, 'burst', 'load.ts'),
      JSON.stringify(order),
    ])
    const crowd = JSON.parse(stdout) as Offered
    const { loopDelayP99Ms } = await server.ask<Figures>('figures')
    const began = performance.now()
    const stored = await server.ask<Drained>('drained')
    const drainedSeconds = (performance.now() - began) / 1000
    const { mostRssMb } = await server.ask<Figures>('figures')
    await server.stop()
    const acknowledged = crowd.statuses['200'] ?? 0
    const toldToWait = (crowd.statuses['429'] ?? 0) + (crowd.statuses['503'] ?? 0)
    return {
      figures: {
        offered_per_second: Math.round(crowd.offered / crowd.seconds),
        offered: crowd.offered,
        acknowledged,
        told_to_wait: toldToWait,
        other_answers: crowd.offered - acknowledged - toldToWait,
        without_retry_after: crowd.withoutRetryAfter,
        stored: stored.messages,
        lost: acknowledged - stored.messages,
        duplicated: stored.events - stored.messages,
        rss_mb: mostRssMb,
        drained_seconds: Math.round(drainedSeconds * 10) / 10,
        loop_delay_p99_ms: loopDelayP99Ms,
      },
      notes: [
        `${minutes} minutes of ${offeredPerSecond.toLocaleString('en')} single events a second wanted for a source whose limit is ${paceEventsPerSecond.toLocaleString('en')} a second; server, engines and load share ${cpus().length} cores.`,
        'Each event is offered once; a client would come again after the seconds in Retry-After. other_answers are requests without an answer within 30 s.',
        'rss_mb is the most that the collecting process ever had; the engines are processes of their own. loop_delay_p99_ms: how late its timers were (perf_hooks).',
      ],
    }
  } finally {
    await removeDataDirs(folder)
  }
}
