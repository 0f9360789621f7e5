import { gzipSync } from 'node:zlib'
import { verdictOf, waitMs } from './backoff.ts'
import type { Event } from './calls.ts'
import { InterlockError } from './errors.ts'
import type { Settled } from './options.ts'
import type { Answer, Surroundings, Timer } from './surroundings.ts'
import { version } from './version.ts'
import type { Batch, Waiting } from './waiting.ts'

export interface Sender {
  /** Something was taken: it leaves when a batch is full, or when it has waited long enough. */
  taken(): void
  /**
   * Resolves when what waits now was sent (or refused for good), or after `timeoutMs`. Until then the process stays.
   * @returns how many events still wait
   */
  flush(timeoutMs?: number): Promise<number>
  /** Sends nothing any more; a request without an answer is given up. Resolves when nothing is going on. */
  stop(): Promise<void>
}

/** Sends what waits, one request at a time and in order, until it is taken or refused. */
export function createSender(needs: {
  waiting: Waiting
  settled: Settled
  around: Surroundings
  tell: (error: InterlockError) => void
}): Sender {
  const { waiting, settled, around, tell } = needs
  const headers = {
    authorization: `Basic ${Buffer.from(`${settled.writeKey}:`).toString('base64')}`,
    'content-type': 'application/json',
    'user-agent': `@interlock/node/${version}`,
    ...(settled.gzip ? { 'content-encoding': 'gzip' } : {}),
  }
  const context = JSON.stringify({ library: { name: '@interlock/node', version } })
  const ending = new AbortController()
  const ended = () => ending.signal.aborted

  /** Until the next batch leaves, when nothing is being sent. */
  let timer: Timer | undefined
  /** The pause after a failure. */
  let pausing: Timer | undefined
  let going: Promise<void> | undefined
  let failures = 0
  /** Less than usual after a batch was refused as a whole: one of its events may be why. */
  let most = settled.batchEvents
  let outcomes = 0
  const waiters = new Set<{ until: number; resolve: () => void }>()

  function drain(): void {
    timer?.cancel()
    timer = undefined
    going ??= run().finally(() => {
      going = undefined
      // Something may have come after the last look.
      if (waiting.events() > 0) taken()
    })
  }
  async function run(): Promise<void> {
    while (!ended()) {
      const batch = await waiting.next({ events: most, bytes: settled.batchBytes }).catch((error: unknown) => {
        tell(new InterlockError('spool_failed', `The spool cannot be read: ${String(error)}`, { cause: error }))
      })
      if (batch === undefined) {
        look()
        if (waiting.events() === 0) return
        failures++
        await pause(waitMs(failures, around.chance(), null, around.nowMs()))
      } else await send(batch)
    }
  }
  async function send(batch: Batch): Promise<void> {
    const answer = await ask(batch.events)
    if (ended() && answer === undefined) return
    const verdict = answer === undefined ? 'later' : verdictOf(answer.status, batch.events.length)
    if (verdict === 'later') {
      failures++
      return pause(waitMs(failures, around.chance(), answer?.retryAfter ?? null, around.nowMs()))
    }
    failures = 0
    if (verdict === 'smaller') {
      most = Math.ceil(batch.events.length / 2)
      return
    }
    // Told before they are done: a process that ends between the two tells it again, and none is gone untold.
    if (verdict === 'refused') tell(refused(answer as Answer, batch.events))
    else {
      most = settled.batchEvents
      const aside = putAside(answer as Answer, batch.events)
      if (aside !== undefined) tell(aside)
    }
    await batch.done().catch((error: unknown) => {
      tell(
        new InterlockError('spool_failed', `What was acknowledged cannot be noted: ${String(error)}`, { cause: error }),
      )
    })
    outcomes += batch.events.length
    look()
  }
  /** Who waits for what is over now? */
  function look(): void {
    for (const waiter of waiters) if (outcomes >= waiter.until || waiting.events() === 0) waiter.resolve()
  }
  /** @returns undefined when there was no answer */
  async function ask(events: readonly string[]): Promise<Answer | undefined> {
    const json = `{"batch":[${events.join()}],"sentAt":"${new Date(around.nowMs()).toISOString()}","context":${context}}`
    const body = settled.gzip ? gzipSync(json) : json
    const patience = new AbortController()
    const giveUp = () => {
      patience.abort()
    }
    const bell = around.after(settled.timeoutMs, giveUp)
    ending.signal.addEventListener('abort', giveUp)
    try {
      return await around.post(settled.url, headers, body, patience.signal)
    } catch {
      return undefined
    } finally {
      bell.cancel()
      ending.signal.removeEventListener('abort', giveUp)
    }
  }
  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        pausing?.cancel()
        pausing = undefined
        ending.signal.removeEventListener('abort', end)
        resolve()
      }
      if (ended()) return resolve()
      ending.signal.addEventListener('abort', end)
      pausing = around.after(ms, end)
      pausing.hold(waiters.size > 0)
    })
  }
  function taken(): void {
    if (going !== undefined || ended()) return
    if (
      settled.intervalMs === 0 ||
      waiters.size > 0 ||
      waiting.events() >= settled.batchEvents ||
      waiting.bytes() >= settled.batchBytes
    )
      drain()
    else timer ??= around.after(settled.intervalMs, drain)
  }

  return {
    taken,
    async flush(timeoutMs) {
      if (waiting.events() === 0 || ended()) return waiting.events()
      let bell: Timer | undefined
      await new Promise<void>((resolve) => {
        const waiter = { until: outcomes + waiting.events(), resolve }
        const end = () => {
          waiters.delete(waiter)
          bell?.cancel()
          ending.signal.removeEventListener('abort', end)
          pausing?.hold(waiters.size > 0)
          resolve()
        }
        waiter.resolve = end
        waiters.add(waiter)
        ending.signal.addEventListener('abort', end)
        if (timeoutMs !== undefined) {
          bell = around.after(timeoutMs, end)
          bell.hold(true)
        }
        pausing?.hold(true)
        drain()
      })
      return waiting.events()
    },
    async stop() {
      timer?.cancel()
      timer = undefined
      ending.abort()
      await going
    },
  }
}

const read = (events: readonly string[]) => events.map((json) => JSON.parse(json) as Event)
const many = (count: number) => (count === 1 ? '1 event' : `${count.toLocaleString('en')} events`)

function said(text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text) ?? {}) as Record<string, unknown>
  } catch {
    return {}
  }
}

function refused({ status, text }: Answer, events: readonly string[]): InterlockError {
  const { detail, title } = said(text)
  const because = [detail, title].find((one) => typeof one === 'string') ?? ''
  return new InterlockError(
    'refused',
    `Interlock refused ${many(events.length)} for good (${String(status)}). ${because}`.trim(),
    { status, events: read(events) },
  )
}

/** What the server took and put into quarantine; undefined when it put nothing there. */
function putAside({ status, text }: Answer, events: readonly string[]): InterlockError | undefined {
  const { quarantined } = said(text)
  if (!Array.isArray(quarantined) || quarantined.length === 0) return undefined
  const rows = quarantined as { index?: unknown; reason?: unknown }[]
  const reasons = new Set(rows.map((row) => String(row.reason)))
  return new InterlockError(
    'put_aside',
    `Interlock put ${many(rows.length)} into quarantine: ${[...reasons].join(', ')}.`,
    { status, events: read(rows.flatMap((row) => events[Number(row.index)] ?? [])) },
  )
}
