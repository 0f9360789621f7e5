import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aPeopleHouse, type PeopleHouse } from '../../../test/make/people-house.ts'
import { resolvedJoin, resolvedProfile } from './sql.ts'

let house: PeopleHouse
beforeAll(async () => {
  house = await aPeopleHouse()
})
afterAll(() => house.server.close())

const identify = (who: object, traits: object = {}, more: object = {}) => ({
  type: 'identify',
  ...who,
  traits,
  ...more,
})
const track = (who: object, more: object = {}) => ({ type: 'track', event: 'Köp', ...who, ...more })
const minutes = (after: number) => new Date(Date.parse('2026-11-01T10:00:00Z') + after * 60_000).toISOString()
const contactOf = async (type: string, value: string) => (await house.profiles.get(house.of(type, value))).email

/** The person of each named event. */
async function whoseEvents(condition: string): Promise<Record<string, string>> {
  const rows = await house.server.clickhouse.query<{ name: string; profile: string }>(
    `SELECT e.name AS name, ${resolvedProfile} AS profile FROM event AS e ${resolvedJoin} WHERE ${condition} AND name <> ''`,
  )
  return Object.fromEntries(rows.map((row) => [row.name, row.profile]))
}

describe('who is who', () => {
  it('an anonymous visitor who signs in becomes one person with what they did before', async () => {
    await house.say('web', track({ anonymousId: 'a1' }), identify({ anonymousId: 'a1', userId: 'ü1' }, { plan: 'x' }))
    await house.say('web', identify({ anonymousId: 'a1b', userId: 'ü1' }))
    expect(house.of('anonymous_id', 'a1')).toBe(house.of('user_id', 'ü1'))
    expect(house.of('anonymous_id', 'a1b')).toBe(house.of('user_id', 'ü1'))
    const { events } = await house.profiles.timeline(house.of('user_id', 'ü1'), undefined)
    expect(events).toHaveLength(3)
  })

  it('a web visitor with a user id is who the CRM knows by that address, when the limits let it', async () => {
    await house.say('newsletter', track({}, { context: { externalIds: [{ type: 'email', id: 'Åsa@post.example' }] } }))
    const subscriber = house.of('email', 'åsa@post.example')
    await house.say('web', identify({ anonymousId: 'a2', userId: 'u2' }, { email: 'åsa@post.example' }))
    expect([house.of('user_id', 'u2'), house.of('anonymous_id', 'a2')]).toEqual([subscriber, subscriber])
  })

  it('never joins two user ids: the address they share joins nobody from then on, and says so (C21)', async () => {
    await house.say('crm', identify({ userId: 'u3' }, { email: 'u3@x.example' }))
    await house.say('server', identify({ userId: 'u4', anonymousId: 'a4' }, { email: 'u3@x.example' }))
    expect(house.of('user_id', 'u4')).not.toBe(house.of('user_id', 'u3'))
    expect(house.of('anonymous_id', 'a4')).toBe(house.of('user_id', 'u4'))
    const { decisions, identifiers, refused } = await house.identity.explain(house.of('user_id', 'u3'))
    expect(decisions.map((one) => one.kind)).toEqual(['share'])
    expect(refused.map((one) => one.because)).toContain('it was seen with two people, so it joins nobody')
    expect(identifiers.find((one) => one.type === 'email')?.shared).toBe(true)
  })

  it('takes five addresses a year for one person, and a sixth in another year', async () => {
    const at = (year: number, n: number) =>
      identify(
        { userId: 'u5' },
        { email: `${String(year)}-${String(n)}@x.example` },
        { timestamp: `${String(year)}-03-0${String(n)}T00:00:00Z` },
      )
    await house.say('server', ...[1, 2, 3, 4, 5, 6].map((n) => at(2021, n)), at(2023, 1))
    expect(house.of('email', '2021-5@x.example')).toBe(house.of('user_id', 'u5'))
    expect(house.of('email', '2021-6@x.example')).not.toBe(house.of('user_id', 'u5'))
    const { refused } = await house.identity.explain(house.of('user_id', 'u5'))
    expect(refused).toMatchObject([{ because: 'one person has at most 5 email in a year, and this would make 6' }])
    expect(house.of('email', '2023-1@x.example')).toBe(house.of('user_id', 'u5'))
  })

  it('takes nothing for an identifier that stands for nobody', async () => {
    for (const userId of ['undefined', 'null', '[object Object]', '{{ user.id }}', '000', 'Anonymous'])
      await house.say('server', identify({ userId, anonymousId: `none ${userId}` }, { email: 'test@x.example' }))
    const profiles = ['undefined', 'null', '000'].map((userId) => house.of('anonymous_id', `none ${userId}`))
    expect(new Set(profiles).size).toBe(3)
    expect(() => house.of('user_id', 'undefined')).toThrow('Nobody')
  })

  it('says which link holds what to the rest alone, and who would be another person without it', async () => {
    await house.say(
      'server',
      track({ userId: 'u6b', anonymousId: 'a6b' }),
      identify({ userId: 'u6b', anonymousId: 'a6b' }, { email: 'u6b@x.example' }),
      track({ userId: 'u6b', anonymousId: 'a6c' }),
    )
    const { links } = await house.identity.explain(house.of('user_id', 'u6b'))
    const ends = links.map(({ a, b, holds }) => [[a, b].includes('anonymous_id a6c'), holds])
    expect(ends).toContainEqual([true, ['anonymous_id a6c']])
    expect(ends.filter(([isOfIt]) => isOfIt)).toHaveLength(1)
  })

  it('counts how often two identifiers were seen together, and when last', async () => {
    await house.say(
      'server',
      ...[1, 2, 3].map((n) => track({ userId: 'u6', anonymousId: 'a6' }, { timestamp: minutes(n) })),
    )
    const { links } = await house.identity.explain(house.of('user_id', 'u6'))
    expect(links).toMatchObject([{ events: 3 }])
    expect(links[0]!.lastAt.slice(0, 16)).toBe(minutes(3).slice(0, 16))
  })
})

