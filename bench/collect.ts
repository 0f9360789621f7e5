import { mkdtemp, open } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { aChild, type Child } from './parts/child.ts'
import { watchIdle } from './parts/idle.ts'
import { batch, load, medianBy, single, timesOf, type Shape } from './parts/load.ts'
import { startBare } from './peers/interlock.ts'
import type { Peer } from './peers/peer.ts'
import { removeDataDirs } from '../platform/data-dir/remove.ts'

/**
 * `npx interlock bench collect`: how many events a second are acknowledged (on disk), and how many get through to the store.
 * The server and the load each run in a process of their own on this machine; acknowledging and storing are separate runs.
 */
export const name = 'collect'

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

export async function run(): Promise<{ figures: Record<string, number>; notes: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-bench-collect-'))
  try {
    const probe = await fsyncProbe(folder)
    const acknowledging = await aServer(join(folder, 'acknowledge'), ['--acknowledge-only'])
    const bare = await startBare(folder, '')
    // The first seconds are the compiler's.
    for (const server of [acknowledging.told, bare]) await load(server, single, 1)
    const one = await repeated(acknowledging, bare, single)
    const hundred = await repeated(acknowledging, bare, batch)
    const acknowledged = await acknowledging.ask<Figures>('figures')
    await acknowledging.stop()
    await bare.stop()

    const storing = await aServer(join(folder, 'store'), [])
    const storedSingle = await through(storing, single)
    const storedBatch = await through(storing, batch)
    const all = await storing.ask<Drained>('drained')
    const rss = (await storing.ask<Figures>('figures')).rssMb
    await storing.stop()
    const sent = storedSingle.events + storedBatch.events

    return {
      figures: {
        single_events_per_second: whole(one.perSecond),
        single_p50_ms: tenth(one.p50),
        single_p99_ms: tenth(one.p99),
        single_fsyncs_per_second: whole(one.fsyncsPerSecond),
        batch_events_per_second: whole(hundred.perSecond),
        batch_p50_ms: tenth(hundred.p50),
        batch_p99_ms: tenth(hundred.p99),
        batch_fsyncs_per_second: whole(hundred.fsyncsPerSecond),
        single_bare_per_second: whole(one.bare),
        single_ratio_to_bare: one.times,
        single_idle_percent: one.idle,
        batch_bare_per_second: whole(hundred.bare),
        batch_ratio_to_bare: hundred.times,
        batch_idle_percent: hundred.idle,
        stored_single_per_second: whole(storedSingle.perSecond),
        stored_batch_per_second: whole(storedBatch.perSecond),
        rss_acknowledging_mb: acknowledged.rssMb,
        rss_storing_mb: rss,
        lost: sent - all.messages,
        duplicated: all.events - all.messages,
        fdatasync_p50_ms: probe,
      },
      notes: [
        `Median of ${runs} runs of ${runSeconds} s over keep-alive: 64 connections with one event of 567 bytes, 16 connections with 100 events; load and server share ${cpus().length} cores (load average ${loadavg()[0]?.toFixed(1)}).`,
        'Acknowledged: checked, and on disk by fdatasync. Stored: from the first request until the last event is in ClickHouse, deduplicated and counted, without the steps of identity and profiles.',
        'bare: the bare probe (bench/peers/bare.ts), which parses, checks one schema, appends and syncs, and nothing else; in turn with ours, so the ratio holds on a busy machine too. idle_percent: of all cores during the median run.',
        `Bare fdatasync of 567 bytes on this disk: p50 ${probe} ms.`,
        'rss_…_mb is the server process alone, at the end of each of the two runs; the engines are processes of their own.',
      ],
    }
  } finally {
    await removeDataDirs(folder)
  }
}

type Server = Child<{ port: number; writeKey: string }>
const aServer = (dataDir: string, flags: string[]): Promise<Server> =>
  aChild(here('server.ts'), [dataDir, '0', ...flags])

/** The median run, by events per second, and that of the bare probe: one of each in turn, so that both had the same machine. */
async function repeated(server: Server, bare: Peer, shape: Shape) {
  const all: { perSecond: number; p50: number; p99: number; fsyncsPerSecond: number; idle: number }[] = []
  const probed: number[] = []
  for (let count = 0; count < runs; count++) {
    const before = await server.ask<Figures>('figures')
    const idle = watchIdle()
    const { perSecond, seconds, p50, p99 } = await load(server.told, shape, runSeconds)
    const share = idle() ?? 0
    const after = await server.ask<Figures>('figures')
    all.push({ perSecond, p50, p99, fsyncsPerSecond: (after.flushes - before.flushes) / seconds, idle: share })
    probed.push((await load(bare, shape, runSeconds)).perSecond)
  }
  const median = medianBy(all, (one) => one.perSecond)
  const times = timesOf(
    all.map((one) => one.perSecond),
    probed,
  )
  return { ...median, bare: medianBy(probed, (one) => one), times }
}

async function through(server: Server, shape: Shape) {
  const began = performance.now()
  const { events } = await load(server.told, shape, throughSeconds)
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
