import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Me } from '../contract.ts'
import { createApiKeys } from './api-keys.ts'
import { createEnrolment } from './enrolment.ts'
import { createFailures } from './failures.ts'
import { createLinks } from './links.ts'
import type { AccountNeeds } from './needs.ts'
import { createPeople } from './people.ts'
import { createSessions } from './sessions.ts'
import { createStepUp, proofMs } from './step-up.ts'
import { accountStore } from './store.ts'
import { createTries } from './tries.ts'

export type Accounts = ReturnType<typeof createAccounts>

/** Who works here: put together from sessions, proofs, second factors, API keys, people and links. */
export function createAccounts(needs: AccountNeeds) {
  const { clock } = needs
  const store = accountStore(needs.postgres)
  const tries = createTries(clock)
  const failures = createFailures(needs)
  const sessions = createSessions(needs, tries, failures)
  const proofs = createStepUp(needs, tries, failures)
  const people = createPeople(needs, proofs, tries)
  return {
    bySession: sessions.bySession,
    signIn: sessions.signIn,
    signOut: sessions.signOut,
    ...proofs,
    ...createEnrolment(needs, proofs),
    ...createApiKeys(needs, proofs),
    ...people,
    ...createLinks(needs, proofs, people, sessions.open),
    async me(caller: Caller): Promise<Me> {
      const person = await store.person(caller.accountId)
      if (person === undefined) throw new Refusal('not_found', 'There is no such person.')
      const until = caller.steppedUpAtMs === undefined ? undefined : caller.steppedUpAtMs + proofMs
      return {
        id: caller.accountId,
        name: person.name,
        email: person.email,
        side: person.side,
        roles: person.roles,
        permissions: [...caller.permissions],
        hasTotp: person.totp !== null,
        passkeys: (await store.passkeys(person.id)).length,
        steppedUpUntil: until !== undefined && until > clock.ms() ? new Date(until).toISOString() : null,
        demo: needs.demo !== undefined,
      }
    },
    demoAccounts: async () =>
      needs.demo === undefined
        ? null
        : {
            password: needs.demo.password,
            accounts: (await store.people()).map((person) => ({
              name: person.name,
              email: person.email,
              side: person.side,
              title: needs.demo?.titles[person.email] ?? person.roles.join(', '),
            })),
          },
  }
}
