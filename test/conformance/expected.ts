import type { Trouble } from './proxy.ts'

/** The real clients, each as docs/guide/sdks.md says how to point it here. */
export const clients = {
  'segment-node': '@segment/analytics-node',
  'rudderstack-node': '@rudderstack/rudder-sdk-node',
  'segment-snippet': '@segment/analytics-next (snippet)',
  'segment-npm': '@segment/analytics-next (npm)',
  'rudderstack-npm': '@rudderstack/analytics-js (XHR)',
  'rudderstack-beacon': '@rudderstack/analytics-js (beacon)',
} as const
export type Client = keyof typeof clients
export const browserClients = ['segment-snippet', 'segment-npm', 'rudderstack-npm', 'rudderstack-beacon'] as const
export type BrowserClient = (typeof browserClients)[number]

/** What is tried, by the name in the table. */
export const troubles: Readonly<Record<string, Trouble | undefined>> = {
  '200': undefined,
  '301': { status: 301 },
  '400': { status: 400 },
  '401': { status: 401 },
  '403': { status: 403 },
  '404': { status: 404 },
  '408': { status: 408 },
  '410': { status: 410 },
  '413': { status: 413 },
  '415': { status: 415 },
  '429': { status: 429 },
  '429 after 2 s': { status: 429, retryAfter: 2 },
  '500': { status: 500 },
  '501': { status: 501 },
  '502': { status: 502 },
  '503': { status: 503 },
  '503 after 2 s': { status: 503, retryAfter: 2 },
  '505': { status: 505 },
  reset: 'reset',
}

/** What every client that tries again at all tries again after; the only trouble that we ever answer ourselves is among them. */
export const everyoneRetries = ['429', '429 after 2 s', '500', '502', '503', '503 after 2 s', 'reset'] as const

const segment = new Set<string>([...everyoneRetries, '408', '410'])
const rudderstack = new Set<string>([...everyoneRetries, '501', '505'])
/** Whether the event is still delivered when the trouble is over (spec/collect-and-identity.md 3.2; measured here). */
export const delivers: Readonly<Record<Client, (trouble: string) => boolean>> = {
  'segment-node': (trouble) => trouble === '200' || segment.has(trouble),
  'rudderstack-node': (trouble) => trouble === '200' || rudderstack.has(trouble),
  'segment-snippet': (trouble) => trouble === '200' || segment.has(trouble),
  'segment-npm': (trouble) => trouble === '200' || segment.has(trouble),
  'rudderstack-npm': (trouble) => trouble === '200' || rudderstack.has(trouble),
  // A beacon is let go: nobody looks at its answer.
  'rudderstack-beacon': (trouble) => trouble === '200',
}
