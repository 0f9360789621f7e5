import { beforeAll, describe, expect, it, vi } from 'vitest'
import { anOffice, password, type Office } from '../../../test/make/offices.ts'
import type { Role, Side } from '../contract.ts'
import { networkOf } from './tries.ts'

const hours = (count: number) => count * 3_600_000

describe('a session', () => {
  let office: Office
  beforeAll(async () => {
    office = await anOffice()
  })
  const proven = async (side: Side, roles: Role[]) => {
    const { token } = await office.enter(await office.join(side, roles))
    const code = await office.authenticator(token)
    return office.accounts.confirmStepUp(await office.again(token), { method: 'totp', code: code() })
  }
  const administrator = () => proven('it', ['administrator'])

  it('begins with the right password, in whatever case and spaces the address was typed', async () => {
    const email = await office.join('marketing', ['member'])
    const { token } = await office.accounts.signIn(`  ${email.toUpperCase()} `, password, '192.0.2.1')
    expect(await office.accounts.bySession(token)).toMatchObject({ kind: 'person', roles: ['member'] })
    await expect(office.accounts.signIn(email, `${password}!`, '192.0.2.1')).rejects.toMatchObject({
      code: 'wrong_credentials',
    })
    await expect(office.accounts.signIn('nobody@fjörd.example', password, '192.0.2.1')).rejects.toMatchObject({
      code: 'wrong_credentials',
    })
    expect(await office.accounts.bySession(`${token}x`)).toBeUndefined()
  })

  it('keeps its token as a hash only', async () => {
    const { token } = await office.enter(await office.join('it', ['member']))
    const rows = await office.postgres.query<{ row: string }>('SELECT s::text AS row FROM accounts.session s')
    expect(rows.length).toBeGreaterThan(0)
    expect(rows.some(({ row }) => row.includes(token))).toBe(false)
  })

  it('ends by signing out', async () => {
    const { token } = await office.enter(await office.join('it', ['member']))
    await office.accounts.signOut(token)
    expect(await office.accounts.bySession(token)).toBeUndefined()
  })

  it('ends after twelve hours without a request, and after seven days with them', async () => {
    const idle = await office.enter(await office.join('it', ['member']))
    const busy = await office.enter(await office.join('it', ['member']))
    for (let day = 0; day < 7; day += 1)
      for (const part of [0, 1, 2]) {
        expect(await office.accounts.bySession(busy.token), `day ${String(day)}.${String(part)}`).toBeDefined()
        await office.clock.advance(hours(8))
      }
    expect(await office.accounts.bySession(idle.token)).toBeUndefined()
    await office.clock.advance(1)
    expect(await office.accounts.bySession(busy.token)).toBeUndefined()
  })

  it('ends elsewhere when the password changes, and goes on where it was changed', async () => {
    const email = await office.join('it', ['member'])
    const here = await office.enter(email)
    const elsewhere = await office.enter(email)
    await expect(office.accounts.changePassword(here.caller, 'wrong', 'another good horse')).rejects.toMatchObject({
      code: 'wrong_credentials',
    })
    await office.accounts.changePassword(here.caller, password, 'another good horse')
    expect(await office.accounts.bySession(elsewhere.token)).toBeUndefined()
    expect(await office.accounts.bySession(here.token)).toBeDefined()
    await expect(office.enter(email)).rejects.toMatchObject({ code: 'wrong_credentials' })
  })

  it('ends elsewhere when a second factor is set up', async () => {
    const email = await office.join('it', ['member'])
    const here = await office.enter(email)
    const elsewhere = await office.enter(email)
    await office.authenticator(here.token)
    expect(await office.accounts.bySession(elsewhere.token)).toBeUndefined()
    expect(await office.accounts.bySession(here.token)).toBeDefined()
  })

  it.each([
    ['the roles change', 'it', ['viewer']],
    ['the side changes', 'marketing', ['member']],
  ] as const)('ends when %s', async (_what, side, roles) => {
    const { token, caller } = await office.enter(await office.join('it', ['member']))
    await office.accounts.setRoles(await administrator(), caller.accountId, side, [...roles])
    expect(await office.accounts.bySession(token)).toBeUndefined()
  })

  it('ends when the person is disabled, who then cannot sign in until let back', async () => {
    const email = await office.join('it', ['member'])
    const { token, caller } = await office.enter(email)
    const admin = await administrator()
    await office.accounts.setDisabled(admin, caller.accountId, true)
    expect(await office.accounts.bySession(token)).toBeUndefined()
    await expect(office.enter(email)).rejects.toMatchObject({ code: 'wrong_credentials' })
    await office.accounts.setDisabled(admin, caller.accountId, false)
    expect(await office.accounts.bySession(token)).toBeUndefined()
    expect(await office.accounts.bySession((await office.enter(email)).token)).toBeDefined()
  })

  it('is written in the audit log when it begins', async () => {
    const before = (await office.deeds()).filter((deed) => deed === 'account.signed_in').length
    await office.enter(await office.join('it', ['member']))
    expect((await office.deeds()).filter((deed) => deed === 'account.signed_in').length).toBe(before + 1)
  })
})

