import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { callerOf } from './caller.ts'
import type { Failures } from './failures.ts'
import { checkPassword } from './passwords.ts'
import type { AccountNeeds } from './needs.ts'
import { accountStore, type PersonRow } from './store.ts'
import { hashOf, newToken } from './tokens.ts'
import { plainEmail, type Tries } from './tries.ts'

const idleMs = 12 * 3_600_000
const oldestMs = 7 * 86_400_000

export interface OpenSession {
  /** For the cookie; only its hash is kept. */
  token: string
  caller: Caller
}

/** Sessions of browsers: begun with the password, ended by signing out, by age, or by a change of what they rest on. */
export function createSessions(needs: AccountNeeds, tries: Tries, failures: Failures) {
  const { postgres, clock, random, audit } = needs
  const store = accountStore(postgres)

  /** @throws Refusal('wrong_credentials') when the password changed, or the person was disabled, since it was checked */
  async function open(tx: Postgres, person: PersonRow): Promise<OpenSession> {
    const token = newToken(random)
    const id = needs.ids.next('session')
    if (!(await accountStore(tx).insertSession(id, hashOf(token), person, clock.now())))
      throw new Refusal('wrong_credentials')
    await audit.write(tx, {
      actor: { kind: 'person', id: person.id },
      deed: 'account.signed_in',
      object: { kind: 'account', id: person.id },
      summary: 'signed in',
    })
    return { token, caller: callerOf(person, { sessionId: id }) }
  }

  return {
    open,
    /** Who a session token belongs to; undefined when it is none, too old, or its person is disabled. */
    async bySession(token: string): Promise<Caller | undefined> {
      const session = await store.session(hashOf(token))
      if (session === undefined || session.person.disabled_at !== null) return undefined
      const now = clock.ms()
      if (now - session.seen_at.getTime() > idleMs || now - session.created_at.getTime() > oldestMs) return undefined
      if (now - session.seen_at.getTime() > 60_000) await store.touchSession(session.id, clock.now())
      return callerOf(session.person, { sessionId: session.id, steppedUpAtMs: session.stepped_up_at?.getTime() })
    },
    async signIn(given: string, password: string, address: string): Promise<OpenSession> {
      const email = plainEmail(given)
      await tries.signIn(email, address)
      const person = await store.personByEmail(email)
      const right = await checkPassword(password, person?.password)
      if (!right || person === undefined || person.disabled_at !== null) {
        // Not waited for: the time of the answer must not tell whether the address has an account.
        failures.note('account.sign_in_failed', person?.id).catch(() => undefined)
        throw new Refusal('wrong_credentials')
      }
      tries.signedIn(email, address)
      await store.endOldSessions(new Date(clock.ms() - idleMs), new Date(clock.ms() - oldestMs))
      return postgres.transaction((tx) => open(tx, person))
    },
    async signOut(token: string): Promise<void> {
      await store.endSession(hashOf(token))
    },
  }
}
