import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  aDestination,
  aSource,
  bodyOf,
  hasty,
  letLive,
  order,
  shown,
  verified,
} from '../../../test/make/destination.ts'
import { aCampaignHouse, type CampaignHouse } from '../../../test/make/campaign-house.ts'
import { giveKey } from '../../../test/make/campaign.ts'
import { aReceiver, type Receiver } from '../../../test/make/receiver.ts'
import type { Source } from '../../sources/contract.ts'

let house: CampaignHouse
let source: Source
const receivers: Receiver[] = []
let used = 0
/** A receiver that nobody else in this file has. */
const receiver = (): Receiver => {
  const next = receivers[used]
  used += 1
  if (next === undefined) throw new Error('make more receivers')
  return next
}

beforeAll(async () => {
  for (let at = 0; at < 12; at++) receivers.push(await aReceiver())
  house = await aCampaignHouse({ patience: hasty, egressAllow: receivers.map((one) => one.place) })
  source = await aSource(house)
})

/** Long enough for several rounds of a worker. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 1_200))

describe('a webhook destination', () => {
  it('gets the fields of its contract and no other: what else a source sends stays here, and the count says so', async () => {
    const hook = receiver()
    const made = await aDestination(house, {
      source,
      settings: { url: hook.url },
      contract: { fields: ['userId', 'properties.total'] },
    })
    await letLive(house, made)
    await order(house, source, [
      { messageId: 'shows-1', properties: { total: 99.5, birthDate: '1990-04-03', coupon: null } },
      { messageId: 'shows-2', properties: { total: 12, birthDate: '1981-12-24' } },
    ])
    await expect.poll(() => hook.taken.length, { timeout: 10_000 }).toBe(2)
    for (const arrived of hook.taken) {
      expect(arrived.body).not.toContain('birthDate')
      expect(arrived.body).not.toContain('1990')
      expect(arrived.body).not.toContain('shows-')
    }
    expect(hook.taken.map((arrived) => bodyOf(arrived).data)).toEqual([
      { userId: 'u-1', properties: { total: 99.5 } },
      { userId: 'u-1', properties: { total: 12 } },
    ])
    await expect
      .poll(async () => (await shown(house, made.destination.id)).dropped, { timeout: 10_000 })
      .toEqual(
        expect.arrayContaining([
          expect.objectContaining({ field: 'properties.birthDate', events: 2 }),
          expect.objectContaining({ field: 'properties.coupon', events: 1 }),
        ]),
      )
    // The destination asks for it: that is an edit, and nothing leaves until it is agreed.
    await house.app.destinations.change(house.staff.author, made.destination.id, {
      contract: { ...made.destination.contract, fields: ['userId', 'properties.total', 'properties.birthDate'] },
    })
    await order(house, source, [{ messageId: 'shows-3', properties: { total: 5, birthDate: '1970-01-02' } }])
    await aWhile()
    expect(hook.arrived).toHaveLength(2)
    expect((await shown(house, made.destination.id)).state).toBe('halted')
    const again = await house.app.requests.open(house.staff.author, 'integration', made.destination.id, '')
    expect(again.facts.fields.find((field) => field.name === 'properties.birthDate')?.sensitivity).toBe(3)
    await letLive(house, { request: again })
    await expect.poll(() => hook.taken.length, { timeout: 10_000 }).toBe(3)
    expect(bodyOf(hook.taken[2]).data).toEqual({ userId: 'u-1', properties: { total: 5, birthDate: '1970-01-02' } })
    const metrics = await house.app.http.app.inject({ url: '/metrics', headers: { host: 'localhost' } })
    expect(metrics.body).toContain(
      `interlock_destinations_dropped_fields_total{destination="${made.destination.id}",field="properties.birthDate"} 2`,
    )
  })

  it('is part of the way of an event: delivered to whom, and what of it stayed here', async () => {
    const hook = receiver()
    const made = await aDestination(house, { source, settings: { url: hook.url } })
    await letLive(house, made)
    await order(house, source, [{ messageId: 'way-1', properties: { total: 7, birthDate: '1970-01-02' } }])
    await expect.poll(() => hook.taken.length, { timeout: 10_000 }).toBe(1)
    const way = async () => house.app.collect.way({ source: source.id, message: 'way-1' })
    const mine = async () =>
      (await way()).steps
        .find((step) => step.name === 'Destinations')
        ?.facts.find((fact) => fact.label === made.destination.name)
    await expect
      .poll(async () => (await mine())?.says, { timeout: 10_000 })
      .toMatch(/^delivered; .*properties.birthDate/)
    expect((await mine())?.to).toBe(`/destinations/${made.destination.id}`)
    const { steps, profileId } = await way()
    expect(steps.map((step) => step.name)).toEqual([
      'Read and checked',
      'Seen before?',
      'Tracking plan',
      'Who is it?',
      'Consent',
      'Store',
      'Destinations',
    ])
    expect(steps[3]?.facts).toEqual(
      expect.arrayContaining([
        { label: 'Person', says: 'open the profile', to: `/people/${profileId}` },
        { label: 'user_id u-1', says: 'is of this person' },
      ]),
    )
  })

  it('signs as Standard Webhooks says; after a rotation both secrets verify, the id of an event never changes', async () => {
    const hook = receiver()
    const made = await aDestination(house, { source, settings: { url: hook.url } })
    const first = made.destination.made['signingSecret'] ?? ''
    expect(first).toMatch(/^whsec_/)
    await letLive(house, made)
    // The receiver fails once, so the same event comes twice.
    hook.answer = (_, turn) => ({ status: turn === 1 ? 500 : 200 })
    await order(house, source, [{ messageId: 'signed-1', properties: { total: 1 } }])
    await expect.poll(() => hook.taken.length, { timeout: 10_000 }).toBe(1)
    expect(hook.arrived).toHaveLength(2)
    expect(new Set(hook.arrived.map((one) => one.headers['webhook-id'])).size).toBe(1)
    expect(hook.arrived[0]?.headers['idempotency-key']).toBe(hook.arrived[0]?.headers['webhook-id'])
    expect(verified(first, hook.taken[0]!).data).toEqual({ userId: 'u-1', properties: { total: 1 } })
    const { secret } = await house.app.destinations.rotate(house.staff.author, made.destination.id, 'signingSecret')
    await order(house, source, [{ messageId: 'signed-2', properties: { total: 2 } }])
    await expect.poll(() => hook.taken.length, { timeout: 10_000 }).toBe(2)
    const both = hook.taken[1]!
    expect(verified(first, both)).toEqual(verified(secret, both))
    expect(() => verified('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', both)).toThrow()
    // No secret is ever read back, and keys stand: who signs is not what is agreed.
    expect(JSON.stringify(await shown(house, made.destination.id))).not.toContain('whsec_')
    expect((await shown(house, made.destination.id)).state).toBe('live')
    house.clock.ahead(25 * 3_600_000)
    await order(house, source, [{ messageId: 'signed-3', properties: { total: 3 } }])
    await expect.poll(() => hook.taken.length, { timeout: 10_000 }).toBe(3)
    expect(String(hook.taken[2]?.headers['webhook-signature'])).not.toContain(' ')
  })

  it('that answers 410 is paused, and goes on where it was when it is resumed', async () => {
    const hook = receiver()
    const made = await aDestination(house, { source, settings: { url: hook.url } })
    await letLive(house, made)
    hook.answer = () => ({ status: 410 })
    await order(house, source, [{ messageId: 'gone-1', properties: { total: 1 } }])
    await expect.poll(async () => (await shown(house, made.destination.id)).state, { timeout: 10_000 }).toBe('paused')
    expect((await shown(house, made.destination.id)).sentence).toContain('410')
    hook.answer = () => ({ status: 204, headers: { 'x-body': 'none' } })
    await order(house, source, [{ messageId: 'gone-2', properties: { total: 2 } }])
    await house.app.destinations.resume(house.staff.author, made.destination.id)
    await expect.poll(() => hook.taken.length, { timeout: 10_000 }).toBe(2)
    expect(hook.taken.map((one) => bodyOf(one).data['properties'])).toEqual([{ total: 1 }, { total: 2 }])
  })

  it('is not followed to where it redirects, and its event becomes a dead letter only when patience ends', async () => {
    const [hook, elsewhere] = [receiver(), receiver()]
    const made = await aDestination(house, { source, settings: { url: hook.url } })
    await letLive(house, made)
    hook.answer = () => ({ status: 302, headers: { location: elsewhere.url } })
    await order(house, source, [{ messageId: 'moved-1', properties: { total: 1 } }])
    await expect.poll(() => hook.arrived.length, { timeout: 10_000 }).toBeGreaterThan(2)
    expect((await shown(house, made.destination.id)).counts.deadLetters).toBe(0)
    expect(elsewhere.arrived).toEqual([])
    house.clock.ahead(25 * 3_600_000)
    await expect
      .poll(async () => (await shown(house, made.destination.id)).counts.deadLetters, { timeout: 10_000 })
      .toBe(1)
    const { letters } = await house.app.destinations.deadLetters(made.destination.id)
    expect(letters[0]?.reason).toMatch(/^Nothing was taken for 24 hours.*redirect/)
    hook.answer = () => ({ status: 200 })
    expect(await house.app.destinations.replay(house.staff.author, made.destination.id, null)).toBe(1)
    await expect.poll(() => hook.taken.length, { timeout: 10_000 }).toBe(1)
    await expect
      .poll(async () => (await shown(house, made.destination.id)).counts.deadLetters, { timeout: 10_000 })
      .toBe(0)
    expect(hook.taken[0]?.headers['webhook-id']).toBe(letters[0]?.eventKey)
  })

  it('that refuses one event keeps it as a dead letter and gets the others', async () => {
    const hook = receiver()
    const made = await aDestination(house, { source, settings: { url: hook.url, perRequest: 10 } })
    await letLive(house, made)
    hook.answer = ({ body }) => ({ status: body.includes('"total":13') ? 422 : 200 })
    await order(
      house,
      source,
      Array.from({ length: 6 }, (_, at) => ({ messageId: `poison-${String(at)}`, properties: { total: at + 10 } })),
    )
    await expect
      .poll(async () => (await shown(house, made.destination.id)).counts, { timeout: 10_000 })
      .toMatchObject({ delivered: 5, deadLetters: 1, waiting: 0 })
    expect((await house.app.destinations.deadLetters(made.destination.id)).letters[0]?.reason).toContain('422')
  })
})

/** With a field of contact, so that both sides and data protection hold a key. */
const personal = { fields: ['userId', 'properties.total', 'properties.email'] }

