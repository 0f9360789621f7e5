import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aPeopleHouse, type PeopleHouse } from '../../../test/make/people-house.ts'

/** Hostile inputs all the way to people: through identity and profiles, into both stores. The ids are those of the catalogue, part A. */

let house: PeopleHouse
beforeAll(async () => {
  house = await aPeopleHouse()
})
afterAll(() => house.server.close())

async function events(name: string) {
  return house.server.clickhouse.query<Record<string, unknown>>(
    'SELECT * FROM event WHERE name = {name:String} OR user_id = {name:String} ORDER BY position',
    { name },
  )
}
/** Everything ended well: nothing waits, nothing was put aside by a step or a store. */
async function troubles() {
  const { reasons } = await house.server.collect.quarantine({})
  const { total, lost } = await house.server.collect.ledger()
  return {
    failed: reasons.filter((one) => ['step_failed', 'store_refused'].includes(one.reason)),
    inFlight: total.inFlight,
    lost,
  }
}
const fine = { failed: [], inFlight: 0, lost: 0 }

describe('a NUL (A01)', () => {
  it('in an event, a property, an id, a trait, a key, an external id is left out, and everything is stored in both engines', async () => {
    const nul = String.raw`\u0000`
    const identify = `{"type":"identify","userId":"n${nul}ul","anonymousId":"a${nul}","traits":{"email":"nul${nul}@läden.example","k${nul}ey":"v${nul}alue"},"context":{"externalIds":[{"id":"7${nul}7","type":"crm_id"}]}}`
    const track = `{"type":"track","event":"n${nul}ul event","userId":"nul","properties":{"p${nul}":["${nul}"]}}`
    const answer = await house.server.send('/v1/batch', `{"batch":[${identify},${track}]}`)
    expect(answer.json()).toMatchObject({ accepted: 2, quarantined: [] })
    await house.server.collect.drained()
    expect(await house.traits('user_id', 'nul')).toMatchObject({ email: 'nul@läden.example', key: 'value' })
    expect(house.of('crm_id', '77')).toBe(house.of('user_id', 'nul'))
    expect(await events('nul event')).toMatchObject([{ properties: { p: [''] } }])
    expect(await troubles()).toEqual(fine)
  })
})

describe('text that is none (A02)', () => {
  it('is the same U+FFFD in a profile and in its event', async () => {
    const [before, after] = JSON.stringify({ type: 'identify', userId: 'half', traits: { city: '«»' } }).split('«»')
    const body = Buffer.concat([Buffer.from(`${before}K`), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from(`ln${after}`)])
    expect((await house.server.send('/v1/identify', body)).statusCode).toBe(200)
    await house.server.collect.drained()
    const [event] = await events('half')
    const traits = await house.traits('user_id', 'half')
    expect(traits['city']).toMatch(/^K\ufffd+ln$/)
    expect(event?.['traits']).toEqual({ city: traits['city'] })
    expect(await troubles()).toEqual(fine)
  })
})

describe('traits that reach for a prototype (A06)', () => {
  it('are no traits, and the others are merged', async () => {
    const body = String.raw`{"type":"identify","userId":"proto","traits":{"__proto__":{"canary":1},"\u005f_proto__":{"canary":1},"constructor":{"prototype":{"canary":1}},"city":"Århus"}}`
    expect((await house.server.send('/v1/identify', body)).statusCode).toBe(200)
    await house.server.collect.drained()
    expect(await house.traits('user_id', 'proto')).toEqual({ city: 'Århus' })
    expect(Reflect.get({}, 'canary')).toBeUndefined()
  })
})

describe('aliases that run in circles (A16)', () => {
  const alias = (previousId: string, userId: string) => ({ type: 'alias', userId, previousId })
  const whose = (ids: string[]) => ids.map((id) => house.of('user_id', id))

  it('of somebody with themselves, of two with each other at once, in a ring: all end, with one stable answer', async () => {
    const ring = Array.from({ length: 50 }, (_, at) => alias(`ring-${at}`, `ring-${(at + 1) % 50}`))
    const both = Array.from({ length: 500 }, (_, at) => (at % 2 === 0 ? alias('x-1', 'x-2') : alias('x-2', 'x-1')))
    const answers = await Promise.all([
      house.server.send('/v1/batch', { batch: [alias('self', 'self')] }),
      house.server.send('/v1/batch', { batch: ring }),
      ...both.map((one) => house.server.send('/v1/alias', one)),
    ])
    for (const answer of answers) expect(answer.json()).toMatchObject({ success: true, quarantined: [] })
    await house.server.collect.drained()
    expect(await troubles()).toEqual(fine)
    const ids = ['self', 'x-1', 'x-2', ...ring.map((one) => one.userId)]
    const before = whose(ids)
    // The same again changes nothing, and neither does a restart.
    await house.say('server', ...ring.slice(0, 5), alias('x-1', 'x-2'))
    expect(whose(ids)).toEqual(before)
    house = await house.again()
    expect(whose(ids)).toEqual(before)
  })

  it('in a chain of ten thousand ends, and each id belongs to somebody', async () => {
    const links = Array.from({ length: 10_000 }, (_, at) => alias(`chain-${at}`, `chain-${at + 1}`))
    for (let at = 0; at < links.length; at += 2500) {
      expect((await house.server.send('/v1/batch', { batch: links.slice(at, at + 2500) })).statusCode).toBe(200)
    }
    await house.server.collect.drained()
    expect(await troubles()).toEqual(fine)
    expect(new Set(whose(links.map((one) => one.userId))).size).toBeGreaterThan(0)
  })
})
