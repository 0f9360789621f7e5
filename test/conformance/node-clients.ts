import * as rudderstack from '@rudderstack/rudder-sdk-node'
import * as segment from '@segment/analytics-node'
import { systemClock } from '../../platform/clock/clock.ts'
import { filledIn, snippetOf } from './guide.ts'

type Answered = (error?: unknown) => void
/** What both SDKs for Node have in common. */
interface Analytics {
  identify(call: object, answered: Answered): void
  track(call: object, answered: Answered): void
  page(call: object, answered: Answered): void
  on?(event: 'error', hear: () => void): void
}

const packages: Readonly<Record<string, unknown>> = {
  '@segment/analytics-node': segment,
  '@rudderstack/rudder-sdk-node': rudderstack,
}

/** What a client believes at the end. */
export interface Belief {
  sent: number
  /** By the client's own callbacks. */
  acknowledged: number
}

/**
 * Makes a client by the very lines of the guide and sends events about `person`; resolves when it has said of
 * each whether it was delivered, or after a minute and a half.
 */
export async function driveNode(
  client: 'segment-node' | 'rudderstack-node',
  at: { url: string; writeKey: string; person: string },
  { events = 3, everyMs = 0 } = {},
): Promise<Belief> {
  const analytics = made(client, at.url, at.writeKey)
  analytics.on?.('error', () => undefined)
  let acknowledged = 0
  let given = 0
  const answered: Answered = (error) => {
    given += 1
    if (error === undefined || error === null) acknowledged += 1
  }
  const userId = at.person
  for (let number = 0; number < events; number++) {
    const kind = number % 3
    if (kind === 0) analytics.track({ userId, event: 'Køb', properties: { number } }, answered)
    if (kind === 1) analytics.identify({ userId, traits: { number } }, answered)
    if (kind === 2) analytics.page({ userId, name: 'Läden', properties: { number } }, answered)
    if (everyMs > 0) await systemClock.sleep(everyMs)
  }
  const until = performance.now() + 90_000
  while (given < events && performance.now() < until) await systemClock.sleep(20)
  return { sent: events, acknowledged }
}

/** The guide's lines with the imports looked up: what is written there is what runs. */
function made(client: 'segment-node' | 'rudderstack-node', url: string, writeKey: string): Analytics {
  const lines = filledIn(snippetOf(client), url, writeKey)
    .replaceAll(/^import (\{[^}]+\}) from '([^']+)'$/gm, "const $1 = packages['$2']")
    .replaceAll(/^import (\w+) from '([^']+)'$/gm, "const $1 = packages['$2'].default")
    .replaceAll(/^export /gm, '')
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- the lines of our own guide are what is under test
  return new Function('packages', `${lines}\nreturn analytics`)(packages) as Analytics
}

// RudderStack's SDK also throws what it gave up where nobody can catch it.
process.on('unhandledRejection', (error) => {
  if (!(error instanceof Error && 'isAxiosError' in error)) throw error
})