describe('a device that two people use', () => {
  it('is cut from the first when the second comes; events without a user id belong to whoever used it last', async () => {
    const on = (userId: string | undefined, minute: number, event: string) =>
      track(
        { anonymousId: 'kiosk', ...(userId === undefined ? {} : { userId }) },
        { event, timestamp: minutes(minute) },
      )
    await house.say('web', on('k1', 0, 'first'), identify({ anonymousId: 'kiosk' }, { colour: 'röd' }))
    expect(house.of('anonymous_id', 'kiosk')).toBe(house.of('user_id', 'k1'))
    await house.say('web', on('k2', 10, 'second'))
    const [own, first, second] = [
      house.of('anonymous_id', 'kiosk'),
      house.of('user_id', 'k1'),
      house.of('user_id', 'k2'),
    ]
    expect(new Set([own, first, second]).size).toBe(3)
    expect((await house.profiles.get(first)).traits).toEqual([])
    expect(await house.traits('anonymous_id', 'kiosk')).toEqual({ colour: 'röd' })
    const { links } = await house.identity.explain(first)
    expect(links).toEqual([])

    await house.say('web', on(undefined, 20, 'in the session'), on(undefined, 120, 'long after'))
    house = await house.again()
    await house.say('web', on(undefined, 25, 'after a restart'))
    expect(await whoseEvents(`anonymous_id = 'kiosk'`)).toEqual({
      first,
      second,
      'in the session': second,
      'long after': own,
      'after a restart': second,
    })
  })

  it('follows its user into the profile that theirs became part of', async () => {
    await house.say('crm', identify({ userId: 'm2', context: { externalIds: [{ type: 'crm_id', id: 'c-2' }] } }))
    const on = (userId: string, minute: number) =>
      track({ anonymousId: 'tablet', userId }, { timestamp: minutes(minute) })
    await house.say('web', on('m1', 0), on('m3', 5))
    await house.say('newsletter', track({}, { context: { externalIds: [{ type: 'crm_id', id: 'c-3' }] } }))
    const older = house.of('crm_id', 'c-3')
    await house.say(
      'crm',
      identify({ userId: 'm3' }, {}, { context: { externalIds: [{ type: 'crm_id', id: 'c-3' }] } }),
    )
    await house.say('web', track({ anonymousId: 'tablet' }, { event: 'merged', timestamp: minutes(6) }))
    expect(await whoseEvents(`name = 'merged'`)).toEqual({ merged: house.of('user_id', 'm3') })
    expect(house.of('crm_id', 'c-3')).toBe(house.of('user_id', 'm3'))
    expect(older).not.toBe('')
  })
})

