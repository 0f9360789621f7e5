import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { aChild } from './parts/child.ts'

/**
 * What this machine takes: events a second that the door acknowledges, each on disk. The page Sources → Capacity runs it on the disk of its own journal;
 * `npx interlock bench capacity` on the temporary one.
 */
export const name = 'capacity'

/** What was measured: rates in events or flushes a second, times in milliseconds. */
export interface Measured {
  cores: number
  model: string
  /** One event a request, as browsers and opened mails send them. */
  perSecond: number
  p99Ms: number
  /** 100 events a request, as servers send them. */
  batchPerSecond: number
  /** fdatasync calls a second while single events came. */
  flushesPerSecond: number
  /** What this disk needs for the smallest durable write. */
  flushMs: number
}

interface Load {
  events: number
  seconds: number
  p99: number
  statuses: Record<string, number>
}

const run1 = promisify(execFile)
const single = { connections: 64, eventsPerRequest: 1, seconds: 3 }
const batches = { connections: 16, eventsPerRequest: 100, seconds: 2 }
const probes = 200

export const machine = (): Pick<Measured, 'cores' | 'model'> => ({
  cores: availableParallelism(),
  model: cpus()[0]?.model ?? 'unknown',
})

/**
 * Measures in about ten seconds. What it writes lies in `folder`, which is emptied before and removed afterwards; no event of it reaches any store.
 * @param progress hears what is done now and which share is done (0 … 1)
 * @throws when the signal aborts
 */
export async function measureCapacity(needs: {
  folder: string
  signal: AbortSignal
  progress(says: string, share: number): void
}): Promise<Measured> {
  const { folder, signal, progress } = needs
  const journal = join(folder, 'journal')
  await clearCapacity(folder)
  await mkdir(journal, { recursive: true })
  let door: Awaited<ReturnType<typeof aChild<{ port: number; writeKey: string }>>> | undefined
  const stop = () => void door?.kill()
  signal.addEventListener('abort', stop)
  try {
    progress('The disk: how long the smallest durable write takes.', 0)
    const flushMs = await flushTime(join(folder, 'probe'), signal)
    progress('A door of its own opens on a scratch journal.', 0.05)
    door = await aChild(join(import.meta.dirname, 'capacity', 'door.ts'), [journal])
    const opened = door
    let numbered = 0
    const load = async (of: typeof single): Promise<Load> => {
      signal.throwIfAborted()
      const order = { ...opened.told, ...of, run: `measure${String(numbered++)}` }
      const program = join(import.meta.dirname, 'collect', 'load.ts')
      const { stdout } = await run1(process.execPath, [program, JSON.stringify(order)], { signal })
      const done = JSON.parse(stdout) as Load
      const refused = Object.keys(done.statuses).filter((status) => status !== '200')
      if (refused.length > 0) throw new Error(`The door answered ${JSON.stringify(done.statuses)}.`)
      return done
    }
    // The first second is the compiler's.
    progress('It warms up.', 0.15)
    await load({ ...single, seconds: 1 })
    progress('Single events, over 64 connections.', 0.3)
    const before = await opened.ask<{ flushes: number }>('figures')
    const one = await load(single)
    const after = await opened.ask<{ flushes: number }>('figures')
    progress('Batches of 100 events, over 16 connections.', 0.7)
    const many = await load(batches)
    await opened.stop()
    door = undefined
    return {
      ...machine(),
      perSecond: Math.round(one.events / one.seconds),
      p99Ms: Math.round(one.p99 * 10) / 10,
      batchPerSecond: Math.round(many.events / many.seconds),
      flushesPerSecond: Math.round((after.flushes - before.flushes) / one.seconds),
      flushMs,
    }
  } finally {
    signal.removeEventListener('abort', stop)
    await door?.kill().catch(() => undefined)
    await clearCapacity(folder)
  }
}

/** Removes what a measurement that was cut off left behind. */
export const clearCapacity = (folder: string): Promise<void> =>
  rm(folder, { recursive: true, force: true, maxRetries: 5 })

/** The middle of many flushes, in milliseconds. */
async function flushTime(path: string, signal: AbortSignal): Promise<number> {
  const file = await open(path, 'w')
  try {
    const bytes = Buffer.alloc(567)
    const times: number[] = []
    for (let count = 0; count < probes; count++) {
      signal.throwIfAborted()
      const began = performance.now()
      await file.write(bytes, 0, bytes.length, count * bytes.length)
      await file.datasync()
      times.push(performance.now() - began)
    }
    times.sort((a, b) => a - b)
    return Math.round((times[probes / 2] ?? 0) * 100) / 100
  } finally {
    await file.close()
  }
}

export async function run(): Promise<{ figures: Record<string, number>; notes: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-bench-capacity-'))
  const found = await measureCapacity({ folder, signal: new AbortController().signal, progress: () => {} })
  return {
    figures: {
      single_events_per_second: found.perSecond,
      single_p99_ms: found.p99Ms,
      batch_events_per_second: found.batchPerSecond,
      single_fsyncs_per_second: found.flushesPerSecond,
      fdatasync_p50_ms: found.flushMs,
    },
    notes: [
      `One run of ${String(single.seconds)} s with one event a request over 64 connections, one of ${String(batches.seconds)} s with 100 over 16; load and door share ${String(found.cores)} cores.`,
      'Acknowledged: checked, and on disk by fdatasync. Nothing behind the journal runs. Sources → Capacity measures the same on the disk of the journal.',
    ],
  }
}
