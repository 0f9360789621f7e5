import { describe, expect, it } from 'vitest'
import type { SmtpOutcome } from '../../../platform/mail/smtp.ts'
import { meaningOf, recovered } from './outcome.ts'

const now = new Date('2028-02-29T09:59:59.000Z')
const answered = (
  kind: 'deferred' | 'rejected',
  at: 'MAIL' | 'RCPT' | 'DATA' | 'dot',
  code: number,
  text: string,
): SmtpOutcome => ({ kind, at, code, text })
const means = (outcome: SmtpOutcome, attempt = 0) => meaningOf('message_1', attempt, outcome, now)

describe('what an answer of a mail server means', () => {
  it('is accepted by a 250, with its words kept', () => {
    expect(means({ kind: 'accepted', code: 250, text: '2.0.0 queued as 4Yx' })).toMatchObject({
      completion: { state: 'accepted', counted: true, code: 250, text: '2.0.0 queued as 4Yx' },
      suppress: false,
      pause: undefined,
      slow: false,
    })
  })

  it.each([
    [0, 1],
    [1, 5],
    [2, 15],
    [3, 60],
  ])('is tried again after a 4xx: try %i waits %i minutes', (attempt, minutes) => {
    const { completion, suppress, pause, slow } = means(answered('deferred', 'RCPT', 450, '4.2.0 greylisted'), attempt)
    expect(completion).toMatchObject({ state: 'planned', counted: true, code: 450 })
    expect(completion.nextAt.getTime() - now.getTime()).toBe(minutes * 60_000)
    expect({ suppress, pause, slow }).toEqual({ suppress: false, pause: undefined, slow: false })
  })

  it('is a soft bounce after the fifth 4xx, which suppresses nobody', () => {
    expect(means(answered('deferred', 'RCPT', 450, '4.2.2 mailbox full'), 4)).toMatchObject({
      completion: { state: 'rejected', reason: 'not taken in five tries (soft bounce)' },
      suppress: false,
    })
  })

  it.each([
    [421, '4.3.2 service shutting down'],
    [421, 'too many connections'],
    [451, '4.7.1 you send too fast'],
  ])('slows the route, and no campaign, at %i %s', (code, text) => {
    expect(means(answered('deferred', 'dot', code, text))).toMatchObject({
      completion: { state: 'planned' },
      slow: true,
      pause: undefined,
      suppress: false,
    })
  })

  it.each([
    ['RCPT', 550, '5.1.1 no such user'],
    ['RCPT', 550, '5.1.10 recipient not found'],
    ['RCPT', 550, '5.2.1 mailbox disabled'],
    ['RCPT', 550, 'no such user here'],
    ['RCPT', 553, 'mailbox name not allowed'],
    ['dot', 550, '5.1.1 no such user'],
  ] as const)('never mails an address again after %s %i %s', (at, code, text) => {
    expect(means(answered('rejected', at, code, text))).toMatchObject({
      completion: { state: 'rejected', counted: true, code },
      suppress: true,
      pause: undefined,
    })
  })

  it.each([
    ['RCPT', 552, '5.2.2 mailbox full'],
    ['dot', 552, '5.2.2 mailbox full'],
    ['dot', 552, '5.2.3 message too large for this mailbox'],
    ['RCPT', 552, 'mailbox full'],
    ['RCPT', 554, 'transaction failed'],
    ['RCPT', 553, '5.6.7 the address has letters that this mail server cannot carry'],
  ] as const)('ends one message, without suppressing or pausing, at %s %i %s', (at, code, text) => {
    expect(means(answered('rejected', at, code, text))).toMatchObject({
      completion: { state: 'rejected' },
      suppress: false,
      pause: undefined,
    })
  })

  it.each([
    ['RCPT', 550, '5.7.1 refused by policy'],
    ['RCPT', 550, '5.1.8 the domain of the sender does not exist'],
    ['MAIL', 550, '5.1.7 bad address of the sender'],
    ['MAIL', 553, 'sender not allowed'],
    ['DATA', 554, 'no thanks'],
    ['dot', 550, '5.7.1 looks like spam'],
    ['dot', 554, '5.7.26 DMARC'],
    ['dot', 554, 'no'],
  ] as const)(
    'is about us at %s %i %s: the message waits, the broadcast pauses, nobody is suppressed',
    (at, code, text) => {
      const { completion, suppress, pause } = means(answered('rejected', at, code, text))
      expect(completion).toMatchObject({ state: 'planned', counted: false })
      expect(suppress).toBe(false)
      expect(pause).toContain(`${String(code)} ${text}`)
    },
  )

  it('is unknown when the connection went between the dot and the answer, and then it is over', () => {
    expect(means({ kind: 'unknown', text: 'the server closed the connection' })).toMatchObject({
      completion: { state: 'unknown' },
      suppress: false,
      pause: undefined,
      slow: false,
    })
  })

  it('counts no try when the mail server could not be reached', () => {
    expect(means({ kind: 'not-sent', text: 'connect ECONNREFUSED' }, 3)).toMatchObject({
      completion: { state: 'planned', counted: false, nextAt: now },
      suppress: false,
      slow: true,
    })
  })
})

describe('a message that a stopped sender held', () => {
  it('is planned again, uncounted, when its final dot was never written', () => {
    expect(recovered('message_1', 2, undefined, now).completion).toMatchObject({ state: 'planned', counted: false })
  })
  it('is unknown when its dot was written and no answer came', () => {
    expect(recovered('message_1', 0, { kind: 'dotted' }, now).completion.state).toBe('unknown')
  })
  it.each([
    [250, '2.0.0 queued', 'accepted', false],
    [452, '4.2.2 later', 'planned', false],
    [550, '5.1.1 no such user', 'rejected', true],
    [554, '5.7.1 spam', 'planned', false],
  ] as const)('is what the server answered with %i %s', (code, text, state, suppress) => {
    expect(recovered('message_1', 0, { kind: 'answered', code, text }, now)).toMatchObject({
      completion: { state, code },
      suppress,
    })
  })
})
