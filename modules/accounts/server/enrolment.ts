import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { actorOf } from '../../audit/server/index.ts'
import { finishRegistration, newTotp, partyOf, registrationOptions, totpStep } from './second-factors.ts'
import type { AccountNeeds } from './needs.ts'
import { proofMs, sessionOf, type StepUp } from './step-up.ts'
import { accountStore, type PersonRow } from './store.ts'

/**
 * Setting up second factors. A further one needs a step-up with one that is there; the first needs a password proof younger than five minutes.
 * Both are asked when it begins and again, with the person locked, when it is confirmed.
 */
export function createEnrolment(needs: AccountNeeds, { stepUp }: Pick<StepUp, 'stepUp'>) {
  const { postgres, clock, random, secrets, audit } = needs
  const store = accountStore(postgres)

  /** @throws Refusal('step_up'), Refusal('password_again') */
  async function mayEnrol(tx: Postgres, caller: Caller): Promise<PersonRow> {
    const sessionId = sessionOf(caller)
    const inside = accountStore(tx)
    const person = await inside.lockPerson(caller.accountId)
    if (person === undefined) throw new Refusal('not_found', 'There is no such person.')
    if (person.totp !== null || (await inside.passkeys(person.id)).length > 0) stepUp(caller)
    else {
      const provedAt = await inside.passwordProvedAt(sessionId)
      if (provedAt === undefined || clock.ms() - provedAt.getTime() > proofMs) throw new Refusal('password_again')
    }
    return person
  }
  const begin = (caller: Caller) => postgres.transaction((tx) => mayEnrol(tx, caller))

  /** Writes the new factor; what rested on the old ones ends. */
  async function enrol(
    caller: Caller,
    method: 'totp' | 'passkey',
    write: (tx: Postgres) => Promise<void>,
  ): Promise<Caller> {
    const sessionId = sessionOf(caller)
    await postgres.transaction(async (tx) => {
      await mayEnrol(tx, caller)
      await write(tx)
      const inside = accountStore(tx)
      await inside.endSessions(caller.accountId, sessionId)
      const keysRevoked = await inside.revokeApiKeys(caller.accountId, clock.now())
      await inside.stepUpSession(sessionId, clock.now(), method)
      await audit.write(tx, {
        actor: actorOf(caller),
        deed: method === 'totp' ? 'account.totp_set' : 'account.passkey_added',
        object: { kind: 'account', id: caller.accountId },
        summary: `${method === 'totp' ? 'set up an authenticator' : 'added a passkey'}; other sessions and API keys ended`,
        facts: { keysRevoked },
      })
    })
    return { ...caller, steppedUpAtMs: clock.ms() }
  }

  return {
    async startTotp(caller: Caller) {
      const person = await begin(caller)
      const made = await newTotp(person.email, random)
      await store.challengeSession(
        sessionOf(caller),
        'totp-enrol',
        secrets.seal(made.secret, `totp|${person.id}`),
        new Date(clock.ms() + proofMs),
      )
      return made
    },
    async confirmTotp(caller: Caller, code: string): Promise<Caller> {
      const sealed = await store.takeChallenge(sessionOf(caller), 'totp-enrol', clock.now())
      if (sealed === undefined) throw new Refusal('not_now', 'Begin with a new secret.')
      const step = totpStep(secrets.open(sealed, `totp|${caller.accountId}`), code, clock.ms())
      if (step === undefined)
        throw new Refusal(
          'wrong_credentials',
          'The code is not right. Begin again and look at the clock of your telephone.',
        )
      return enrol(caller, 'totp', async (tx) => {
        await accountStore(tx).setTotp(caller.accountId, sealed, step)
      })
    },
    async startPasskey(caller: Caller) {
      const person = await begin(caller)
      const options = await registrationOptions(partyOf(needs.publicUrl()), person, await store.passkeys(person.id))
      await store.challengeSession(
        sessionOf(caller),
        'passkey-enrol',
        options.challenge,
        new Date(clock.ms() + proofMs),
      )
      return { ...options }
    },
    async confirmPasskey(caller: Caller, answer: Record<string, unknown>): Promise<Caller> {
      const challenge = await store.takeChallenge(sessionOf(caller), 'passkey-enrol', clock.now())
      const made =
        challenge === undefined
          ? undefined
          : await finishRegistration(partyOf(needs.publicUrl()), answer, challenge).catch(() => undefined)
      if (made === undefined) throw new Refusal('wrong_credentials', 'The passkey could not be checked. Begin again.')
      return enrol(caller, 'passkey', async (tx) => {
        const row = {
          id: made.id,
          person_id: caller.accountId,
          public_key: made.publicKey,
          counter: made.counter,
          transports: made.transports,
        }
        if (!(await accountStore(tx).insertPasskey({ ...row, at: clock.now() })))
          throw new Refusal('conflict', 'This passkey is registered already.')
      })
    },
  }
}
