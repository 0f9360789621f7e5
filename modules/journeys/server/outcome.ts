import type { SmtpOutcome } from '../../../platform/mail/smtp.ts'
import type { Transmitted } from '../../../platform/mail/transmit-journal.ts'
import type { Completion } from './ledger.ts'

/** Minutes until the next try after the first, second, … 4xx; then it is given up as a soft bounce. */
const retryMinutes = [1, 5, 15, 60]

/** What one answer of a mail server means for its message, for the address, for the route and for the broadcast. */
export interface Meaning {
  completion: Completion
  /** The address exists no more: nothing is ever sent to it again. */
  suppress: boolean
  /** Stop the broadcast: the answer is about us (content, policy, sender), not about this person. */
  pause: string | undefined
  /** Give the mail server a rest. */
  slow: boolean
}

/** RFC 3463 enhanced status, when the text begins with one. */
const enhanced = (text: string): string => /^([245]\.\d{1,3}\.\d{1,3})\b/.exec(text.trim())?.[1] ?? ''

/**
 * RFC 5321 section 4.2.1 and RFC 3463: 4xx is tried again after 1, 5, 15 and 60 minutes; 5xx about the address (5.1.x, 5.2.1) ends it and
 * suppresses the address; a full mailbox (5.2.2) and an unclear 5xx end it without. Policy (5.7.x), the address of the sender (5.1.7, 5.1.8) and
 * any 5xx that is not to RCPT and names no mailbox are about us: the message waits and the broadcast pauses. A connection that failed says
 * nothing about anybody.
 */
export function meaningOf(id: string, attempt: number, outcome: SmtpOutcome, now: Date): Meaning {
  const base = { id, counted: true, nextAt: now, code: null, text: null, reason: null }
  const none = { suppress: false, pause: undefined, slow: false }
  switch (outcome.kind) {
    case 'accepted':
      return { completion: { ...base, state: 'accepted', code: outcome.code, text: outcome.text }, ...none }
    case 'unknown':
      return {
        completion: { ...base, state: 'unknown', reason: `the connection was lost before the answer: ${outcome.text}` },
        ...none,
      }
    case 'not-sent':
      return {
        completion: { ...base, state: 'planned', counted: false, reason: outcome.text },
        ...none,
        slow: true,
      }
    case 'deferred': {
      const said = { code: outcome.code, text: outcome.text }
      const wait = retryMinutes[attempt]
      const status = enhanced(outcome.text)
      const slow = outcome.code === 421 || status.startsWith('4.7.')
      if (wait === undefined)
        return {
          completion: { ...base, ...said, state: 'rejected', reason: 'not taken in five tries (soft bounce)' },
          ...none,
          slow,
        }
      return {
        completion: {
          ...base,
          ...said,
          state: 'planned',
          nextAt: new Date(now.getTime() + wait * 60_000),
          reason: `tried again in ${String(wait)} min`,
        },
        ...none,
        slow,
      }
    }
    case 'rejected': {
      const said = { code: outcome.code, text: outcome.text }
      const status = enhanced(outcome.text)
      const ours = status.startsWith('5.7.') || status === '5.1.7' || status === '5.1.8'
      const mailbox = status.startsWith('5.1.') || status.startsWith('5.2.')
      if (ours || (outcome.at !== 'RCPT' && !mailbox))
        return {
          completion: { ...base, ...said, state: 'planned', counted: false, reason: 'refused for what we are or send' },
          ...none,
          pause: `The mail server refuses what we send: ${String(outcome.code)} ${outcome.text}`,
        }
      const hard =
        status.startsWith('5.1.') ||
        status === '5.2.1' ||
        (status === '' && (outcome.code === 550 || outcome.code === 553))
      return {
        completion: {
          ...base,
          ...said,
          state: 'rejected',
          reason: hard ? 'the address does not exist (hard bounce)' : 'refused for this address',
        },
        ...none,
        suppress: hard,
      }
    }
  }
}

/** What the transmit journal of a worker that is gone says of a message it held. */
export function recovered(id: string, attempt: number, known: Transmitted | undefined, now: Date): Meaning {
  if (known === undefined)
    return meaningOf(id, attempt, { kind: 'not-sent', text: 'the sender was stopped before the end of the mail' }, now)
  if (known.kind === 'dotted') return meaningOf(id, attempt, { kind: 'unknown', text: 'the sender was stopped' }, now)
  const { code, text } = known
  if (code >= 500) return meaningOf(id, attempt, { kind: 'rejected', at: 'dot', code, text }, now)
  if (code >= 400) return meaningOf(id, attempt, { kind: 'deferred', at: 'dot', code, text }, now)
  return meaningOf(id, attempt, { kind: 'accepted', code, text }, now)
}
