import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Clock } from '../clock/clock.ts'
import { refuseWhenLost } from '../data-dir/history.ts'
import type { Log } from '../log/log.ts'

/** An embedded ClickHouse engine under supervision. Its port changes when it is started again, so ask each time. */
export interface ClickHouseChild {
  url(): string
  secret: string
  pid(): number | undefined
  stop(): Promise<void>
}

/** The engine's cap; single heavy queries were seen to pass it by a third. */
const memoryBytes = 1_610_612_736

/**
 * Starts the engine on `dataDir/clickhouse` and starts it again with growing pauses (0.2 s to 10 s) when it dies.
 * @throws when it is not up within 120 s (a cold first start reads 566 MB of library), with the last lines it wrote
 */
export async function startClickHouse(dataDir: string, log: Log, clock: Clock): Promise<ClickHouseChild> {
  refuseWhenLost(dataDir, 'clickhouse')
  const secret = randomBytes(24).toString('base64url')
  let child: ChildProcess | undefined
  let port = 0
  let stopping = false
  let failures = 0
  let lastLines: string[] = []

  function launch(): Promise<boolean> {
    lastLines = []
    const started = spawn(
      process.execPath,
      [join(import.meta.dirname, 'engine.ts'), join(dataDir, 'clickhouse'), String(memoryBytes)],
      {
        stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
        env: { PATH: '/usr/bin:/bin', TZ: 'UTC', HOME: dataDir },
      },
    )
    child = started
    started.stdin?.on('error', () => undefined)
    started.stdin?.write(`${secret}\n`)
    started.stderr?.setEncoding('utf8')
    started.stderr?.on('data', (text: string) => {
      lastLines = [...lastLines, ...text.split('\n').filter((line) => line !== '')].slice(-20)
    })
    return new Promise((resolve) => {
      started.once('message', (message) => {
        port = (message as { port: number }).port
        failures = 0
        resolve(true)
      })
      started.once('exit', (code, signal) => {
        if (child === started) child = undefined
        resolve(false)
        if (!stopping) void again(code ?? signal)
      })
    })
  }

  async function again(how: unknown): Promise<void> {
    const pauseMs = Math.min(10_000, 200 * 2 ** failures)
    failures += 1
    log.warn('the ClickHouse engine ended; starting it again', { how, pauseMs, lastLines })
    await clock.sleep(pauseMs)
    if (!stopping) await launch()
  }

  const patience = new AbortController()
  const up = await Promise.race([launch(), clock.sleep(120_000, patience.signal).then(() => false)])
  patience.abort()
  if (!up) {
    stopping = true
    child?.kill('SIGKILL')
    throw new Error(`The ClickHouse engine did not start. The last it said:\n${lastLines.join('\n')}`)
  }
  return {
    url: () => `http://127.0.0.1:${String(port)}`,
    secret,
    pid: () => child?.pid,
    async stop() {
      stopping = true
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
