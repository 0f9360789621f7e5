import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { systemClock } from '../../platform/clock/clock.ts'
import { byName, linksInMails, type Config } from '../../platform/config/config.ts'
import { createLog } from '../../platform/log/log.ts'
import { startCatcher } from '../../platform/mail/catcher.ts'
import { systemRandom } from '../../platform/random/random.ts'
import type { Authorise } from '../../platform/http/http.ts'
import { build, type App } from './build.ts'
import { announceServer } from './control.ts'
import { demoPassword, demoTitles } from './demo/staff.ts'
import { runDemo } from './demo/run.ts'
import { openEngines } from './engines.ts'
import { builtPages, builtTracker } from './pages.ts'

export interface Serving {
  url: string
  app: App
  /** Resolves when everything is closed. */
  stop(): Promise<void>
}

export interface ServeOptions {
  demo: boolean
  print(text: string): void
  /** Without pages, for benches and tests of the API. */
  pages?: boolean
  connections?: number
}

/** Opens everything, serves, and says where. @throws with the sentence for the one who typed it: a taken port, a taken data directory */
export async function serve(config: Config, options: ServeOptions): Promise<Serving> {
  const { print } = options
  const log = createLog(config.log)
  const links = linksInMails(config)
  if (links !== undefined) process.stderr.write(`Warning: ${links.says}\n`)
  const pages = options.pages === false ? undefined : await builtPages(print)
  const tracker = options.pages === false ? undefined : await builtTracker()
  print(`Opening ${config.dataDir}…`)
  const engines = await openEngines(config, log)
  let url = config.publicUrl ?? ''
  let app: App | undefined
  let letIn: Authorise | undefined
  const closers: (() => Promise<void> | void)[] = [() => engines.close()]
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const catcher = await startCatcher(async (mail) => {
      if (app === undefined) throw new Error('not ready')
      await app.channels.keep(mail)
    }, log)
    closers.push(() => catcher.close())
    const demo = options.demo ? runDemo({ directory: engines.directory, log, print }) : undefined
    app = await build({
      engines,
      config,
      clock: systemClock,
      random: systemRandom,
      log,
      publicUrl: () => url,
      catcherUrl: () => catcher.url,
      pages,
      tracker,
      alsoLetIn: async (request, route) => letIn?.(request, route),
      ...(demo === undefined
        ? {}
        : { demo: { password: demoPassword, titles: demoTitles, state: demo.state, trickle: demo.trickle } }),
      ...(options.connections === undefined ? {} : { connections: options.connections }),
    })
    const running = app
    closers.push(() => running.stop())
    await app.start()
    if (demo !== undefined) await demo.settle(app)
    const address = await app.http.listen(config.host, config.port)
    url = config.publicUrl ?? byName(address)
    const control = announceServer(engines.directory, address)
    ;({ letIn } = control)
    closers.push(() => {
      control.withdraw()
    })
    if (demo !== undefined) {
      demo.begin(app)
      closers.push(() => demo.stop())
    }
    const link = await app.accounts.firstLink()
    print(`\n  Interlock answers at ${config.publicUrl === undefined ? url : address}\n`)
    if (link !== undefined)
      print(`  The first administrator joins here (once, within an hour; each start makes a new one): ${link}\n`)
    if (options.demo) print(`  Everyone of the demo company signs in with the password “${demoPassword}”.\n`)
    const seconds = config.beganMs === undefined ? process.uptime() : (systemClock.ms() - config.beganMs) / 1000
    void megabytes([join(import.meta.dirname, '../../node_modules'), engines.directory]).then(([installed, data]) => {
      print(
        `  Ready after ${seconds.toFixed(0)} s. On disk: ${installed ?? '?'} MB of packages, ${data ?? '?'} MB of data. Stop with Ctrl-C.\n`,
      )
    })
    return { url, app, stop: close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Stops once, whatever the signal; a second signal ends at once. */
export function stopOnSignal(serving: Pick<Serving, 'stop'>, print: (text: string) => void): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    const stop = () => {
      if (asked) process.exit(130)
      asked = true
      print('Stopping…')
      void serving.stop().then(resolve, (error: unknown) => {
        process.stderr.write(`${String(error)}\n`)
        process.exit(1)
      })
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  })
}

/** What folders take on disk, by `du`, because walking a thousand packages here would hold up the first page. */
async function megabytes(folders: string[]): Promise<(string | undefined)[]> {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn('du', ['-sm', ...folders], { stdio: ['ignore', 'pipe', 'ignore'] })
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', () => {
      resolve([])
    })
    child.on('exit', () => {
      resolve(
        output
          .trim()
          .split('\n')
          .map((line) => line.split('\t')[0]),
      )
    })
  })
}
