import { beforeAll, describe, expect, it } from 'vitest'
import { anAuthenticator } from '../../../test/make/authenticator.ts'
import { anOffice, officeUrl, password, type Office } from '../../../test/make/offices.ts'

const minutes = (count: number) => count * 60_000

describe('a second factor', () => {
  let office: Office
  beforeAll(async () => {
    office = await anOffice()
  })
  const passkeyOf = async (token: string) => {
    const passkey = anAuthenticator(officeUrl)
    const { challenge } = await office.accounts.startPasskey(await office.again(token))
    await office.accounts.confirmPasskey(await office.again(token), passkey.register(challenge))
    return passkey
  }
  const newcomer = async () => office.enter(await office.join('it', ['approver']))

  it('is first set up by whoever said the password within five minutes, and not by a session alone', async () => {
    const { accounts, clock } = office
    const { token } = await newcomer()
    await clock.advance(minutes(6))
    await expect(accounts.startTotp(await office.again(token))).rejects.toMatchObject({ code: 'password_again' })
    await expect(accounts.startPasskey(await office.again(token))).rejects.toMatchObject({ code: 'password_again' })
    await expect(accounts.confirmPassword(await office.again(token), 'wrong')).rejects.toMatchObject({
      code: 'wrong_credentials',
    })
    await accounts.confirmPassword(await office.again(token), password)
    await office.authenticator(token)
    expect((await accounts.me(await office.again(token))).hasTotp).toBe(true)
  })

  it('is not set up with a challenge that was handed out for a step-up', async () => {
    const { accounts } = office
    const { token, caller } = await newcomer()
    await passkeyOf(token)
    const stolen = await office.enter((await accounts.me(caller)).email)
    const { passkey } = await accounts.startStepUp(stolen.caller)
    const challenge = String(passkey?.challenge)
    await expect(
      accounts.confirmPasskey(stolen.caller, anAuthenticator(officeUrl).register(challenge)),
    ).rejects.toMatchObject({ code: 'wrong_credentials' })
    await expect(accounts.confirmTotp(stolen.caller, '123456')).rejects.toMatchObject({ code: 'not_now' })
    expect((await accounts.me(await office.again(stolen.token))).passkeys).toBe(1)
    expect((await office.again(stolen.token)).steppedUpAtMs).toBeUndefined()
  })

  it.each(['totp', 'passkey'] as const)(
    'of another kind needs a step-up with the passkey that is there (%s)',
    async (kind) => {
      const { accounts } = office
      const { token, caller } = await newcomer()
      const own = await passkeyOf(token)
      const other = await office.enter((await accounts.me(caller)).email)
      const begin = async () =>
        kind === 'totp'
          ? accounts.startTotp(await office.again(other.token))
          : accounts.startPasskey(await office.again(other.token))
      await expect(begin()).rejects.toMatchObject({ code: 'step_up' })
      const { passkey } = await accounts.startStepUp(other.caller)
      await accounts.confirmStepUp(other.caller, {
        method: 'passkey',
        answer: own.prove(String(passkey?.challenge)),
      })
      await begin()
    },
  )

  it('is confirmed only while the step-up still holds', async () => {
    const { accounts, clock } = office
    const { token } = await newcomer()
    const code = await office.authenticator(token)
    await accounts.confirmStepUp(await office.again(token), { method: 'totp', code: code() })
    await clock.advance(minutes(4))
    const { challenge } = await accounts.startPasskey(await office.again(token))
    await clock.advance(minutes(2))
    await expect(
      accounts.confirmPasskey(await office.again(token), anAuthenticator(officeUrl).register(challenge)),
    ).rejects.toMatchObject({ code: 'step_up' })
  })

  it('is not confirmed with a challenge that is older than five minutes, or used before', async () => {
    const { accounts, clock } = office
    const { token } = await newcomer()
    const passkey = anAuthenticator(officeUrl)
    const first = await accounts.startPasskey(await office.again(token))
    await clock.advance(minutes(5) + 1)
    await accounts.confirmPassword(await office.again(token), password)
    await expect(
      accounts.confirmPasskey(await office.again(token), passkey.register(first.challenge)),
    ).rejects.toMatchObject({ code: 'wrong_credentials' })
    const second = await accounts.startPasskey(await office.again(token))
    await accounts.confirmPasskey(await office.again(token), passkey.register(second.challenge))
    await expect(
      accounts.confirmPasskey(await office.again(token), anAuthenticator(officeUrl).register(second.challenge)),
    ).rejects.toMatchObject({ code: 'wrong_credentials' })
  })

  it('answers a step-up only once and only to this very challenge', async () => {
    const { accounts } = office
    const { token } = await newcomer()
    const own = await passkeyOf(token)
    const challengeNow = async () => String((await accounts.startStepUp(await office.again(token))).passkey?.challenge)
    const proof = (challenge: string) => ({ method: 'passkey' as const, answer: own.prove(challenge) })
    const first = await challengeNow()
    const second = await challengeNow()
    await expect(accounts.confirmStepUp(await office.again(token), proof(first))).rejects.toMatchObject({
      code: 'wrong_credentials',
    })
    await expect(accounts.confirmStepUp(await office.again(token), proof(second))).rejects.toMatchObject({
      code: 'wrong_credentials',
    })
    const third = await challengeNow()
    await accounts.confirmStepUp(await office.again(token), proof(third))
    await expect(accounts.confirmStepUp(await office.again(token), proof(third))).rejects.toMatchObject({
      code: 'wrong_credentials',
    })
  })

  it('takes a code once, also the one that set it up, and none of an earlier step', async () => {
    const { accounts, clock } = office
    const { token } = await newcomer()
    const code = await office.authenticator(token)
    const early = code()
    await clock.advance(30_000)
    const used = code()
    const prove = async (digits: string) =>
      accounts.confirmStepUp(await office.again(token), { method: 'totp', code: digits })
    await prove(used)
    await expect(prove(used)).rejects.toMatchObject({
      code: 'wrong_credentials',
      message: expect.stringContaining('a new one') as string,
    })
    await expect(prove(early)).rejects.toMatchObject({ code: 'wrong_credentials' })
  })

  it('ends the proof after five minutes', async () => {
    const { accounts, clock } = office
    const { token } = await newcomer()
    const code = await office.authenticator(token)
    accounts.stepUp(await accounts.confirmStepUp(await office.again(token), { method: 'totp', code: code() }))
    const caller = await office.again(token)
    await clock.advance(minutes(5))
    accounts.stepUp(caller)
    await clock.advance(1)
    expect(() => {
      accounts.stepUp(caller)
    }).toThrow('fresh proof')
  })

  it('is not replaced by the password, except in the demo company by whoever has none', async () => {
    const { token } = await newcomer()
    const byPassword = { method: 'password', password } as const
    await expect(office.accounts.confirmStepUp(await office.again(token), byPassword)).rejects.toMatchObject({
      code: 'wrong_credentials',
    })
    const demo = await anOffice({ demo: true })
    const there = await demo.enter(await demo.join('it', ['approver']))
    await expect(
      demo.accounts.confirmStepUp(there.caller, { method: 'password', password: 'not this one' }),
    ).rejects.toThrow('The password is not right.')
    await demo.accounts.confirmStepUp(there.caller, byPassword)
    await demo.authenticator(there.token)
    await expect(demo.accounts.confirmStepUp(await demo.again(there.token), byPassword)).rejects.toMatchObject({
      code: 'wrong_credentials',
    })
  })
})
