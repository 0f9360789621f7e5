import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { actorOf } from '../../audit/server/index.ts'
import type { Role, Side } from '../contract.ts'
import { checkNewPassword, checkRoles, type People } from './people.ts'
import type { AccountNeeds } from './needs.ts'
import type { OpenSession } from './sessions.ts'
import type { StepUp } from './step-up.ts'
import { accountStore, type PersonRow } from './store.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { hashPassword } from './passwords.ts'
import { hashOf, newToken } from './tokens.ts'

const invitationMs = 7 * 86_400_000
const passwordLinkMs = 86_400_000
const firstLinkMs = 3_600_000

/** One-time links: the first administrator, and invitations. */
export function createLinks(
  needs: AccountNeeds,
  { stepUp }: Pick<StepUp, 'stepUp'>,
  { createPerson }: Pick<People, 'createPerson'>,
  open: (tx: Postgres, person: PersonRow) => Promise<OpenSession>,
) {
  const { postgres, clock, random, audit } = needs
  const store = accountStore(postgres)
  /** Sets it, ends what rested on the old one, and signs in. Second factors stay: the link is no proof of a person. */
  async function newPassword(tx: Postgres, email: string, password: string): Promise<OpenSession> {
    const inside = accountStore(tx)
    const found = await inside.personByEmail(email)
    if (found === undefined || found.disabled_at !== null) throw new Refusal('gone')
    await inside.setPassword(found.id, await hashPassword(password, random))
    await inside.endSessions(found.id, undefined)
    const keysRevoked = await inside.revokeApiKeys(found.id, clock.now())
    await audit.write(tx, {
      actor: { kind: 'person', id: found.id },
      deed: 'account.password_changed',
      object: { kind: 'account', id: found.id },
      summary: 'set a new password with a link; all sessions and API keys ended',
      facts: { keysRevoked },
    })
    return open(tx, { ...found, password: (await inside.person(found.id))?.password ?? '' })
  }

  return {
    /** For whoever forgot the password, handed over by an administrator. @throws Refusal('not_now') for who is disabled */
    async passwordLink(caller: Caller, id: Id<'account'>): Promise<string> {
      stepUp(caller)
      const token = newToken(random)
      await postgres.transaction(async (tx) => {
        const inside = accountStore(tx)
        const person = await inside.lockPerson(id)
        if (person === undefined) throw new Refusal('not_found', 'There is no such person.')
        if (person.disabled_at !== null)
          throw new Refusal('not_now', `${person.name} is disabled; let them back in first.`)
        await inside.dropPasswordLinks(person.email)
        await inside.insertLink(hashOf(token), {
          kind: 'password',
          email: person.email,
          side: null,
          roles: null,
          madeBy: caller.accountId,
          expiresAt: new Date(clock.ms() + passwordLinkMs),
        })
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'account.password_link',
          object: { kind: 'account', id },
          summary: 'made a link for a new password',
        })
      })
      return `${needs.publicUrl()}/join/${token}`
    },
    /** For one hour, a link for the first administrator while there is nobody; each start makes a new one and voids the old. */
    async firstLink(): Promise<string | undefined> {
      if (await store.anybody()) return undefined
      const token = newToken(random)
      await store.dropFirstLinks()
      await store.insertLink(hashOf(token), {
        kind: 'first',
        email: null,
        side: null,
        roles: ['administrator', 'approver'],
        madeBy: null,
        expiresAt: new Date(clock.ms() + firstLinkMs),
      })
      return `${needs.publicUrl()}/join/${token}`
    },
    async linkIsFor(token: string) {
      const link = await store.link(hashOf(token), clock.now())
      if (link === undefined) throw new Refusal('gone')
      return { kind: link.kind, email: link.email, side: link.side, roles: link.roles ?? [] }
    },
    async accept(
      token: string,
      given: { name?: string | undefined; email?: string | undefined; side?: Side | undefined; password: string },
    ): Promise<OpenSession> {
      checkNewPassword(given.password)
      return postgres.transaction(
        async (tx) => {
          const inside = accountStore(tx)
          const link = await inside.useLink(hashOf(token), clock.now())
          if (link === undefined) throw new Refusal('gone')
          if (link.kind === 'first' && (await inside.anybody()))
            throw new Refusal('gone', 'Somebody else became the first administrator.')
          if (link.kind === 'password') return newPassword(tx, link.email ?? '', given.password)
          const email = link.email ?? given.email
          const side = link.side ?? given.side
          if (given.name === undefined || email === undefined || side === undefined)
            throw new Refusal('bad_input', 'Your name, your e-mail address and your side are needed.')
          if ((await inside.personByEmail(email)) !== undefined)
            throw new Refusal('conflict', 'Somebody with this e-mail address is here already.')
          const id = await createPerson(tx, {
            email,
            name: given.name,
            side,
            roles: link.roles ?? ['member'],
            password: given.password,
          })
          const person = await inside.person(id)
          if (person === undefined) throw new Error('the person who just joined is not there')
          return open(tx, person)
        },
        { isolation: 'serializable' },
      )
    },
    async invite(caller: Caller, row: { email: string; side: Side; roles: Role[] }): Promise<string> {
      stepUp(caller)
      checkRoles(row.roles)
      if ((await store.personByEmail(row.email)) !== undefined)
        throw new Refusal('conflict', 'Somebody with this e-mail address is here already.')
      const token = newToken(random)
      await postgres.transaction(async (tx) => {
        await accountStore(tx).insertLink(hashOf(token), {
          kind: 'invitation',
          ...row,
          madeBy: caller.accountId,
          expiresAt: new Date(clock.ms() + invitationMs),
        })
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'account.invited',
          object: { kind: 'invitation', id: hashOf(token).slice(0, 16) },
          summary: 'invited someone',
          facts: { side: row.side, roles: row.roles.join(' ') },
        })
      })
      return `${needs.publicUrl()}/join/${token}`
    },
  }
}
