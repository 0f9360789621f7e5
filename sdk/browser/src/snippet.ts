import { interlock, type Interlock } from './index.ts'
import { read } from './safely.ts'

/** What `/interlock.js` does: the global `interlock`, and a start by the data attributes of its own script element. */

interface Early {
  /** What was said before the script was here: `window.interlock ||= function () { (interlock.q ||= []).push(arguments) }`. */
  q?: ['flush'][]
}
const page = window as unknown as { interlock?: Interlock & Early }
const early = page.interlock?.q ?? []
// Loaded twice, the first goes on.
if (!page.interlock?.load) {
  page.interlock = interlock
  const script = document.currentScript as HTMLScriptElement | null
  if (script?.dataset['writeKey']) {
    const said: Record<string, unknown> = { host: new URL(script.src).origin }
    // `true`, `false` and numbers are what they say; an attribute without a value is true.
    for (const [name, value] of Object.entries(script.dataset)) said[name] = read(value || 'true') ?? value
    interlock.load({ ...said, writeKey: script.dataset['writeKey'] })
  }
  for (const words of early) interlock(...words)
}
