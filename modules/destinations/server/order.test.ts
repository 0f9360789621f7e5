import { beforeAll, describe, expect, it } from 'vitest'
import { aDestination, aSource, bodyOf, hasty, letLive, order, shown } from '../../../test/make/destination.ts'
import { aCampaignHouse, type CampaignHouse } from '../../../test/make/campaign-house.ts'
import { aReceiver, type Receiver } from '../../../test/make/receiver.ts'
import { seededRandom } from '../../../platform/random/random.ts'
import type { Source } from '../../sources/contract.ts'

let house: CampaignHouse
let source: Source
const receivers: Receiver[] = []

beforeAll(async () => {
  for (let at = 0; at < 13; at++) receivers.push(await aReceiver())
  house = await aCampaignHouse({ patience: hasty, egressAllow: receivers.map((one) => one.place) })
  source = await aSource(house)
})

const totalsBy = (receiver: Receiver) => {
  const people = new Map<string, number[]>()
  for (const arrived of receiver.taken) {
    const { userId, properties } = bodyOf(arrived).data as { userId: string; properties: { total: number } }
    people.set(userId, [...(people.get(userId) ?? []), properties.total])
  }
  return people
}

describe('deliveries', () => {
  it('keep the order of each person under errors, cut connections and restarts, and lose none: 50 people, 40 events each', async () => {
    const hook = receivers[10]!
    const dice = seededRandom(41)
    hook.answer = () => {
      const thrown = dice.bytes(1)[0] ?? 0
      return thrown < 20
        ? { status: 500 }
        : thrown < 30
          ? 'cut'
          : thrown < 35
            ? { status: 429, headers: { 'retry-after': '-7' } }
            : { status: 200 }
    }
    const made = await aDestination(house, { source, settings: { url: hook.url } })
    await letLive(house, made)
    const sent = Array.from({ length: 2_000 }, (_, at) => ({
      userId: `person-${String(at % 50)}`,
      messageId: `order-${String(at)}`,
      properties: { total: Math.floor(at / 50) },
    }))
    await order(house, source, sent.slice(0, 1_000))
    await expect.poll(() => hook.taken.length, { timeout: 20_000 }).toBeGreaterThan(300)
    // A restart in the middle; what comes meanwhile waits.
    await house.app.destinations.stop()
    await order(house, source, sent.slice(1_000))
    await house.app.destinations.start()
    const keys = () => new Set(hook.taken.map((arrived) => arrived.headers['webhook-id']))
    await expect.poll(() => keys().size, { timeout: 60_000 }).toBe(2_000)
    for (const totals of totalsBy(hook).values()) {
      // What came again after the restart is known by its key; the first of each is in order.
      const firsts = totals.filter((total, at) => totals.indexOf(total) === at)
      expect(firsts).toEqual(Array.from({ length: 40 }, (_, at) => at))
    }
    await expect
      .poll(async () => (await shown(house, made.destination.id)).counts, { timeout: 10_000 })
      .toMatchObject({ waiting: 0, deadLetters: 0 })
  }, 120_000)

  it('of nine destinations go on while a tenth is dead and another is ten times as slow', async () => {
    const [dead, slow, ...others] = receivers.slice(0, 10) as [Receiver, Receiver, ...Receiver[]]
    dead.answer = () => 'hang'
    slow.answer = () => ({ status: 200, afterMs: 300 })
    for (const hook of receivers.slice(0, 10))
      await letLive(house, await aDestination(house, { source, settings: { url: hook.url } }))
    await order(
      house,
      source,
      Array.from({ length: 400 }, (_, at) => ({
        userId: `p-${String(at)}`,
        messageId: `iso-${String(at)}`,
        properties: { total: at },
      })),
    )
    for (const hook of others) await expect.poll(() => hook.taken.length, { timeout: 30_000 }).toBe(400)
    // Counted, not timed: everybody else has everything while the dead one took nothing and the slow one is not done.
    expect(dead.taken).toEqual([])
    expect(dead.arrived.length).toBeLessThanOrEqual(8)
    await house.app.destinations.stop()
    await house.app.destinations.start()
  }, 120_000)

  it('are bounded in time and memory, whatever a receiver answers', async () => {
    const [hook, ,] = receivers.slice(11)
    const made = await aDestination(house, { source, settings: { url: hook!.url } })
    await letLive(house, made)
    const answers = [
      { status: 503, headers: { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' } },
      { status: 503, headers: { 'retry-after': 'soon' } },
      { status: 200, body: 'x'.repeat(20_000_000) },
    ]
    hook!.answer = (_, turn) => answers[turn - 1] ?? { status: 200 }
    await order(house, source, [{ messageId: 'bounded-1', properties: { total: 1 } }])
    await expect.poll(() => hook!.taken.length, { timeout: 20_000 }).toBe(1)
    await expect
      .poll(async () => (await shown(house, made.destination.id)).counts, { timeout: 10_000 })
      .toMatchObject({ delivered: 1, waiting: 0 })
    expect(hook!.arrived).toHaveLength(3)
    // A billion seconds are an hour.
    hook!.answer = () => ({ status: 429, headers: { 'retry-after': '1000000000' } })
    await order(house, source, [{ messageId: 'bounded-2', properties: { total: 2 } }])
    await expect.poll(() => hook!.arrived.length, { timeout: 10_000 }).toBe(4)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(hook!.arrived).toHaveLength(4)
  }, 60_000)

  it('that waited longer than events are kept are counted, never just gone', async () => {
    const made = await aDestination(house, { source, settings: { url: receivers[12]!.url } })
    await letLive(house, made)
    await house.app.destinations.pause(house.staff.author, made.destination.id)
    await order(house, source, [{ messageId: 'old-1', properties: { total: 1 } }])
    expect((await shown(house, made.destination.id)).counts.waiting).toBe(1)
    house.clock.ahead(8 * 86_400_000)
    await house.app.destinations.sweep()
    expect((await shown(house, made.destination.id)).counts).toMatchObject({ waiting: 0, expired: 1 })
  })
})
