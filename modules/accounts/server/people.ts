import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { actorOf } from '../../audit/server/index.ts'
import { excludedRoles, type Person, type Role, type Side } from '../contract.ts'
import { checkPassword, hashPassword, isCommon } from './passwords.ts'
import type { AccountNeeds } from './needs.ts'
import { sessionOf, type StepUp } from './step-up.ts'
import { accountStore, type PersonRow } from './store.ts'
import type { Tries } from './tries.ts'

/** @throws Refusal('bad_input') */
export function checkNewPassword(password: string): void {
  if (isCommon(password)) throw new Refusal('bad_input', 'This password is among those that everybody tries first.')
}

/** @throws Refusal('bad_input') when nobody may hold these together */
export function checkRoles(held: readonly Role[]): void {
  const excluded = excludedRoles(held)
  if (excluded !== undefined) throw new Refusal('bad_input', excluded)
}

const approves = (held: readonly Role[]) => held.includes('approver') || held.includes('protection')

/** The people who work here, and what changes them. */
export function createPeople(needs: AccountNeeds, { stepUp }: Pick<StepUp, 'stepUp'>, tries: Tries) {
  const { postgres, clock, random, audit } = needs
  const store = accountStore(postgres)

  async function createPerson(
    tx: Postgres,
    row: { email: string; name: string; side: Side; roles: Role[]; password: string },
  ): Promise<Id<'account'>> {
    checkRoles(row.roles)
    const id = needs.ids.next('account')
    await accountStore(tx).insertPerson({
      id,
      ...row,
      password: await hashPassword(row.password, random),
      at: clock.now(),
      approver_since: approves(row.roles) ? clock.now() : null,
    })
    await audit.write(tx, {
      actor: { kind: 'person', id },
      deed: 'account.created',
      object: { kind: 'account', id },
      summary: 'joined',
      facts: { side: row.side, roles: row.roles.join(' ') },
    })
    return id
  }

  async function people(): Promise<Person[]> {
    return (await store.people()).map((row) => ({
      id: row.id as Id<'account'>,
      name: row.name,
      email: row.email,
      side: row.side,
      roles: row.roles,
      disabledAt: row.disabled_at?.toISOString() ?? null,
      hasSecondFactor: row.totp !== null || Number(row.passkeys) > 0,
      lastSeenAt: row.last_seen_at?.toISOString() ?? null,
    }))
  }
  async function one(id: Id<'account'>): Promise<Person> {
    const person = (await people()).find((other) => other.id === id)
    if (person === undefined) throw new Refusal('not_found')
    return person
  }
  async function locked(tx: Postgres, id: string): Promise<PersonRow> {
    const person = await accountStore(tx).lockPerson(id)
    if (person === undefined) throw new Refusal('not_found', 'There is no such person.')
    return person
  }

  return {
    createPerson,
    people,
    /** What accounts are called, for pages that hold ids. */
    names: async (ids: readonly string[]): Promise<Record<string, string>> =>
      Object.fromEntries((await store.names(ids)).map((row) => [row.id, row.name])),
    /**
     * Within the transaction of a decision: the person as they are now.
     * `approverSince` is since when they hold a role that signs on this side without a break; null for whoever signs nothing.
     */
    async person(
      tx: Postgres,
      id: string,
    ): Promise<
      | { id: Id<'account'>; name: string; side: Side; roles: Role[]; enabled: boolean; approverSince: Date | null }
      | undefined
    > {
      const row = await accountStore(tx).person(id)
      return row === undefined
        ? undefined
        : {
            id: row.id as Id<'account'>,
            name: row.name,
            side: row.side,
            roles: row.roles,
            enabled: row.disabled_at === null,
            approverSince: row.approver_since,
          }
    },
    async setRoles(caller: Caller, id: Id<'account'>, side: Side, held: Role[]): Promise<Person> {
      stepUp(caller)
      checkRoles(held)
      if (id === caller.accountId && !held.includes('administrator'))
        throw new Refusal('not_now', 'You cannot take the administrator role from yourself; another administrator can.')
      await postgres.transaction(async (tx) => {
        const before = await locked(tx, id)
        const goesOn = before.side === side && before.disabled_at === null ? before.approver_since : null
        await accountStore(tx).setRoles(id, side, held, approves(held) ? (goesOn ?? clock.now()) : null)
        await accountStore(tx).endSessions(id, undefined)
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'account.roles_changed',
          object: { kind: 'account', id },
          summary: 'changed side or roles; all sessions ended',
          facts: { side, roles: held.join(' '), before: `${before.side} ${before.roles.join(' ')}` },
        })
      })
      return one(id)
    },
    async setDisabled(caller: Caller, id: Id<'account'>, disabled: boolean): Promise<Person> {
      stepUp(caller)
      if (id === caller.accountId)
        throw new Refusal('not_now', 'You cannot disable yourself; another administrator can.')
      await postgres.transaction(async (tx) => {
        const { roles } = await locked(tx, id)
        const inside = accountStore(tx)
        await inside.setDisabled(id, disabled ? clock.now() : null, !disabled && approves(roles) ? clock.now() : null)
        if (disabled) await inside.endSessions(id, undefined)
        const keysRevoked = disabled ? await inside.revokeApiKeys(id, clock.now()) : 0
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: disabled ? 'account.disabled' : 'account.enabled',
          object: { kind: 'account', id },
          summary: disabled ? 'disabled a person; all sessions and API keys ended' : 'let a person back in',
          facts: { keysRevoked },
        })
      })
      return one(id)
    },
    async changePassword(caller: Caller, old: string, password: string): Promise<void> {
      const sessionId = sessionOf(caller)
      tries.proof(caller.accountId, sessionId)
      const person = await store.person(caller.accountId)
      if (!(await checkPassword(old, person?.password)))
        throw new Refusal('wrong_credentials', 'The old password is not right.')
      tries.proved(caller.accountId, sessionId)
      checkNewPassword(password)
      const hashed = await hashPassword(password, random)
      await postgres.transaction(async (tx) => {
        const inside = accountStore(tx)
        await inside.setPassword(caller.accountId, hashed)
        await inside.endSessions(caller.accountId, sessionId)
        const keysRevoked = await inside.revokeApiKeys(caller.accountId, clock.now())
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'account.password_changed',
          object: { kind: 'account', id: caller.accountId },
          summary: 'changed the password; other sessions and API keys ended',
          facts: { keysRevoked },
        })
      })
    },
  }
}
export type People = ReturnType<typeof createPeople>
