import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aPeopleHouse, type PeopleHouse } from '../../../test/make/people-house.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { createAudit, type Audit } from '../../audit/server/index.ts'
import { createDeciding, type Deciding } from './deciding.ts'

let house: PeopleHouse
let deciding: Deciding
let audit: Audit
const anna: Caller = {
  kind: 'person',
  accountId: 'account_anna' as never,
  name: 'Anna',
  side: 'marketing',
  roles: ['member'],
  permissions: new Set(['data.write']),
  sessionId: 'session',
  steppedUpAtMs: undefined,
}
beforeAll(async () => {
  house = await aPeopleHouse()
  const { postgres } = house.server
  audit = createAudit({ postgres, clock: systemClock })
  deciding = createDeciding({ postgres, identity: house.identity, audit, followed: () => house.profiles.follow() })
  await house.say(
    'crm',
    { type: 'identify', userId: 'åsa', traits: { email: 'asa@post.example' } },
    { type: 'identify', userId: 'bo', traits: { phone: '+46701234567' } },
  )
})
afterAll(() => house.server.close())

const numbersOf = async (type: string) =>
  (await house.identity.explain(house.of('user_id', 'åsa'))).identifiers
    .filter((one) => one.type === type)
    .map((one) => one.no)

describe('a colleague decides who is who', () => {
  it('goes on with whoever keeps the strongest identifier, and the audit log has who and what, and nothing to erase', async () => {
    const before = house.of('user_id', 'åsa')
    const { person, other } = await deciding.split(
      anna,
      before,
      await numbersOf('email'),
      'the address is her mother’s',
    )
    expect(person).toBe(house.of('user_id', 'åsa'))
    expect(other).toBe(house.of('email', 'asa@post.example'))
    const [entry] = await audit.list({ kind: 'profile', id: before, limit: 1 })
    expect(entry).toMatchObject({
      summary: 'told two people apart: user id from email',
    })
    expect(JSON.stringify(entry)).not.toMatch(/åsa|asa@|mother/)
    const back = await deciding.join(anna, person, other ?? person, 'no, hers')
    expect(back).toEqual({ person: house.of('email', 'asa@post.example'), other: null })
  })

  it('joins two customers whom nothing that was seen may join', async () => {
    await deciding.join(
      anna,
      house.of('user_id', 'åsa'),
      house.of('user_id', 'bo'),
      'she married and opened a second account',
    )
    expect(house.of('phone', '+46701234567')).toBe(house.of('email', 'asa@post.example'))
    await expect(deciding.join(anna, house.of('user_id', 'åsa'), house.of('user_id', 'bo'), 'again')).rejects.toThrow(
      'They are one person already.',
    )
  })

  it('must leave somebody, and can only part what is together', async () => {
    const asa = house.of('user_id', 'åsa')
    const all = (await house.identity.explain(asa)).identifiers.map((one) => one.no)
    await expect(deciding.split(anna, asa, all, 'all of it')).rejects.toThrow('leave one')
    await expect(deciding.split(anna, asa, [999_999], 'not hers')).rejects.toThrow('not this person’s any more')
    await expect(deciding.split(anna, 'profile_none' as never, all, 'x')).rejects.toThrow('no such person')
  })
})
