import { randomUUID } from 'node:crypto'
import { writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { createInterlock as Create } from '../../sdk/node/src/index.ts'

/**
 * A program that is killed: says events through the built Node SDK, and writes down (a line to standard output, at once) each whose promise resolved.
 * Words: module, host, write key, spool, and a mode: `on` says events until it is killed, `drain` sends what waits and ends, `forget` says one event and
 * ends without waiting, `close` says one event and closes.
 */
const [module = '', host = '', writeKey = '', spool = '', mode = ''] = process.argv.slice(2)
const { createInterlock } = (await import(pathToFileURL(module).href)) as { createInterlock: typeof Create }
const say = (line: string) => writeSync(1, `${line}\n`)
const interlock = createInterlock({
  host,
  writeKey,
  ...(spool === '' ? {} : { spool }),
  intervalMs: 5,
  batchEvents: 20,
  onError: (error) => {
    say(`error ${error.code}`)
  },
})
const track = async () => {
  const number = randomUUID()
  await interlock.track({ userId: 'åsa', event: 'Killed', properties: { number } })
  say(`resolved ${number}`)
}
if (mode === 'on') {
  say('ready')
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      for (;;) await track()
    }),
  )
}
if (mode === 'drain') say(`left ${String(await interlock.close({ timeoutMs: 60_000 }))}`)
if (mode === 'forget') await track()
if (mode === 'close') {
  void track()
  say(`left ${String(await interlock.close())}`)
}