describe('a public write key', () => {
  it('cannot take over a person whom a trusted source knows: neither their profile nor their address', async () => {
    await house.say(
      'crm',
      identify({ userId: 'victim' }, { email: 'victim@post.example', phone: '+46701234567', firstName: 'Åsa' }),
    )
    await house.say(
      'web',
      identify({ anonymousId: 'v' }, { email: 'victim@post.example' }),
      identify({ anonymousId: 'v' }, { email: 'attacker@evil.example', firstName: 'https://evil.example' }),
      identify({ anonymousId: 'v' }, { phone: '+46701234567' }),
    )
    expect(house.of('anonymous_id', 'v')).not.toBe(house.of('user_id', 'victim'))
    expect(await contactOf('user_id', 'victim')).toBe('victim@post.example')
    expect(await house.traits('user_id', 'victim')).toMatchObject({ firstName: 'Åsa' })
    expect(house.of('email', 'victim@post.example')).toBe(house.of('user_id', 'victim'))

    await house.say(
      'web',
      identify({ anonymousId: 'v', userId: 'victim' }, { email: 'attacker@evil.example', firstName: 'Phish' }),
    )
    expect(await contactOf('user_id', 'victim')).toBe('victim@post.example')
    expect(await house.traits('user_id', 'victim')).toMatchObject({ firstName: 'Åsa', email: 'victim@post.example' })
  })

  it('cannot take an address in advance: whoever proves it takes it over, and the device stays outside', async () => {
    await house.say('web', identify({ anonymousId: 'early' }, { email: 'later@post.example', firstName: 'Phish' }))
    expect(house.of('email', 'later@post.example')).toBe(house.of('anonymous_id', 'early'))
    await house.say('crm', identify({ userId: 'later' }, { email: 'later@post.example' }))
    expect(house.of('email', 'later@post.example')).toBe(house.of('user_id', 'later'))
    expect(house.of('anonymous_id', 'early')).not.toBe(house.of('user_id', 'later'))
    expect(await house.traits('user_id', 'later')).not.toHaveProperty('firstName')
  })

  it('cannot make an address or a customer number useless by showing it with two people', async () => {
    await house.say('crm', identify({ userId: 's1' }, { email: 's1@post.example' }))
    await house.say('web', identify({ userId: 's2', anonymousId: 'as2' }, { email: 's1@post.example' }))
    const { identifiers } = await house.identity.explain(house.of('user_id', 's1'))
    expect(identifiers.map((one) => one.shared)).toEqual([false, false])
  })

  it('fills in a newsletter form: the address is a contact of that visitor, and goes with them when they sign in', async () => {
    await house.say('web', identify({ anonymousId: 'form' }, { email: 'ny@post.example' }))
    expect(await contactOf('anonymous_id', 'form')).toBe('ny@post.example')
    await house.say('web', identify({ anonymousId: 'form', userId: 'ny' }, { email: 'ny@post.example' }))
    expect(house.of('email', 'ny@post.example')).toBe(house.of('user_id', 'ny'))
    expect(house.of('anonymous_id', 'form')).toBe(house.of('user_id', 'ny'))
    expect(await contactOf('user_id', 'ny')).toBe('ny@post.example')
  })
})