describe('the agreement', () => {
  it('lets nothing leave before all keys, and events from before the launch never', async () => {
    const hook = receiver()
    const made = await aDestination(house, { source, settings: { url: hook.url }, contract: personal })
    await order(house, source, [{ messageId: 'early', properties: { total: 1 } }])
    const [first] = made.request.keys
    if (first !== undefined) await giveKey(house.app, house.staff, house.clock, made.request, first.kind)
    await expect(
      house.app.requests.launch(house.staff.author, made.request.id, made.request.releaseHash),
    ).rejects.toMatchObject({ code: 'needs_agreement' })
    await aWhile()
    expect(hook.arrived).toEqual([])
    await letLive(house, { request: await house.app.requests.get(house.staff.author, made.request.id) })
    await order(house, source, [{ messageId: 'late', properties: { total: 2 } }])
    await expect.poll(() => hook.taken.length, { timeout: 10_000 }).toBe(1)
    expect(bodyOf(hook.taken[0]).data['properties']).toEqual({ total: 2 })
  })

  it('stops it before the next delivery when a key is taken back, and what waited leaves under new keys', async () => {
    const hook = receiver()
    const made = await aDestination(house, { source, settings: { url: hook.url }, contract: personal })
    await letLive(house, made)
    hook.answer = () => ({ status: 200, afterMs: 20 })
    await order(
      house,
      source,
      Array.from({ length: 120 }, (_, at) => ({
        userId: 'same',
        messageId: `halt-${String(at)}`,
        properties: { total: at },
      })),
    )
    await expect.poll(() => hook.taken.length, { timeout: 10_000 }).toBeGreaterThan(5)
    await house.app.requests.withdrawKey(house.staff.it, made.request.id, 'the warehouse moves')
    const then = hook.arrived.length
    await aWhile()
    // One was perhaps under way.
    expect(hook.arrived.length).toBeLessThanOrEqual(then + 1)
    expect((await shown(house, made.destination.id)).state).toBe('halted')
    const again = await house.app.requests.open(house.staff.author, 'integration', made.destination.id, '')
    await letLive(house, { request: again })
    await expect
      .poll(() => new Set(hook.taken.map((one) => one.headers['webhook-id'])).size, { timeout: 20_000 })
      .toBe(120)
    const totals = hook.taken.map((one) => (bodyOf(one).data['properties'] as { total: number }).total)
    expect(totals).toEqual([...totals].sort((a, b) => a - b))
  })

  it('is void when the address changes, when the tool moves to another region, and when somebody writes past it', async () => {
    const [hook, other] = [receiver(), receiver()]
    const made = await aDestination(house, { source, settings: { url: hook.url }, contract: personal })
    await letLive(house, made)
    await house.app.tools.change(house.staff.author, made.destination.tool.id, { region: 'US' })
    expect((await shown(house, made.destination.id)).state).toBe('halted')
    const again = await house.app.requests.open(house.staff.author, 'integration', made.destination.id, '')
    await letLive(house, { request: again })
    await house.app.postgres.query(
      `UPDATE destinations.destination SET settings = jsonb_set(settings, '{url}', to_jsonb($2::text)) WHERE id = $1`,
      [made.destination.id, other.url],
    )
    await expect.poll(async () => (await shown(house, made.destination.id)).state, { timeout: 15_000 }).toBe('halted')
    await order(house, source, [{ messageId: 'void-1', properties: { total: 1 } }])
    await aWhile()
    expect(other.arrived).toEqual([])
  })

  it('in force stays in force while the database is away, and what is not in the table stays denied', async () => {
    const { createClearances } = await import('./clearances.ts')
    const { silentLog } = await import('../../../platform/log/log.ts')
    const hook = receiver()
    const made = await aDestination(house, { source, settings: { url: hook.url }, contract: personal })
    await letLive(house, made)
    const away = { down: false }
    const { postgres } = house.app
    const guarded = {
      ...postgres,
      query: (...asked: Parameters<typeof postgres.query>) =>
        away.down ? Promise.reject(new Error('away')) : postgres.query(...asked),
      transaction: (...asked: Parameters<typeof postgres.transaction>) =>
        away.down ? Promise.reject(new Error('away')) : postgres.transaction(...asked),
    } as typeof postgres
    const table = createClearances({
      postgres: guarded,
      requests: house.app.requests,
      log: silentLog,
      changed: () => undefined,
    })
    const { purpose, fields } = made.destination.contract
    expect(table.find(made.destination.id, purpose, fields)).toBeUndefined()
    await table.compile()
    const cleared = table.find(made.destination.id, purpose, fields)
    expect(cleared?.clearance.releaseHash).toBe(made.request.releaseHash)
    away.down = true
    await expect(table.compile()).rejects.toThrow('away')
    expect(table.find(made.destination.id, purpose, [...fields].reverse())).toBe(cleared)
    expect(table.find(made.destination.id, purpose, [...fields, 'traits.email'])).toBeUndefined()
    expect(table.find(made.destination.id, 'something else', fields)).toBeUndefined()
    table.deny(made.destination.id)
    expect(table.find(made.destination.id, purpose, fields)).toBeUndefined()
  })
})

