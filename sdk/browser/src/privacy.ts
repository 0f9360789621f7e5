import type { Options } from './options.ts'

/**
 * `full` stores and sends. `anonymous` sends and stores nothing. `waiting` holds events in the memory of the page until there is an answer. `refused`
 * does nothing at all.
 */
export type Mode = 'full' | 'anonymous' | 'waiting' | 'refused'
/** What the browser says for its user: Global Privacy Control, or the older Do Not Track. */
export type Signal = 'gpc' | 'dnt' | undefined
/** What the person answered on this site. */
export type Choice = 'granted' | 'denied' | undefined

/** An answer for this very site outranks the general signal of the browser; without an answer, asking first outranks it. */
export function modeOf(
  { consent, privacySignal }: Pick<Options, 'consent' | 'privacySignal'>,
  signal: Signal,
  choice: Choice,
): Mode {
  if (choice) return choice === 'granted' ? 'full' : 'refused'
  if (consent === 'required') return 'waiting'
  if (!signal || privacySignal === 'ignore') return 'full'
  return privacySignal === 'off' ? 'refused' : 'anonymous'
}

/** What this browser says. */
export function signalOf(): Signal {
  const said = navigator as Navigator & { globalPrivacyControl?: boolean }
  return said.globalPrivacyControl ? 'gpc' : said.doNotTrack === '1' ? 'dnt' : undefined
}
