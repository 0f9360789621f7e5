import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus, loadavg } from 'node:os'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { builtTracker } from '../apps/server/pages.ts'
import { aBrowser, userAgent } from '../test/browser.ts'

/**
 * `npx interlock bench tracker`: what our own tracker costs a page: bytes over the wire, and time of the main thread while the page loads and the first
 * view is sent, in a real browser on a processor that is four times as slow.
 */
export const name = 'tracker'

const runs = 7
const slower = 4
/** After the load: the view leaves after a quarter of a second, and its answer is read. */
const settleMs = 2_000

export async function run(): Promise<{ figures: Record<string, number>; notes: string[] }> {
  const script = await builtTracker()
  if (script === undefined) throw new Error('The tracker was not built here.')
  const site = await aSite(script)
  const browser = await aBrowser()
  try {
    const load = (path: string, rate: number) => worked(browser, site.url, path, rate)
    // The first load of each is the browser's own beginning.
    for (const path of ['/without', '/with']) await load(path, 1)
    const withIt: number[] = []
    const without: number[] = []
    const computed: number[] = []
    for (let at = 0; at < runs; at++) {
      without.push((await load('/without', slower)).taskMs)
      withIt.push((await load('/with', slower)).taskMs)
      const bare = await load('/without', 1)
      computed.push((await load('/with', 1)).cpuMs - bare.cpuMs)
    }
    const differences = withIt.map((ms, at) => ms - (without[at] ?? 0))
    return {
      figures: {
        gz_bytes: gzipSync(script, { level: 9 }).length,
        br_bytes: brotliCompressSync(script).length,
        bytes: script.length,
        main_thread_ms: tenth(median(differences)),
        main_thread_least_ms: tenth(Math.min(...differences)),
        main_thread_most_ms: tenth(Math.max(...differences)),
        cpu_ms: tenth(median(computed)),
        cpu_slower_ms: tenth(median(computed) * slower),
        page_with_ms: tenth(median(withIt)),
        page_without_ms: tenth(median(without)),
        views_sent: site.views(),
        loads_with: 2 * runs + 1,
      },
      notes: [
        `main_thread_ms: median of ${String(runs)} differences of TaskDuration (Performance.getMetrics) between a page with the tracker and the same page without, one after the other, each in a browser context of its own with nothing cached; from the navigation to ${String(settleMs / 1000)} s after the load.`,
        `The processor is ${String(slower)} times as slow (Emulation.setCPUThrottlingRate). The page is small: 200 links, a form, a heading.`,
        `TaskDuration is time by the clock, so on a busy machine it counts waiting for a core too, and the emulation multiplies that. cpu_ms is the computing time of the thread (ThreadTime) without the emulation, which waiting does not change; cpu_slower_ms is ${String(slower)} times that.`,
        `Browser and bench share ${String(cpus().length)} cores (load average ${loadavg()[0]?.toFixed(1) ?? '?'}). views_sent: page views that came, one for each load with it, the uncounted one included.`,
      ],
    }
  } finally {
    await browser.close()
    site.close()
  }
}

/**
 * @param rate how many times as slow the processor is made
 * @returns what the main thread did for this page, by the clock and in computing time, in milliseconds
 */
async function worked(
  browser: Browser,
  site: string,
  path: string,
  rate: number,
): Promise<{ taskMs: number; cpuMs: number }> {
  const context = await browser.newContext({ userAgent })
  try {
    const page = await context.newPage()
    const devtools = await context.newCDPSession(page)
    // On the same site, so that the process and its clock stay the same.
    await page.goto(`${site}/before`)
    await devtools.send('Performance.enable')
    await devtools.send('Emulation.setCPUThrottlingRate', { rate })
    const soFar = async () => {
      const { metrics } = await devtools.send('Performance.getMetrics')
      const ms = (name: string) => (metrics.find((one) => one.name === name)?.value ?? NaN) * 1000
      return { taskMs: ms('TaskDuration'), cpuMs: ms('ThreadTime') }
    }
    const before = await soFar()
    await page.goto(site + path, { waitUntil: 'load' })
    await page.waitForTimeout(settleMs)
    const after = await soFar()
    return { taskMs: after.taskMs - before.taskMs, cpuMs: after.cpuMs - before.cpuMs }
  } finally {
    await context.close()
  }
}

/** Pages with and without the tracker, and where it sends to. */
async function aSite(script: Uint8Array) {
  let views = 0
  const body = `<h1>Läden</h1><form action="/without"><input name="q"><button>Go</button></form>${Array.from(
    { length: 200 },
    (_none, at) => `<p><a href="https://other.example/${String(at)}">Link ${String(at)}</a></p>`,
  ).join('')}`
  const packed = gzipSync(script, { level: 9 })
  const server = createServer((request, reply) => {
    const path = request.url ?? ''
    if (path === '/interlock.js')
      reply.writeHead(200, { 'content-type': 'text/javascript', 'content-encoding': 'gzip' }).end(packed)
    else if (path === '/v1/batch') {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        views += Buffer.concat(chunks).toString().split('"type":"page"').length - 1
        reply.writeHead(200, { 'content-type': 'application/json' }).end('{"success":true}')
      })
    } else
      reply
        .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
        .end(
          `<!doctype html><html lang="en"><title>A page</title><link rel="icon" href="data:,">${path === '/with' ? '<script async src="/interlock.js" data-write-key="key"></script>' : ''}${body}</html>`,
        )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    views: () => views,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const tenth = (value: number) => Math.round(value * 10) / 10
