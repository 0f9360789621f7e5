import type { EventType } from './calls.ts'
import { InterlockError } from './errors.ts'

/** Of one event as JSON in UTF-8; Interlock takes no larger one. */
export const mostEventBytes = 256 * 1024
const needed: Record<EventType, readonly string[]> = {
  track: ['event'],
  identify: [],
  page: [],
  screen: [],
  group: ['groupId'],
  alias: ['userId', 'previousId'],
}

/**
 * The event of a call, as one line of JSON.
 * @throws InterlockError `bad_event`, `event_too_large`
 */
export function eventOf(
  type: EventType,
  call: object,
  newId: () => string,
  nowMs: number,
): { messageId: string; json: string } {
  const said = call as Record<string, unknown>
  const missing = needed[type].find((name) => !isText(said[name]))
  if (missing !== undefined) throw bad(type, `needs ${missing}`)
  if (!isText(said['userId']) && !isText(said['anonymousId'])) throw bad(type, 'needs userId or anonymousId')
  const messageId = isText(said['messageId']) ? said['messageId'].trim() : newId()
  let json: string
  try {
    json = JSON.stringify({ ...said, type, messageId, timestamp: timeOf(type, said['timestamp'] ?? nowMs) })
  } catch (cause) {
    if (cause instanceof InterlockError) throw cause
    throw bad(type, 'is no JSON', cause)
  }
  const bytes = Buffer.byteLength(json)
  if (bytes > mostEventBytes)
    throw new InterlockError(
      'event_too_large',
      `The ${type} event has ${bytes.toLocaleString('en')} bytes; ${mostEventBytes.toLocaleString('en')} are the most.`,
    )
  return { messageId, json }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== ''
const bad = (type: EventType, what: string, cause?: unknown) =>
  new InterlockError('bad_event', `The ${type} call ${what}.`, { cause })

function timeOf(type: EventType, value: unknown): string {
  const at =
    value instanceof Date || typeof value === 'number' || typeof value === 'string' ? new Date(value) : undefined
  if (at === undefined || Number.isNaN(at.getTime())) throw bad(type, 'has a timestamp that is no time')
  // Text stays as it was written: it may have an offset that means something.
  return typeof value === 'string' ? value : at.toISOString()
}
