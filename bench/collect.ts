import { execFile } from 'node:child_process'
import { mkdtemp, open } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { aChild, type Child } from './parts/child.ts'
import { removeDataDirs } from '../platform/data-dir/remove.ts'

/**
 * `npx interlock bench collect`: how many events a second are acknowledged (on disk), and how many get through to the store.
 * The server and the load each run in a process of their own on this machine; acknowledging and storing are separate runs.
 */
export const name = 'collect'

interface Load {
  requests: number
  events: number
  seconds: number
  p50: number
  p99: number
  statuses: Record<string, number>
}
interface Figures {
  rssMb: number
  flushes: number
  head: number
}
interface Drained {
  events: number
  messages: number
}

const runs = 5
const runSeconds = 3
const throughSeconds = 8
const here = (file: string) => join(import.meta.dirname, 'collect', file)
const run1 = promisify(execFile)

export async function run(): Promise<{ figures: Record<string, number>; notes: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-bench-collect-'))
  try {
    const probe = await fsyncProbe(folder)
    const acknowledging = await aServer(join(folder, 'acknowledge'), ['--acknowledge-only'])
    // The first seconds are the compiler's.
    await load(acknowledging, 1, 1)
    const single = await repeated(acknowledging, 1)
    const batch = await repeated(acknowledging, 100)
    const acknowledged = await acknowledging.ask<Figures>('figures')
    await acknowledging.stop()

    const storing = await aServer(join(folder, 'store'), [])
    const storedSingle = await through(storing, 1)
    const storedBatch = await through(storing, 100)
    const all = await storing.ask<Drained>('drained')
    const rss = (await storing.ask<Figures>('figures')).rssMb
    await storing.stop()
    const sent = storedSingle.events + storedBatch.events

    return {
      figures: {
        single_events_per_second: whole(single.perSecond),
        single_p50_ms: tenth(single.p50),
        single_p99_ms: tenth(single.p99),
        single_fsyncs_per_second: whole(single.fsyncsPerSecond),
        batch_events_per_second: whole(batch.perSecond),
        batch_p50_ms: tenth(batch.p50),
        batch_p99_ms: tenth(batch.p99),
        batch_fsyncs_per_second: whole(batch.fsyncsPerSecond),
        stored_single_per_second: whole(storedSingle.perSecond),
        stored_batch_per_second: whole(storedBatch.perSecond),
        rss_mb: Math.max(rss, acknowledged.rssMb),
        lost: sent - all.messages,
        duplicated: all.events - all.messages,
        fdatasync_p50_ms: probe,
      },
      notes: [
        `Median of ${runs} runs of ${runSeconds} s over keep-alive: 64 connections with one event of 567 bytes, 16 connections with 100 events; load and server share ${cpus().length} cores (load average ${loadavg()[0]?.toFixed(1)}).`,
        'Acknowledged: checked, and on disk by fdatasync. Stored: from the first request until the last event is in ClickHouse, deduplicated and counted, without the steps of identity and profiles.',
        `Bare fdatasync of 567 bytes on this disk: p50 ${probe} ms.`,
        'rss_mb is the server process alone, at the end of a run; the engines are processes of their own.',
      ],
    }
  } finally {
    await removeDataDirs(folder)
  }
}

type Server = Child<{ port: number; writeKey: string }>
const aServer = (dataDir: string, flags: string[]): Promise<Server> =>
  aChild(here('server.ts'), [dataDir, '0', ...flags])

let numbered = 0
async function load(server: Server, eventsPerRequest: number, seconds: number): Promise<Load> {
  const order = {
    ...server.told,
    connections: eventsPerRequest === 1 ? 64 : 16,
    eventsPerRequest,
    seconds,
    run: `bench${numbered++}`,
  }
  const { stdout } = await run1(process.execPath, [here('load.ts'), JSON.stringify(order)])
  const done = JSON.parse(stdout) as Load
  const refused = Object.entries(done.statuses).filter(([status]) => status !== '200')
  if (refused.length > 0) throw new Error(`The server answered ${JSON.stringify(done.statuses)}`)
  return done
}

/** The median run, by events per second. */
async function repeated(server: Server, eventsPerRequest: number) {
  const all: { perSecond: number; p50: number; p99: number; fsyncsPerSecond: number }[] = []
  for (let count = 0; count < runs; count++) {
    const before = await server.ask<Figures>('figures')
    const { events, seconds, p50, p99 } = await load(server, eventsPerRequest, runSeconds)
    const after = await server.ask<Figures>('figures')
    all.push({ perSecond: events / seconds, p50, p99, fsyncsPerSecond: (after.flushes - before.flushes) / seconds })
  }
  all.sort((a, b) => a.perSecond - b.perSecond)
  const median = all[Math.floor(runs / 2)]
  if (median === undefined) throw new Error('The bench has no runs')
  return median
}

async function through(server: Server, eventsPerRequest: number) {
  const began = performance.now()
  const { events } = await load(server, eventsPerRequest, throughSeconds)
  await server.ask<Drained>('drained')
  return { events, perSecond: events / ((performance.now() - began) / 1000) }
}

/** What this disk needs for the smallest durable write, for comparison. */
async function fsyncProbe(folder: string): Promise<number> {
  const file = await open(join(folder, 'probe'), 'w')
  const bytes = Buffer.alloc(567)
  const times: number[] = []
  for (let count = 0; count < 300; count++) {
    const began = performance.now()
    await file.write(bytes, 0, bytes.length, count * bytes.length)
    await file.datasync()
    times.push(performance.now() - began)
  }
  await file.close()
  times.sort((a, b) => a - b)
  return Math.round((times[150] ?? 0) * 100) / 100
}

const whole = (value: number) => Math.round(value)
const tenth = (value: number) => Math.round(value * 10) / 10
