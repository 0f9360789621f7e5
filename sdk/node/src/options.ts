import { InterlockError } from './errors.ts'

/** How it is set up. */
export interface Options {
  /** The key of the source in Interlock. */
  writeKey: string
  /** Where Interlock answers, `https://data.example.com`. */
  host: string
  /**
   * A folder for the durable way: each event is on disk (fdatasync) before the promise of its call resolves, and what was not acknowledged is sent by
   * the next process that opens the folder. One process at a time.
   */
  spool?: string
  /** Most bytes that the spool takes on disk; 256 MiB by default. */
  spoolBytes?: number
  /** Without a spool: most events that wait; 10,000 by default. */
  queueEvents?: number
  /** Most bytes that wait in memory: without a spool to be sent, with one to be written; 32 MiB by default. */
  queueBytes?: number
  /** Most events in one request; 200 by default. */
  batchEvents?: number
  /** Most bytes of events in one request, unless one event alone has more; 500,000 by default. */
  batchBytes?: number
  /** How long the first event of a batch waits for others, in milliseconds; 1,000 by default. */
  intervalMs?: number
  /** A request without an answer is given up after this and tried again; 15,000 by default. */
  timeoutMs?: number
  /** Packs requests: less to send, more to compute. Off by default. */
  gzip?: boolean
  /** Is told everything that goes wrong with events, beside the promise of the call. Without it, a warning of the process. */
  onError?: (error: InterlockError) => void
}

export type Settled = Required<Omit<Options, 'spool' | 'onError' | 'host'>> & { url: string; spool: string | undefined }

/** @throws InterlockError `bad_options` */
export function settle(options: Options): Settled {
  const { writeKey, host, spool } = options
  if (typeof writeKey !== 'string' || writeKey.trim() === '') throw bad('writeKey is missing')
  let url: string
  try {
    url = new URL('/v1/batch', host).href
  } catch (cause) {
    throw bad(`host is no address: ${String(host)}`, cause)
  }
  if (!/^https?:/.test(url)) throw bad(`host is no web address: ${host}`)
  if (spool === '') throw bad('spool is empty')
  const whole = (name: Limit, usual: number, least: number) => {
    const value = options[name] ?? usual
    if (!Number.isSafeInteger(value) || value < least)
      throw bad(`${name} is no whole number of at least ${least.toLocaleString('en')}: ${String(value)}`)
    return value
  }
  return {
    writeKey: writeKey.trim(),
    url,
    spool,
    spoolBytes: whole('spoolBytes', 256 * mebi, 2 * mebi),
    queueEvents: whole('queueEvents', 10_000, 1),
    queueBytes: whole('queueBytes', 32 * mebi, mebi),
    // What one request may bring: 5,000 events and 8 MiB.
    batchEvents: Math.min(whole('batchEvents', 200, 1), 5_000),
    batchBytes: Math.min(whole('batchBytes', 500_000, 1), 7_500_000),
    intervalMs: whole('intervalMs', 1_000, 0),
    timeoutMs: whole('timeoutMs', 15_000, 1),
    gzip: options.gzip ?? false,
  }
}

type Limit = 'spoolBytes' | 'queueEvents' | 'queueBytes' | 'batchEvents' | 'batchBytes' | 'intervalMs' | 'timeoutMs'
const mebi = 1024 * 1024
const bad = (what: string, cause?: unknown) =>
  new InterlockError('bad_options', `Interlock cannot start: ${what}.`, { cause })
