import { beforeAll, describe, expect, it } from 'vitest'
import { anOffice, type Office } from '../../../test/make/offices.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { roles, type Role } from '../contract.ts'

const tokenOf = (link: string | undefined) => link?.split('/').at(-1) ?? ''
const given = { name: 'Åsa', password: 'correct horse battery' }

async function administrator(office: Office): Promise<Caller> {
  const { token } = await office.enter(await office.join('it', ['administrator']))
  const code = await office.authenticator(token)
  return office.accounts.confirmStepUp(await office.again(token), { method: 'totp', code: code() })
}

describe('the link for the first administrator', () => {
  it('works once, for an hour; each start makes a new one that voids the old', async () => {
    const office = await anOffice()
    const { accounts, clock } = office
    const old = tokenOf(await accounts.firstLink())
    const late = tokenOf(await accounts.firstLink())
    await expect(accounts.linkIsFor(old)).rejects.toMatchObject({ code: 'gone' })
    await clock.advance(3_600_000)
    await expect(accounts.accept(late, { ...given, email: 'a@b.example', side: 'it' })).rejects.toMatchObject({
      code: 'gone',
    })
    const link = tokenOf(await accounts.firstLink())
    const first = { ...given, email: 'first@b.example', side: 'it' as const }
    const both = await Promise.allSettled([
      accounts.accept(link, first),
      accounts.accept(link, { ...first, email: 'second@b.example' }),
    ])
    expect(both.filter((one) => one.status === 'fulfilled')).toHaveLength(1)
    await expect(accounts.accept(link, first)).rejects.toMatchObject({ code: 'gone' })
    expect(await accounts.people()).toHaveLength(1)
    expect(await accounts.firstLink()).toBeUndefined()
  })
})

describe('an invitation', () => {
  let office: Office
  let admin: Caller
  beforeAll(async () => {
    office = await anOffice()
    admin = await administrator(office)
  })
  const invited = (email: string, held: Role[] = ['member']) =>
    office.accounts.invite(admin, { email, side: 'marketing', roles: held }).then(tokenOf)

  it('works once, gives the side and the roles that it says, and is audited with the one who made it', async () => {
    const token = await invited('bo@fjörd.example')
    const { caller } = await office.accounts.accept(token, {
      ...given,
      email: 'other@fjörd.example',
      side: 'it',
    })
    expect(caller).toMatchObject({ side: 'marketing', roles: ['member'] })
    expect((await office.accounts.me(caller)).email).toBe('bo@fjörd.example')
    await expect(office.accounts.accept(token, given)).rejects.toMatchObject({ code: 'gone' })
    expect(await office.audit.list({ kind: 'invitation', limit: 1 })).toMatchObject([
      { deed: 'account.invited', actor: { id: admin.accountId } },
    ])
  })

  it('is made anew for a forgotten password: once, for a day, the newest alone, and second factors stay', async () => {
    const email = await office.join('it', ['member'])
    const old = await office.enter(email)
    await office.authenticator(old.token)
    admin = { ...admin, steppedUpAtMs: office.clock.ms() }
    const voided = tokenOf(await office.accounts.passwordLink(admin, old.caller.accountId))
    const token = tokenOf(await office.accounts.passwordLink(admin, old.caller.accountId))
    await expect(office.accounts.accept(voided, { password: 'another horse battery' })).rejects.toMatchObject({
      code: 'gone',
    })
    const now = await office.accounts.accept(token, { password: 'another horse battery' })
    expect(await office.accounts.me(now.caller)).toMatchObject({ email, hasTotp: true })
    expect(await office.accounts.bySession(old.token)).toBeUndefined()
    await expect(office.enter(email)).rejects.toMatchObject({ code: 'wrong_credentials' })
    await expect(office.accounts.accept(token, { password: 'a third horse battery' })).rejects.toMatchObject({
      code: 'gone',
    })
    const late = tokenOf(await office.accounts.passwordLink(admin, old.caller.accountId))
    await office.clock.advance(86_400_000)
    await expect(office.accounts.accept(late, { password: 'a third horse battery' })).rejects.toMatchObject({
      code: 'gone',
    })
    await expect(office.accounts.passwordLink(admin, old.caller.accountId)).rejects.toMatchObject({ code: 'step_up' })
    expect(await office.deeds()).toContain('account.password_link')
    admin = { ...admin, steppedUpAtMs: office.clock.ms() }
  })

  it('leads on to a first second factor without asking for the password that was typed a moment ago', async () => {
    const { token } = await office.accounts.accept(await invited('next@fjörd.example'), given)
    await office.authenticator(token)
    expect(await office.accounts.me(await office.again(token))).toMatchObject({ hasTotp: true })
    admin = { ...admin, steppedUpAtMs: office.clock.ms() }
  })

  it('ends after seven days', async () => {
    const token = await invited('late@fjörd.example')
    await office.clock.advance(7 * 86_400_000)
    await expect(office.accounts.accept(token, given)).rejects.toMatchObject({ code: 'gone' })
    admin = { ...admin, steppedUpAtMs: office.clock.ms() }
  })

  it('needs a fresh proof, and takes no common password', async () => {
    await expect(
      office.accounts.invite(
        { ...admin, steppedUpAtMs: undefined },
        { email: 'x@y.example', side: 'it', roles: ['member'] },
      ),
    ).rejects.toMatchObject({ code: 'step_up' })
    const token = await invited('common@fjörd.example')
    await expect(office.accounts.accept(token, { ...given, password: 'Password123' })).rejects.toMatchObject({
      code: 'bad_input',
    })
    await office.accounts.accept(token, given)
  })
})

