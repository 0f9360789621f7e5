import Rudder from '@rudderstack/rudder-sdk-node'
import { Analytics } from '@segment/analytics-node'
import { systemClock } from '../../../platform/clock/clock.ts'

/**
 * A shop with a real SDK in it: `node sdk-client.ts LIBRARY HOST WRITE_KEY SECONDS`. Calls the SDK a hundred times a second, every tenth call an
 * identify, and tells its parent what the SDK's own callbacks said of each call. Options are the SDK's own but for host and write key.
 */
export interface ClientReport {
  sent: { number: number; person: number; kind: 'identify' | 'track' }[]
  /** Numbers of the calls that the SDK called delivered. */
  acknowledged: number[]
  /** Calls that the SDK gave up; those it says nothing of within four minutes are neither. */
  failed: number
}

const [library = '', host = '', writeKey = '', seconds = '60'] = process.argv.slice(2)
const perSecond = 100
const people = 300

const report: ClientReport = { sent: [], acknowledged: [], failed: 0 }
const answered = (number: number) => (error?: unknown) => {
  if (error === undefined || error === null) report.acknowledged.push(number)
  else report.failed += 1
}
// RudderStack's SDK also throws what it gave up where nobody can catch it.
process.on('unhandledRejection', () => undefined)

interface Shop {
  call(kind: 'identify' | 'track', userId: string, content: object, answered: (error?: unknown) => void): void
}

const event = `Køb via ${library}`
function segmentShop(): Shop {
  const analytics = new Analytics({ writeKey, host })
  analytics.on('error', () => undefined)
  return {
    call(kind, userId, content, answered) {
      if (kind === 'identify') analytics.identify({ userId, traits: content }, answered)
      else analytics.track({ userId, event, properties: content }, answered)
    },
  }
}
function rudderShop(): Shop {
  const analytics = new Rudder(writeKey, { dataPlaneUrl: host })
  return {
    // Its types want values that it does not name; it sends whatever is JSON.
    call(kind, userId, content, answered) {
      if (kind === 'identify') analytics.identify({ userId, traits: content as never }, answered)
      else analytics.track({ userId, event, properties: content as never }, answered)
    },
  }
}

const shop = library === 'segment' ? segmentShop() : rudderShop()
const began = performance.now()
for (let number = 0; performance.now() - began < Number(seconds) * 1000;) {
  const due = Math.floor(((performance.now() - began) / 1000) * perSecond)
  for (; number < due; number++) {
    const person = Math.floor(number / 10) % people
    const kind = number % 10 === 0 ? 'identify' : 'track'
    report.sent.push({ number, person, kind })
    const content = kind === 'track' ? { number } : { number, email: `${library}-${person}@läden.example` }
    shop.call(kind, `${library}-${person}`, content, answered(number))
  }
  await systemClock.sleep(20)
}
// Both send what they have after ten seconds at the latest, and try again for some minutes.
const patient = performance.now() + 240_000
while (report.acknowledged.length + report.failed < report.sent.length && performance.now() < patient) {
  await systemClock.sleep(50)
}
process.send?.(report, () => {
  process.disconnect?.()
})
