import { mkdtemp } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Counts } from '../modules/journeys/contract.ts'
import { aChild, type Child } from './parts/child.ts'
import { cpuMs } from './parts/cpu.ts'
import { removeDataDirs } from '../platform/data-dir/remove.ts'

/**
 * `npx interlock bench send`: 20,000 personal, DKIM-signed mails to a mail server on this machine, twice on the whole product: once undisturbed,
 * for the rate, and once while the product is killed with SIGKILL six times, for what became of each mail. The mail server counts by itself.
 */
export const name = 'send'

interface State {
  state: string
  audience: number | null
  counts: Counts
  because: string | null
}
interface Taken {
  mails: number
  messageIds: number
  addresses: number
}

const customers = 20_000
const connections = 10
const kills = 6
const here = (file: string) => join(import.meta.dirname, 'send', file)
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export async function run(): Promise<{ figures: Record<string, number>; notes: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-bench-send-'))
  try {
    const calm = await undisturbed(join(folder, 'calm'))
    const struck = await killed(join(folder, 'killed'))
    return {
      figures: {
        mails: struck.taken.mails,
        mails_per_second: Math.round(calm.perSecond),
        cpu_ms_per_mail: hundredth(calm.cpuMsPerMail),
        engines_cpu_ms_per_mail: hundredth(calm.enginesCpuMsPerMail),
        kills,
        duplicates: struck.taken.mails - struck.taken.addresses,
        unaccounted: struck.unaccounted,
        unknown: struck.counts.unknown ?? 0,
        unknown_that_arrived: struck.taken.addresses - (struck.counts.accepted ?? 0),
        connections,
      },
      notes: [
        `${String(customers)} mails of about 20 kB over ${String(connections)} connections to a mail server in a process of its own on the same ${String(cpus().length)} cores (load average ${loadavg()[0]?.toFixed(1) ?? '?'}).`,
        'mails_per_second: from the launch to the last answer of the mail server, audience and planning included, in a run without a kill. cpu_ms_per_mail: the process of Interlock alone; engines_cpu_ms_per_mail: PostgreSQL and the analytics engine beside it.',
        'duplicates: mails that the mail server took, less the addresses that it took them for. unaccounted: audience less the sum of all ends in the ledger. unknown: killed between the final dot and its answer; never sent again; at most connections × kills.',
        `unknown_that_arrived: how many of the ${String(struck.counts.unknown ?? 0)} unknown ones the mail server had taken.`,
      ],
    }
  } finally {
    await removeDataDirs(folder)
  }
}

const hundredth = (value: number) => Math.round(value * 100) / 100

interface House {
  start(): Promise<Child<object>>
  sink: Child<{ url: string }>
}
async function aHouse(folder: string): Promise<House> {
  const sink = await aChild<{ url: string }>(here('sink.ts'), [`${folder}.taken`])
  const words = [folder, sink.told.url, String(connections), String(customers)]
  return { sink, start: () => aChild<object>(here('server.ts'), words) }
}

/** Waits until a broadcast has ended. @throws when it was paused or halted, with why */
async function ended(server: Child<object>): Promise<State> {
  for (;;) {
    const now = await server.ask<State>('state')
    if (now.state === 'done') return now
    if (now.state !== 'live') throw new Error(`The broadcast is ${now.state}: ${now.because ?? ''}`)
    await wait(100)
  }
}

async function undisturbed(folder: string) {
  const { sink, start } = await aHouse(folder)
  const server = await start()
  await server.ask('prepare')
  const before = cpuMs(server.pid)
  const began = performance.now()
  await server.ask('launch')
  const { counts } = await ended(server)
  const seconds = (performance.now() - began) / 1000
  const after = cpuMs(server.pid)
  const mails = counts.accepted ?? 0
  await server.stop()
  await sink.stop()
  const used = (part: 'process' | 'below') => ((after?.[part] ?? 0) - (before?.[part] ?? 0)) / mails
  return { perSecond: mails / seconds, cpuMsPerMail: used('process'), enginesCpuMsPerMail: used('below') }
}

async function killed(folder: string) {
  const { sink, start } = await aHouse(folder)
  let server = await start()
  await server.ask('prepare')
  await server.ask('launch')
  for (let count = 1; count <= kills; count++) {
    // Each kill falls into the sending: after the next share of the mails, at no particular place in it.
    const goal = (customers * count) / (kills + 1) + Math.random() * 500
    while ((await sink.ask<Taken>('taken')).mails < goal) await wait(20)
    await server.kill()
    server = await start()
  }
  const { audience, counts } = await ended(server)
  const taken = await sink.ask<Taken>('taken')
  await server.stop()
  await sink.stop()
  const accounted = Object.values(counts).reduce((sum, count) => sum + count, 0)
  return { taken, counts, unaccounted: (audience ?? customers) - accounted }
}