describe('a person who is two', () => {
  const numberOf = async (type: string, value: string) => {
    const rows = await house.server.postgres.query<{ no: number }>(
      'SELECT no FROM identity.identifier WHERE type = $1 AND value = $2',
      [type, value],
    )
    return rows[0]!.no
  }
  const decide = async (kind: 'split' | 'join', left: [string, string], right: [string, string]) => {
    await house.identity.decide({
      kind,
      left: [await numberOf(...left)],
      right: [await numberOf(...right)],
      because: 'Anna rang and said so',
      by: 'account_anna',
    })
    await house.profiles.follow()
  }

  it('is taken apart with their events, messages and traits, as if the link had never been, and stays so', async () => {
    await house.say('crm', identify({ userId: 'x1' }, { plan: 'gold' }, { timestamp: minutes(0) }))
    const reads = { context: { externalIds: [{ type: 'email', id: 'x1@post.example' }] } }
    await house.say('newsletter', identify(reads, { colour: 'blå' }), track(reads, { event: 'read' }))
    const [customer, reader] = [house.of('user_id', 'x1'), house.of('email', 'x1@post.example')]
    await house.say('crm', identify({ userId: 'x1' }, { email: 'x1@post.example' }))
    expect(house.of('email', 'x1@post.example')).toBe(house.of('user_id', 'x1'))
    expect(await whoseEvents(`name = 'read'`)).toEqual({ read: house.of('user_id', 'x1') })
    expect(await house.traits('user_id', 'x1')).toMatchObject({ plan: 'gold', colour: 'blå' })

    const sentTo = (id: string) => ({
      context: {
        externalIds: [
          { type: 'profile', id },
          { type: 'email', id: 'X1@post.example' },
        ],
      },
    })
    await house.say('own', track(sentTo(house.of('user_id', 'x1')), { event: 'Message Sent' }))

    await decide('split', ['user_id', 'x1'], ['email', 'x1@post.example'])
    expect(await whoseEvents(`name = 'Message Sent'`)).toEqual({ 'Message Sent': reader })
    expect([house.of('user_id', 'x1'), house.of('email', 'x1@post.example')]).toEqual([customer, reader])
    expect(await whoseEvents(`name = 'read'`)).toEqual({ read: reader })
    expect(await house.traits('user_id', 'x1')).not.toHaveProperty('colour')
    expect(await house.traits('email', 'x1@post.example')).toMatchObject({ colour: 'blå' })
    const { refused, decisions } = await house.identity.explain(customer)
    expect(refused.map((one) => one.because)).toEqual(['a person decided that these are two people'])
    expect(decisions).toMatchObject([{ kind: 'split', because: 'Anna rang and said so' }])

    await house.say('crm', identify({ userId: 'x1' }, { email: 'x1@post.example' }))
    house = await house.again()
    await house.say('crm', identify({ userId: 'x1' }, { email: 'x1@post.example' }))
    expect([house.of('user_id', 'x1'), house.of('email', 'x1@post.example')]).toEqual([customer, reader])
  })

  it('is one again when a colleague takes that back', async () => {
    await decide('join', ['user_id', 'x1'], ['email', 'x1@post.example'])
    expect(house.of('email', 'x1@post.example')).toBe(house.of('user_id', 'x1'))
  })

  it('may have two user ids, but only by a word of a colleague: an alias is shown as a question', async () => {
    await house.say('server', identify({ userId: 'old name' }), identify({ userId: 'new name' }))
    await house.say('server', { type: 'alias', userId: 'new name', previousId: 'old name' })
    expect(house.of('user_id', 'new name')).not.toBe(house.of('user_id', 'old name'))
    const { refused } = await house.identity.explain(house.of('user_id', 'new name'))
    expect(refused).toMatchObject([
      {
        because: 'an alias says that they are the same, and two user ids are one person only when a colleague says so',
      },
    ])
    await decide('join', ['user_id', 'old name'], ['user_id', 'new name'])
    expect(house.of('user_id', 'new name')).toBe(house.of('user_id', 'old name'))
  })

  it('cannot be decided about when one of them is not known', async () => {
    await expect(
      house.identity.decide({ kind: 'join', left: [1], right: [9_999_999], because: 'x', by: 'account_anna' }),
    ).rejects.toThrow('There is no such identifier.')
  })
})