describe('roles', () => {
  let office: Office
  let admin: Caller
  beforeAll(async () => {
    office = await anOffice()
    admin = await administrator(office)
  })
  const newcomer = async (held: Role[]) => (await office.enter(await office.join('it', held))).caller.accountId
  const since = async (id: string) => {
    const [row] = await office.postgres.query<{ approver_since: Date | null }>(
      'SELECT approver_since FROM accounts.active_person WHERE id = $1',
      [id],
    )
    return row?.approver_since?.getTime()
  }

  it.each(['approver', 'protection'] as const)('never put a technologist and %s on one person', async (key) => {
    const both: Role[] = ['technologist', key]
    const id = await newcomer(['member'])
    await expect(office.accounts.setRoles(admin, id, 'it', both)).rejects.toMatchObject({ code: 'bad_input' })
    await expect(
      office.accounts.invite(admin, { email: 'n@fjörd.example', side: 'it', roles: both }),
    ).rejects.toMatchObject({ code: 'bad_input' })
    const email = await office.join('it', ['technologist'])
    await office.postgres.query('UPDATE accounts.person SET roles = $2 WHERE email = $1', [email, both])
    const { permissions } = (await office.enter(email)).caller
    expect(permissions.has('keys.give') || permissions.has('keys.protect')).toBe(false)
  })

  it('change only with a fresh proof, in one transaction with their entry', async () => {
    const id = await newcomer(['member'])
    await expect(
      office.accounts.setRoles({ ...admin, steppedUpAtMs: undefined }, id, 'it', ['viewer']),
    ).rejects.toMatchObject({ code: 'step_up' })
    await expect(office.accounts.setDisabled({ ...admin, steppedUpAtMs: undefined }, id, true)).rejects.toMatchObject({
      code: 'step_up',
    })
    const entries = (await office.deeds()).length
    await office.postgres.query(
      `CREATE FUNCTION pg_temp_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`,
    )
    await office.postgres.query(
      'CREATE TRIGGER refuse BEFORE INSERT ON audit.entry FOR EACH ROW EXECUTE FUNCTION pg_temp_refuse()',
    )
    await expect(office.accounts.setRoles(admin, id, 'it', ['viewer'])).rejects.toThrow('no')
    await expect(office.accounts.setDisabled(admin, id, true)).rejects.toThrow('no')
    await office.postgres.query('DROP TRIGGER refuse ON audit.entry')
    expect((await office.accounts.people()).find((one) => one.id === id)).toMatchObject({
      roles: ['member'],
      disabledAt: null,
    })
    expect((await office.deeds()).length).toBe(entries)
  })

  it('leave no entry about somebody who is not there', async () => {
    const nobody = admin.accountId.replace(/.{4}$/, 'zzzz') as typeof admin.accountId
    await expect(office.accounts.setDisabled(admin, nobody, true)).rejects.toMatchObject({ code: 'not_found' })
    expect(await office.audit.list({ kind: 'account', id: nobody, limit: 1 })).toEqual([])
  })

  it('say since when somebody signs: from the start, a change of side, and being let back in', async () => {
    const id = await newcomer(['member'])
    expect(await since(id)).toBeUndefined()
    const start = office.clock.ms()
    await office.accounts.setRoles(admin, id, 'it', ['approver'])
    await office.clock.advance(1_000)
    await office.accounts.setRoles(admin, id, 'it', ['approver', 'viewer'])
    expect(await since(id)).toBe(start)
    await office.accounts.setRoles(admin, id, 'marketing', ['approver'])
    expect(await since(id)).toBe(start + 1_000)
    await office.accounts.setDisabled(admin, id, true)
    await office.clock.advance(1_000)
    await office.accounts.setDisabled(admin, id, false)
    expect(await since(id)).toBe(start + 2_000)
  })

  it('keep an administrator administrator by their own hand, and enabled', async () => {
    await expect(office.accounts.setRoles(admin, admin.accountId, 'it', ['viewer'])).rejects.toMatchObject({
      code: 'not_now',
    })
    await expect(office.accounts.setDisabled(admin, admin.accountId, true)).rejects.toMatchObject({ code: 'not_now' })
  })

  it('give everybody at least what reading needs', () => {
    for (const [role, gives] of Object.entries(roles)) expect(gives, role).toContain('data.read')
  })
})
