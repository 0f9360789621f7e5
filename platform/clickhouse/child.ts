import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Clock } from '../clock/clock.ts'
import { refuseWhenLost } from '../data-dir/history.ts'
import type { Log } from '../log/log.ts'
import { restartPauses, usualRhythm, watchPulse, type PulseRhythm } from '../supervision/pulse.ts'

/** An embedded ClickHouse engine under supervision. Its port changes when it is started again, so ask each time. */
export interface ClickHouseChild {
  url(): string
  secret: string
  pid(): number | undefined
  stop(): Promise<void>
}

/** The engine's cap; single heavy queries were seen to pass it by a third. */
const memoryBytes = 1_610_612_736
/** A cold first start reads 566 MB of library. */
const launchMs = 120_000

/**
 * Starts the engine on `dataDir/clickhouse` and starts it again with growing pauses when it dies, hangs, or does not come up.
 * @throws when it is not up within 120 s (a cold first start reads 566 MB of library), with the last lines it wrote
 */
export async function startClickHouse(
  dataDir: string,
  log: Log,
  clock: Clock,
  rhythm: PulseRhythm = usualRhythm,
): Promise<ClickHouseChild> {
  refuseWhenLost(dataDir, 'clickhouse')
  const secret = randomBytes(24).toString('base64url')
  let child: ChildProcess | undefined
  let port = 0
  let stopping = false
  let answering = false
  const pauses = restartPauses(clock)
  let lastLines: string[] = []

  /** @returns whether it answers; one that does not in time is killed, which its exit tells to `again` */
  async function launch(): Promise<boolean> {
    lastLines = []
    pauses.launched()
    const started = spawn(
      process.execPath,
      [join(import.meta.dirname, 'engine.ts'), join(dataDir, 'clickhouse'), String(memoryBytes)],
      {
        stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
        // Each query holds a thread of the pool; of the usual four, four long ones would leave none for ending them.
        env: { PATH: '/usr/bin:/bin', TZ: 'UTC', HOME: dataDir, UV_THREADPOOL_SIZE: '16' },
      },
    )
    child = started
    started.stdin?.on('error', () => undefined)
    started.stdin?.write(`${secret}\n`)
    started.stderr?.setEncoding('utf8')
    started.stderr?.on('data', (text: string) => {
      lastLines = [...lastLines, ...text.split('\n').filter((line) => line !== '')].slice(-20)
    })
    const patience = new AbortController()
    const up = await Promise.race([
      new Promise<boolean>((resolve) => {
        started.once('message', (message) => {
          port = (message as { port: number }).port
          answering = true
          resolve(true)
        })
        started.once('exit', (code, signal) => {
          if (child === started) child = undefined
          answering = false
          resolve(false)
          if (!stopping) void again(code ?? signal)
        })
      }),
      clock.sleep(launchMs, patience.signal).then(() => false),
    ])
    patience.abort()
    if (!up) started.kill('SIGKILL')
    return up
  }

  async function again(how: unknown): Promise<void> {
    const pauseMs = pauses.next()
    log.warn('the ClickHouse engine ended; starting it again', { how, pauseMs, lastLines })
    await clock.sleep(pauseMs)
    if (!stopping) await launch()
  }

  if (!(await launch())) {
    stopping = true
    throw new Error(`The ClickHouse engine did not start. The last it said:\n${lastLines.join('\n')}`)
  }
  const stopWatching = watchPulse(
    clock,
    rhythm,
    (signal) => (answering ? ping(port, secret, signal) : undefined),
    (because) => {
      log.warn('the ClickHouse engine hangs; ending it', { because })
      child?.kill('SIGKILL')
    },
  )
  return {
    url: () => `http://127.0.0.1:${String(port)}`,
    secret,
    pid: () => child?.pid,
    async stop() {
      stopping = true
      stopWatching()
      const ending = child
      if (ending === undefined) return
      const ended = new Promise<void>((resolve) => ending.once('exit', () => resolve()))
      ending.send('stop')
      const patience = new AbortController()
      await Promise.race([ended, clock.sleep(5_000, patience.signal)])
      patience.abort()
      ending.kill('SIGKILL')
      await ended
    },
  }
}

/** The engine answers this by a query on one of its sessions (engine.ts). */
async function ping(port: number, secret: string, signal: AbortSignal): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${String(port)}/ping`, {
    headers: { 'x-clickhouse-key': secret },
    signal,
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(text.trim())
}