describe('a folder', () => {
  it('gets a file of the hour when the hour is over, with the fields of the contract', async () => {
    const made = await aDestination(house, {
      source,
      kind: 'folder',
      settings: { folder: 'lager/bestellungen', format: 'csv' },
      contract: { frequency: 'hourly' },
    })
    await letLive(house, made)
    await order(house, source, [
      { messageId: 'file-1', properties: { total: 1, birthDate: '1990-04-03' } },
      { messageId: 'file-2', properties: { total: 2 } },
    ])
    const folder = join(house.directory, 'exports', 'lager', 'bestellungen')
    const files = () => readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
    await aWhile()
    expect(await files()).toEqual([])
    house.clock.ahead(3_600_000)
    const written = async () => (await files()).filter((entry) => entry.isFile())
    await expect.poll(async () => (await written()).length, { timeout: 30_000, interval: 250 }).toBe(1)
    const [file] = await written()
    expect(file?.name).toMatch(/^[0-9a-f]{8}-\d{12}[.]csv$/)
    const text = await readFile(join(file?.parentPath ?? '', file?.name ?? ''), 'utf8')
    expect(text.split('\r\n').map((line) => line.split(',').slice(4).join())).toEqual([
      'userId,properties.total',
      'u-1,1',
      'u-1,2',
      '',
    ])
  }, 60_000)

  it('that the administrator did not allow is refused, as is a name that leads out', async () => {
    for (const folder of ['/etc', '../drüben', 'a/../../b', '/'])
      await expect(
        aDestination(house, {
          source,
          kind: 'folder',
          settings: { folder, format: 'csv' },
          contract: { frequency: 'hourly' },
        }),
      ).rejects.toMatchObject({ code: 'bad_input' })
  })
})
