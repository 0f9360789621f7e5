import { beforeAll, describe, expect, it } from 'vitest'
import { anOffice, password, type Office } from '../../../test/make/offices.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { KeyScope, Role } from '../contract.ts'

describe('an API key', () => {
  let office: Office
  beforeAll(async () => {
    office = await anOffice()
  })
  const somebody = async (roles: Role[]) => {
    const { token } = await office.enter(await office.join('it', roles))
    const code = await office.authenticator(token)
    const caller = await office.accounts.confirmStepUp(await office.again(token), { method: 'totp', code: code() })
    return { token, caller, code }
  }
  const made = async (caller: Caller, scopes: KeyScope[] = ['data.read'], days?: number) =>
    office.accounts.makeApiKey(caller, 'Nightly “export”', scopes, days)

  it('begins with il_, carries its checksum and is kept as a hash', async () => {
    const { caller } = await somebody(['member'])
    const { key, row } = await made(caller)
    expect(key).toMatch(/^il_[0-9a-z]{8}_[A-Za-z0-9_-]{32}_[0-9a-f]{8}$/)
    expect(key.startsWith(row.prefix)).toBe(true)
    const rows = await office.postgres.query<{ row: string }>('SELECT k::text AS row FROM accounts.api_key k')
    expect(rows.some((one) => one.row.includes(key.slice(12, 44)))).toBe(false)
    expect(await office.accounts.byApiKey(`${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`)).toBeUndefined()
  })

  it('needs a fresh proof to be made', async () => {
    const { caller } = await somebody(['member'])
    await expect(made({ ...caller, steppedUpAtMs: undefined })).rejects.toMatchObject({ code: 'step_up' })
    await expect(made({ ...caller, kind: 'api-key' })).rejects.toMatchObject({ code: 'key_refused' })
  })

  it('can do at most what its person can, and what its scopes say', async () => {
    const { caller } = await somebody(['member'])
    const { key } = await made(caller, ['data.read', 'campaigns.write'])
    expect(await office.accounts.byApiKey(key)).toMatchObject({
      kind: 'api-key',
      permissions: new Set(['data.read', 'campaigns.write']),
    })
    await office.postgres.query(`UPDATE accounts.person SET roles = '{viewer}' WHERE id = $1`, [caller.accountId])
    expect((await office.accounts.byApiKey(key))?.permissions).toEqual(new Set(['data.read']))
    await expect(made({ ...caller, permissions: new Set(['data.read']) }, ['data.write'])).rejects.toMatchObject({
      code: 'not_allowed',
    })
  })

  it.each(['admin', 'keys.give', 'keys.protect'])('is never given %s, nor obeyed when a row says so', async (scope) => {
    const { caller } = await somebody(['administrator', 'approver', 'protection'])
    await expect(made(caller, [scope as KeyScope])).rejects.toMatchObject({ code: 'not_allowed' })
    const { key, row } = await made(caller)
    await office.postgres.query('UPDATE accounts.api_key SET scopes = $2 WHERE id = $1', [row.id, [scope]])
    expect((await office.accounts.byApiKey(key))?.permissions).toEqual(new Set())
  })

  it('ends when it is revoked by its person, and by nobody else', async () => {
    const { caller } = await somebody(['member'])
    const other = await somebody(['member'])
    const { key, row } = await made(caller)
    await expect(office.accounts.revokeApiKey(other.caller, row.id)).rejects.toMatchObject({ code: 'not_found' })
    expect(await office.accounts.byApiKey(key)).toBeDefined()
    await office.accounts.revokeApiKey(caller, row.id)
    expect(await office.accounts.byApiKey(key)).toBeUndefined()
  })

  it('ends on its day', async () => {
    const { caller } = await somebody(['member'])
    const { key } = await made(caller, ['data.read'], 1)
    await office.clock.advance(86_399_999)
    expect(await office.accounts.byApiKey(key)).toBeDefined()
    await office.clock.advance(1)
    expect(await office.accounts.byApiKey(key)).toBeUndefined()
  })

  it.each([
    ['the password changes', ({ caller }) => office.accounts.changePassword(caller, password, 'another good horse')],
    [
      'a second factor changes',
      async ({ token, caller, code }) => {
        await office.accounts.confirmStepUp(caller, { method: 'totp', code: code() })
        await office.authenticator(token)
      },
    ],
    [
      'its person is disabled, also when let back in',
      async ({ caller }) => {
        const admin = await somebody(['administrator'])
        await office.accounts.setDisabled(admin.caller, caller.accountId, true)
        await office.accounts.setDisabled(admin.caller, caller.accountId, false)
      },
    ],
  ] satisfies [string, (who: Awaited<ReturnType<typeof somebody>>) => Promise<unknown>][])(
    'ends when %s',
    async (_what, change) => {
      const who = await somebody(['member'])
      const { key } = await made(who.caller)
      await office.clock.advance(30_000)
      await change(who)
      expect(await office.accounts.byApiKey(key)).toBeUndefined()
    },
  )
})