describe('trying to sign in', () => {
  let office: Office
  beforeAll(async () => {
    office = await anOffice()
  })
  const tries = async (count: number, email: (index: number) => string, address: (index: number) => string) => {
    const codes: string[] = []
    for (let index = 0; index < count; index += 1) {
      codes.push(
        await office.accounts.signIn(email(index), 'wrong wrong', address(index)).then(
          () => 'in',
          (error: unknown) => (error as { code: string }).code,
        ),
      )
    }
    return codes
  }

  it('is limited to ten a minute for one address from one network, however the address is padded', async () => {
    const email = await office.join('it', ['member'])
    const codes = await tries(
      14,
      (index) => `${' '.repeat(index)}${index % 2 === 0 ? email : email.toUpperCase()}\t`,
      (index) => `2001:db8:1:2::${String(index + 1)}`,
    )
    expect(codes.filter((code) => code === 'too_many_tries')).toHaveLength(4)
    await office.clock.advance(60_000)
    expect(
      await tries(
        1,
        () => email,
        () => '2001:db8:1:2::9',
      ),
    ).toEqual(['wrong_credentials'])
  })

  it('leaves its person alone: from another network they sign in, and signed in they still prove themselves', async () => {
    const email = await office.join('it', ['member'])
    const { token } = await office.enter(email)
    const code = await office.authenticator(token)
    await tries(
      12,
      () => email,
      () => '198.51.100.9',
    )
    expect((await office.enter(email)).token).not.toBe('')
    await office.accounts.confirmStepUp(await office.again(token), { method: 'totp', code: code() })
  })

  it('slows down when one address is tried from everywhere, except where its person signed in before', async () => {
    const email = await office.join('it', ['member'])
    await office.enter(email)
    await tries(
      50,
      () => email,
      (index) => `203.0.113.${String(index)}`,
    )
    let answered = false
    const slow = office.accounts.signIn(email, password, '198.51.100.77').then((session) => {
      answered = true
      return session
    })
    expect((await office.enter(email)).token).not.toBe('')
    expect(answered).toBe(false)
    await office.clock.advance(1_000)
    expect((await slow).token).not.toBe('')
  })

  it('is limited for one network, whatever the address', async () => {
    const codes = await tries(
      62,
      (index) => `n${String(index)}@fjörd.example`,
      () => '192.0.2.200',
    )
    expect(codes.slice(0, 60).every((code) => code === 'wrong_credentials')).toBe(true)
    expect(codes.slice(60)).toEqual(['too_many_tries', 'too_many_tries'])
  })

  it('is counted in the audit log, not written once for each try', async () => {
    const email = await office.join('it', ['member'])
    const id = (await office.enter(email)).caller.accountId
    await tries(
      12,
      () => email,
      (index) => `203.0.113.${String(200 + index)}`,
    )
    await vi.waitFor(async () => {
      const written = (await office.audit.list({ kind: 'account', id, limit: 50 })).filter(
        (entry) => entry.deed === 'account.sign_in_failed',
      )
      expect(written.map((entry) => entry.facts['withinTheHour'])).toEqual([10, 1])
    })
  })

  it('sees a /64 of IPv6 as one network and mapped IPv4 as itself', () => {
    expect(networkOf('2001:db8::1')).toBe(networkOf('2001:db8::ffff:2'))
    expect(networkOf('2001:db8:0:1::1')).not.toBe(networkOf('2001:db8:0:2::1'))
    expect(networkOf('::ffff:192.0.2.1')).toBe(networkOf('192.0.2.1'))
    expect(networkOf('demo')).toBe('demo')
  })
})

describe('proving presence', () => {
  it('is limited to ten tries a minute and thirty an hour, and failures are in the audit log', async () => {
    const office = await anOffice()
    const { token, caller } = await office.enter(await office.join('it', ['approver']))
    const code = await office.authenticator(token)
    const wrong = async () =>
      office.accounts.confirmStepUp(await office.again(token), { method: 'totp', code: '000000' }).then(
        () => 'in',
        (error: unknown) => (error as { code: string }).code,
      )
    for (let round = 0; round < 3; round += 1) {
      for (let index = 0; index < 10; index += 1) expect(await wrong()).toBe('wrong_credentials')
      expect(await wrong()).toBe('too_many_tries')
      await office.clock.advance(60_000)
    }
    await expect(
      office.accounts.confirmStepUp(await office.again(token), { method: 'totp', code: code() }),
    ).rejects.toMatchObject({ code: 'too_many_tries' })
    expect(
      (await office.audit.list({ kind: 'account', id: caller.accountId, limit: 50 }))
        .filter((entry) => entry.deed === 'account.step_up_failed')
        .map((entry) => entry.facts['withinTheHour']),
    ).toEqual([10, 1])
    await office.clock.advance(3_600_000)
    await office.accounts.confirmStepUp(await office.again(token), { method: 'totp', code: code() })
  })
})
