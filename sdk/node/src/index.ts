import type { AliasCall, Event, EventType, GroupCall, IdentifyCall, TrackCall, ViewCall } from './calls.ts'
import { InterlockError } from './errors.ts'
import { eventOf } from './event.ts'
import { settle, type Options } from './options.ts'
import { createSender } from './sender.ts'
import { waitInSpool } from './spool.ts'
import { realSurroundings } from './surroundings.ts'
import { waitInMemory } from './waiting.ts'

export { InterlockError, type ErrorCode } from './errors.ts'
export type {
  AliasCall,
  Common,
  Event,
  EventType,
  Fields,
  GroupCall,
  IdentifyCall,
  Json,
  TrackCall,
  ViewCall,
  Who,
} from './calls.ts'
export type { Options } from './options.ts'

/**
 * A client of one source. Each call resolves with the message id once the event is taken: into the queue, or with a spool on disk. It rejects with an
 * `InterlockError` when it is not; a call whose promise nobody looks at never ends the process, and its error goes to `onError`.
 */
export interface Interlock {
  /** Somebody did something. */
  track(call: TrackCall): Promise<string>
  /** Who somebody is. */
  identify(call: IdentifyCall): Promise<string>
  /** Somebody saw a page of a web site. */
  page(call: ViewCall): Promise<string>
  /** Somebody saw a screen of an app. */
  screen(call: ViewCall): Promise<string>
  /** Somebody belongs to a company, a team, a household. */
  group(call: GroupCall): Promise<string>
  /** Two ids are one person. */
  alias(call: AliasCall): Promise<string>
  /**
   * Resolves when all that was said until now was sent (or refused for good), however many tries that takes; with `timeoutMs` at the latest then.
   * @returns how many events still wait
   */
  flush(options?: { timeoutMs?: number }): Promise<number>
  /**
   * Takes nothing more, sends what waits, and ends; after `timeoutMs` (30,000 by default) it gives up. What then still waits stays in the spool for the
   * next process; without a spool it is lost, and told to `onError` as `not_sent`.
   * @returns how many events were not sent
   */
  close(options?: { timeoutMs?: number }): Promise<number>
}

/**
 * Starts a client.
 * @throws InterlockError `bad_options`; with a spool `spool_in_use` and `spool_failed`
 */
export function createInterlock(options: Options): Interlock {
  const settled = settle(options)
  const around = realSurroundings
  const tell = (error: InterlockError) => {
    try {
      if (options.onError === undefined)
        process.emitWarning(error.message, { type: 'InterlockError', code: error.code })
      else options.onError(error)
    } catch (cause) {
      process.emitWarning(`onError of Interlock threw: ${String(cause)}`)
    }
  }
  const waiting =
    settled.spool === undefined
      ? waitInMemory(settled.queueEvents, settled.queueBytes)
      : waitInSpool({ folder: settled.spool, mostBytes: settled.spoolBytes, mostUnwritten: settled.queueBytes, tell })
  const sender = createSender({ waiting, settled, around, tell })
  const pushing = new Set<Promise<unknown>>()
  let closing: Promise<number> | undefined

  async function take(type: EventType, call: object): Promise<string> {
    if (closing !== undefined)
      throw new InterlockError('closed', `The client is closed. The ${type} event was not taken.`)
    const { messageId, json } = eventOf(type, call, around.newId, around.nowMs())
    await waiting.push(json)
    sender.taken()
    return messageId
  }
  const call =
    (type: EventType) =>
    (said: object): Promise<string> => {
      const taken = take(type, said)
      pushing.add(taken)
      // Who does not wait for the promise hears of it here, and is not ended by it.
      void taken.catch(tell).finally(() => pushing.delete(taken))
      return taken
    }
  async function flush(timeoutMs?: number): Promise<number> {
    await Promise.allSettled(pushing)
    return sender.flush(timeoutMs)
  }
  async function close(timeoutMs: number): Promise<number> {
    await flush(timeoutMs)
    await sender.stop()
    const left = waiting.events()
    if (settled.spool === undefined && left > 0) {
      const batch = await waiting.next({ events: Infinity, bytes: Infinity })
      const events = (batch?.events ?? []).map((json) => JSON.parse(json) as Event)
      tell(
        new InterlockError(
          'not_sent',
          `The client was closed before ${String(left)} events were sent. They are lost.`,
          { events },
        ),
      )
    }
    await waiting.close()
    return left
  }
  // What the last process left.
  sender.taken()
  return {
    track: call('track'),
    identify: call('identify'),
    page: call('page'),
    screen: call('screen'),
    group: call('group'),
    alias: call('alias'),
    flush: (how) => flush(how?.timeoutMs),
    close: (how) => (closing ??= close(how?.timeoutMs ?? 30_000)),
  }
}
