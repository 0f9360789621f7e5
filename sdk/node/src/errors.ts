import type { Event } from './calls.ts'

/**
 * What can go wrong.
 *
 * | code | means |
 * | --- | --- |
 * | `bad_options` | it cannot start so |
 * | `bad_event` | the event lacks something, or is no JSON; it was not taken |
 * | `event_too_large` | over 256 KiB; it was not taken |
 * | `queue_full` | the queue, or the spool, has no room; the event was not taken |
 * | `closed` | after `close()`; the event was not taken |
 * | `refused` | the server said no for good; `events` were dropped |
 * | `put_aside` | the server took the batch and put some of it into quarantine, where it can be looked at and sent on |
 * | `not_sent` | `close()` gave up waiting; `events` are lost with this process |
 * | `spool_in_use` | another process has this spool |
 * | `spool_failed` | the disk failed; the event was not taken |
 * | `spool_damaged` | something on disk is not what was written; it was skipped |
 */
export type ErrorCode =
  | 'bad_options'
  | 'bad_event'
  | 'event_too_large'
  | 'queue_full'
  | 'closed'
  | 'refused'
  | 'put_aside'
  | 'not_sent'
  | 'spool_in_use'
  | 'spool_failed'
  | 'spool_damaged'

/** An error of this SDK: `code` for programs, `message` for people. */
export class InterlockError extends Error {
  override readonly name = 'InterlockError'
  readonly code: ErrorCode
  /** The events that are concerned, as they were to be sent. */
  readonly events: readonly Event[]
  /** Of the server's answer, when there was one. */
  readonly status: number | undefined

  constructor(
    code: ErrorCode,
    message: string,
    more: { events?: readonly Event[]; status?: number; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.code = code
    this.events = more.events ?? []
    this.status = more.status
  }
}
