import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aPeopleHouse, type PeopleHouse } from '../../../test/make/people-house.ts'

let house: PeopleHouse
beforeAll(async () => {
  house = await aPeopleHouse()
})
afterAll(() => house.server.close())

const identify = (userId: string, traits: object, timestamp?: string) => ({
  type: 'identify',
  userId,
  traits,
  timestamp,
})

describe('what is known of a person', () => {
  it('is the newest word on each trait, whatever the order of arrival (C18)', async () => {
    await house.say('crm', identify('t1', { city: 'Örebro' }, '2026-05-02T00:00:00Z'))
    await house.say('web', identify('t1', { city: 'Malmö' }, '2026-05-03T00:00:00Z'))
    await house.say('crm', identify('t1', { city: 'Umeå' }, '2026-05-01T00:00:00Z'))
    expect(await house.traits('user_id', 't1')).toEqual({ city: 'Malmö' })
  })

  it('is found by any identifier, however it is written, and by none that nobody has', async () => {
    await house.say('crm', identify('by1', { email: 'Åsa.By@Post.example', phone: '+46 70 123 45 99' }))
    const id = house.of('user_id', 'by1')
    for (const identifier of [
      { type: 'user_id', value: 'by1' },
      { type: 'email', value: ' åsa.by@post.EXAMPLE ' },
      { type: 'phone', value: '0046701234599' },
    ])
      expect(await house.profiles.by(identifier)).toMatchObject({ id, email: 'åsa.by@post.example' })
    for (const identifier of [
      { type: 'user_id', value: 'nobody' },
      { type: 'email', value: '' },
    ])
      await expect(house.profiles.by(identifier)).rejects.toThrow('Nobody is known by this identifier.')
  })

  it('is, for names and addresses, what a trusted source said, even when a web site says other later', async () => {
    await house.say('web', identify('t2', { firstName: 'X', email: 'x@web.example' }))
    expect(await house.traits('user_id', 't2')).toEqual({ firstName: 'X', email: 'x@web.example' })
    await house.say('crm', identify('t2', { firstName: 'Siobhán', email: 's@crm.example' }, '2020-01-01T00:00:00Z'))
    await house.say('web', identify('t2', { firstName: 'Y', email: 'y@web.example' }))
    expect(await house.traits('user_id', 't2')).toEqual({ firstName: 'Siobhán', email: 's@crm.example' })
    await house.say('crm', identify('t2', { email: 'new@crm.example' }))
    const person = await house.profiles.get(house.of('user_id', 't2'))
    expect(person).toMatchObject({ name: 'Siobhán', email: 'new@crm.example' })
    expect(person.traits.find((one) => one.name === 'email')).toMatchObject({ sourceName: 'Quelle “crm”' })
  })

  it('goes with an identifier into the profile that theirs becomes part of, with the timeline', async () => {
    await house.say('web', { type: 'identify', anonymousId: 't3', traits: { shoe: 43 } })
    const before = house.of('anonymous_id', 't3')
    await house.say('server', identify('t3u', { plan: 'gold' }))
    await house.say('web', { type: 'track', event: 'Köp “ñ”', anonymousId: 't3', userId: 't3u' })
    const person = await house.profiles.get(before)
    expect(person.id).toBe(house.of('user_id', 't3u'))
    expect(await house.traits('user_id', 't3u')).toEqual({ shoe: 43, plan: 'gold' })
    const { events } = await house.profiles.timeline(before, undefined)
    expect(events.map((one) => `${one.type} ${one.name}`).sort()).toEqual(['identify ', 'identify ', 'track Köp “ñ”'])
    expect((await house.profiles.find('t3u', undefined)).people.map((one) => one.id)).toEqual([person.id])
  })

  it('has its fields listed with how sensitive they are', async () => {
    await house.say('crm', identify('t4', { phone: '+46701234567', points: 7, address: { country: 'SE' } }))
    const fields = await house.profiles.fields()
    expect(fields.find((one) => one.name === 'points')).toMatchObject({ type: 'number', samples: ['7'] })
    expect(fields.find((one) => one.name === 'address.country')).toMatchObject({ samples: ['SE'] })
  })
})
