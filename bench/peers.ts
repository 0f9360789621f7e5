import { mkdtemp } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuMs } from './parts/cpu.ts'
import { watchIdle } from './parts/idle.ts'
import { batch, load, medianBy, single, timesOf, type Shape } from './parts/load.ts'
import { startBare, startInterlock } from './peers/interlock.ts'
import type { Peer, StartPeer } from './peers/peer.ts'
import { startRudderServer } from './peers/rudder-server.ts'
import { Misuse } from '../apps/server/commands/command.ts'
import { removeDataDirs } from '../platform/data-dir/remove.ts'

/**
 * `npx interlock bench peers [rudder-server=PROGRAM]`: the same events, at the same concurrency, to Interlock, to the bare probe and to a rival's collector,
 * in turn on this machine in one run, and how many times as many ours acknowledges a second. Without a rival's program, the bare probe alone.
 */
export const name = 'peers'

const rivals: Readonly<Record<string, StartPeer>> = { 'rudder-server': startRudderServer }
/** `wide` is for collectors that wait to gather requests: what they can do shows when more are there to be gathered. */
const shapes: Readonly<Record<string, Shape>> = { single, wide: { connections: 512, eventsPerRequest: 1 }, batch }
const rounds = 3
const seconds = 4

interface Run {
  perSecond: number
  p50: number
  p99: number
  /** Processor time of the collector and its database, microseconds. */
  cpuPerEvent: number
  idle: number
}

/** @param words `NAME=PROGRAM` for each rival whose program is on this machine */
export async function run(
  words: readonly string[] = [],
): Promise<{ figures: Record<string, number>; peers: Record<string, number>; notes: string[] }> {
  const asked = words.map((word) => {
    const at = word.indexOf('=')
    const start = rivals[word.slice(0, at)]
    if (start === undefined) throw new Misuse(`Say NAME=PROGRAM with one of: ${Object.keys(rivals).join(', ')}`)
    return { as: word.slice(0, at), start, program: word.slice(at + 1) }
  })
  const folder = await mkdtemp(join(tmpdir(), 'interlock-bench-peers-'))
  const running = new Map<string, Peer>()
  try {
    const watch = watchIdle()
    await sleep(2_000)
    const idleBefore = watch()
    running.set('interlock', await startInterlock(join(folder, 'interlock'), ''))
    running.set('bare', await startBare(folder, ''))
    for (const { as, start, program } of asked) running.set(as, await start(join(folder, as), program))

    const runs = new Map<string, Run[]>()
    const acknowledged = new Map<string, number>()
    const before = new Map<string, number | undefined>()
    for (const [as, peer] of running) {
      before.set(as, await peer.stored())
      // The first seconds are the compiler's and the caches'.
      for (const shape of Object.values(shapes)) await one(as, peer, shape, 1)
    }
    for (let round = 0; round < rounds; round++)
      for (const [shapeName, shape] of Object.entries(shapes))
        for (const [as, peer] of running) {
          const key = `${as} ${shapeName}`
          runs.set(key, [...(runs.get(key) ?? []), await one(as, peer, shape, seconds)])
        }
    const lost: Record<string, number> = {}
    for (const [as, peer] of running) {
      const stored = await peer.stored()
      if (stored !== undefined) lost[as] = (acknowledged.get(as) ?? 0) - (stored - (before.get(as) ?? 0))
    }
    return { ...figuresOf(runs, [...running.keys()], lost, idleBefore), notes: notesOf(running, asked.length > 0) }

    async function one(as: string, peer: Peer, shape: Shape, forSeconds: number): Promise<Run> {
      const idle = watchIdle()
      const began = spent(peer)
      const done = await load(peer, shape, forSeconds)
      acknowledged.set(as, (acknowledged.get(as) ?? 0) + done.events)
      const { perSecond, p50, p99 } = done
      return { perSecond, p50, p99, cpuPerEvent: ((spent(peer) - began) * 1000) / done.events, idle: idle() ?? 0 }
    }
  } finally {
    await Promise.allSettled([...running.values()].map((peer) => peer.stop()))
    await removeDataDirs(folder)
  }
}

/** Processor time so far, of all its processes, in milliseconds. */
function spent(peer: Peer): number {
  let ms = 0
  for (const pid of peer.pids()) {
    const cpu = cpuMs(pid)
    if (cpu !== undefined) ms += cpu.process + cpu.below
  }
  return ms
}

function figuresOf(
  runs: ReadonlyMap<string, readonly Run[]>,
  names: readonly string[],
  lost: Readonly<Record<string, number>>,
  idleBefore: number | undefined,
) {
  const figures: Record<string, number> = {}
  const peers: Record<string, number> = {}
  for (const shape of Object.keys(shapes)) {
    const rates = (as: string) => (runs.get(`${as} ${shape}`) ?? []).map((one) => one.perSecond)
    for (const as of names) {
      const median = medianBy(runs.get(`${as} ${shape}`) ?? [], (one) => one.perSecond)
      const into = as === 'interlock' ? figures : peers
      const prefix = as === 'interlock' ? shape : `${as.replaceAll('-', '_')}_${shape}`
      into[`${prefix}_events_per_second`] = Math.round(median.perSecond)
      into[`${prefix}_p50_ms`] = tenth(median.p50)
      into[`${prefix}_p99_ms`] = tenth(median.p99)
      into[`${prefix}_cpu_us_per_event`] = tenth(median.cpuPerEvent)
      into[`${prefix}_idle_percent`] = median.idle
      if (as !== 'interlock')
        figures[`${shape}_times_${as.replaceAll('-', '_')}`] = timesOf(rates('interlock'), rates(as))
    }
  }
  for (const [as, events] of Object.entries(lost))
    if (as === 'interlock') figures.lost = events
    else peers[`${as.replaceAll('-', '_')}_lost`] = events
  if (idleBefore !== undefined) figures.idle_before_percent = idleBefore
  return { figures, peers }
}

function notesOf(running: ReadonlyMap<string, Peer>, withRival: boolean): string[] {
  return [
    `Median of ${String(rounds)} rounds in turn, ${String(seconds)} s each, over keep-alive, events of 567 bytes: single = 64 connections with one event a request, wide = 512 connections with one, batch = 16 connections with 100. Collectors, databases and load share ${String(cpus().length)} cores.`,
    ...[...running].map(([as, peer]) => `${as} (${peer.version}): accepted means ${peer.accepted}.`),
    'times_NAME: events a second of Interlock divided by those of NAME a few seconds later, the middle of the rounds. cpu_us_per_event: of the collector with its database, without the load. idle_percent: of all cores while it ran; idle_before_percent: before anything was started. lost: acknowledged and not in the store.',
    ...(withRival
      ? []
      : [`No rival was run. Say where its program is: ${Object.keys(rivals).join('=PROGRAM, ')}=PROGRAM.`]),
  ]
}

const tenth = (value: number) => Math.round(value * 10) / 10
