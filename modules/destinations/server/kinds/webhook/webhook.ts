import { createHmac, hash } from 'node:crypto'
import { Refusal } from '../../../../../lib/refusals/refusals.ts'
import { EgressError } from '../../../../../platform/egress/egress.ts'
import { retryAfterMs } from '../../backoff.ts'
import { nested } from '../../projection.ts'
import { textOf, type DestinationKind, type Leaving, type Outcome } from '../kind.ts'

const mostEvents = 100

const bodyOf = (event: Leaving) => ({
  id: event.key,
  type: event.type,
  event: event.name,
  timestamp: event.time,
  data: nested(event.fields),
})

/** The id of a request: of its one event, or of all in it, so that the same events again are the same id. */
const idOf = (events: readonly Leaving[]): string =>
  events.length === 1
    ? (events[0]?.key ?? '')
    : `evb_${hash('sha256', events.map((event) => event.key).join(' '), 'hex').slice(0, 40)}`

/** Signed as Standard Webhooks 1.0 says: base64 of HMAC-SHA256 over `id.timestamp.body`, one signature for each secret in force. */
export function signatures(secrets: readonly string[], id: string, seconds: number, body: string): string {
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
      return `v1,${createHmac('sha256', key)
        .update(`${id}.${String(seconds)}.${body}`)
        .digest('base64')}`
    })
    .join(' ')
}

/** What an answer means. Only what speaks of the event itself is final; everything else may be mended by whoever runs the receiver. */
function meaningOf(status: number, retryAfter: string | undefined, nowMs: number): Outcome {
  if (status >= 200 && status < 300) return { kind: 'taken' }
  if (status === 410) return { kind: 'stop', because: 'The receiver answered 410: it wants nothing more.' }
  if ([400, 413, 415, 422].includes(status))
    return { kind: 'refused', because: `The receiver answered ${String(status)}.` }
  const because =
    status >= 300 && status < 400
      ? `The receiver answered ${String(status)}, a redirect; redirects are not followed. Set the address that it leads to.`
      : `The receiver answered ${String(status)}.`
  return { kind: 'later', because, retryAfterMs: retryAfterMs(retryAfter, nowMs) }
}

/** Nothing in the answer's body counts. A short one is read, which keeps the connection; a long one ends it. */
async function drain(body: AsyncIterable<Uint8Array>): Promise<void> {
  let bytes = 0
  try {
    for await (const part of body) {
      bytes += part.byteLength
      if (bytes > 65_536) break
    }
  } catch (error) {
    // The answer was given before; that it did not end well changes nothing.
    if (!(error instanceof EgressError)) throw error
  }
}

export const webhook: DestinationKind = {
  kind: 'webhook',
  name: 'Signed webhook',
  says: 'Each event as a POST of JSON, signed as Standard Webhooks says, so that the receiver knows that it is yours and which it had already.',
  leaves: true,
  frequencies: ['at_once'],
  lanes: 8,
  form: [
    {
      name: 'url',
      label: 'Address',
      says: 'https. A redirect is not followed; 410 pauses the destination.',
      type: 'url',
      required: true,
    },
    {
      name: 'perRequest',
      label: 'Events in one request',
      says: '1: one event, one request. More: a list under “events”, only of people whose order stays the same.',
      type: 'number',
      required: false,
      start: 1,
    },
    {
      name: 'signingSecret',
      label: 'Signing secret',
      says: 'Leave it empty and one is made and shown once. It begins with whsec_.',
      type: 'secret',
      required: false,
    },
  ],
  makeSecret: {
    name: 'signingSecret',
    make: (random) => `whsec_${Buffer.from(random.bytes(32)).toString('base64')}`,
  },
  batch: (settings) => Number(settings['perRequest'] ?? 1),
  address: (settings) => textOf(settings, 'url'),
  check(settings) {
    const url = textOf(settings, 'url')
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new Refusal('bad_input', 'The address is an https URL.')
    const { username, password } = new URL(url)
    if (username !== '' || password !== '')
      throw new Refusal('bad_input', 'The address holds a password. The signature proves who sends; leave it out.')
    const many = Number(settings['perRequest'] ?? 1)
    if (!Number.isInteger(many) || many < 1 || many > mostEvents)
      throw new Refusal('bad_input', `Events in one request: from 1 to ${String(mostEvents)}.`)
    const secret = settings['signingSecret']
    if (secret !== undefined && secret !== '' && !/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/.test(String(secret)))
      throw new Refusal('bad_input', 'A signing secret is whsec_ and 24 to 64 bytes in base64.')
  },
  open({ settings, secret, egress, clock }) {
    const url = textOf(settings, 'url')
    return {
      async deliver(events) {
        const [first] = events
        if (first === undefined) return { kind: 'taken' }
        const body = JSON.stringify(
          Number(settings['perRequest'] ?? 1) === 1 ? bodyOf(first) : { events: events.map(bodyOf) },
        )
        const id = idOf(events)
        const seconds = Math.floor(clock.ms() / 1000)
        try {
          const reply = await egress.open({
            purpose: 'webhook',
            url,
            method: 'POST',
            body,
            headers: {
              'content-type': 'application/json',
              'webhook-id': id,
              'webhook-timestamp': String(seconds),
              'webhook-signature': signatures(secret('signingSecret'), id, seconds, body),
              'idempotency-key': id,
            },
          })
          await drain(reply.body)
          return meaningOf(reply.status, reply.headers['retry-after'], clock.ms())
        } catch (error) {
          if (error instanceof EgressError) return { kind: 'later', because: error.message }
          throw error
        }
      },
      close: () => Promise.resolve(),
    }
  },
}
