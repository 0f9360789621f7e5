import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Demo } from '../../../modules/cockpit/contract.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { App } from '../build.ts'
import { feed } from './feed.ts'
import { settle } from './settle.ts'
import { createTrickle } from './trickle.ts'
import { ask } from './work.ts'

/**
 * The demo company, alive: people and tools are there before the server answers, its customers come in while one looks, and then new events
 * trickle in. What was loaded once is there the next time; a load that was interrupted is done again from the start, where each step leaves out
 * what is there (events by their message ids).
 */
export function runDemo(needs: { directory: string; log: Log; print(text: string): void }) {
  let loading: Demo['loading'] = null
  let stopping = false
  let fed: Promise<void> = Promise.resolve()
  const trickle = createTrickle(needs.log)
  /** Written when everything is in. */
  const mark = join(needs.directory, 'demo-loaded')
  const loaded = existsSync(mark)
  const progress = (says: string, share: number) => {
    loading = { says, share }
  }
  return {
    state: (): Demo => ({ loading, trickle: trickle.running() }),
    trickle(running: boolean) {
      trickle.set(running)
    },
    /** Before the first answer. */
    settle: (app: App) => (loaded ? Promise.resolve() : settle(app)),
    /** After it. */
    begin(app: App) {
      fed = (async () => {
        if (!loaded) {
          progress('The customers of the demo company come in.', 0)
          const began = process.uptime()
          await feed(app, needs.directory, progress, () => stopping)
          if (stopping) return
          progress('Both sides begin their work.', 0.97)
          await ask(app)
          writeFileSync(mark, '', { flush: true })
          needs.print(`  The demo company is loaded (${(process.uptime() - began).toFixed(0)} s).\n`)
        }
        loading = null
        trickle.begin(app)
      })().catch((error: unknown) => {
        loading = { says: 'The demo company could not be loaded; the log says why.', share: 1 }
        needs.log.error('the demo company could not be loaded', error)
      })
    },
    async stop() {
      stopping = true
      trickle.end()
      await fed
    },
  }
}
