import Rudder from '@rudderstack/rudder-sdk-node'
import { Analytics } from '@segment/analytics-node'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../platform/clock/clock.ts'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'

let server: CollectServer
let host = ''
beforeAll(async () => {
  server = await aCollectServer()
  await server.app.listen({ host: '127.0.0.1', port: 0 })
  host = `http://127.0.0.1:${(server.app.server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

const events = 10_000

async function storedOf(library: string) {
  await server.collect.drained()
  const [row] = await server.clickhouse.query<Record<string, string>>(
    `SELECT count() AS events, uniqExact(properties.number::String) AS numbers, uniqExact(user_id) AS people,
            uniqExact(message_id) AS messages, countIf(clamped) AS clamped, max(abs(dateDiff('second', time, original_time))) AS apart
       FROM event WHERE name = {name:String}`,
    { name: `Køb via ${library}` },
  )
  return row
}

describe('the real SDKs, unchanged, with their default options', () => {
  it(`@segment/analytics-node sends ${events} events, and each is stored once`, async () => {
    const analytics = new Analytics({ writeKey: server.source.writeKey, host })
    const errors: unknown[] = []
    analytics.on('error', (error) => errors.push(error))
    for (let number = 0; number < events; number++) {
      analytics.track({ userId: `bruger-${number % 500}`, event: 'Køb via segment', properties: { number } })
    }
    await analytics.closeAndFlush({ timeout: 120_000 })
    expect(errors).toEqual([])
    expect(await storedOf('segment')).toMatchObject({
      events: String(events),
      numbers: String(events),
      people: '500',
      messages: String(events),
      clamped: '0',
    })
  }, 180_000)

  it(`@rudderstack/rudder-sdk-node sends ${events} events, packed and called a form, and each is stored once`, async () => {
    const analytics = new Rudder(server.source.writeKey, { dataPlaneUrl: host, logLevel: 'error' })
    let acknowledged = 0
    const upTo = async (count: number) => {
      while (acknowledged < count) await systemClock.sleep(5)
    }
    for (let number = 0; number < events; number++) {
      analytics.track(
        { userId: `bruger-${number % 500}`, event: 'Køb via rudderstack', properties: { number } },
        () => {
          acknowledged++
        },
      )
      // Each call serialises everything that waits, so a caller who never lets it send pays the square of it.
      if (number % 100 === 99) await upTo(number - 99)
    }
    await upTo(events)
    expect(await storedOf('rudderstack')).toMatchObject({
      events: String(events),
      numbers: String(events),
      people: '500',
      messages: String(events),
      clamped: '0',
    })
  }, 180_000)

  it('keep an explicit time in the past', async () => {
    const timestamp = new Date('2020-01-01T00:00:00.000Z')
    const segment = new Analytics({ writeKey: server.source.writeKey, host })
    segment.track({ anonymousId: 'a', event: 'long ago', timestamp })
    await segment.closeAndFlush()
    const rudder = new Rudder(server.source.writeKey, { dataPlaneUrl: host, logLevel: 'error' })
    rudder.track({ anonymousId: 'a', event: 'long ago', timestamp })
    void rudder.flush()
    await systemClock.sleep(1_500)
    await server.collect.drained()
    const rows = await server.clickhouse.query<{ apart: number }>(
      `SELECT toInt32(abs(dateDiff('millisecond', time, toDateTime64('2020-01-01 00:00:00', 3, 'UTC')))) AS apart FROM event WHERE name = 'long ago'`,
    )
    expect(rows).toHaveLength(2)
    for (const { apart } of rows) expect(apart).toBeLessThan(5000)
  })
})
