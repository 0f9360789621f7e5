import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Failures } from './failures.ts'
import { checkPassword } from './passwords.ts'
import { authenticationOptions, finishAuthentication, partyOf, totpStep } from './second-factors.ts'
import type { AccountNeeds } from './needs.ts'
import { accountStore, type PersonRow } from './store.ts'
import type { Tries } from './tries.ts'

/** How long a proof of presence, a password proof and a challenge hold. */
export const proofMs = 5 * 60_000

export type Proof =
  | { method: 'totp'; code: string }
  | { method: 'password'; password: string }
  | { method: 'passkey'; answer: Record<string, unknown> }

/** The session that a proof is about. @throws Refusal('key_refused') for an API key */
export function sessionOf(caller: Caller): string {
  if (caller.kind !== 'person' || caller.sessionId === undefined)
    throw new Refusal('key_refused', 'An API key cannot prove that a person is there: a person must do this.')
  return caller.sessionId
}

/** Fresh proofs that the person of a session is there. */
export function createStepUp(needs: AccountNeeds, tries: Tries, failures: Failures) {
  const { postgres, clock, secrets } = needs
  const store = accountStore(postgres)
  const person = async (caller: Caller): Promise<PersonRow> => {
    const found = await store.person(caller.accountId)
    if (found === undefined) throw new Refusal('not_found', 'There is no such person.')
    return found
  }
  /** In the demo company the password is enough for whoever has no second factor; the key then says so. */
  const passwordIsEnough = (row: PersonRow, passkeys: number) =>
    needs.demo !== undefined && row.totp === null && passkeys === 0

  /** What is wrong with a proof; undefined when it holds. */
  async function wrongWith(row: PersonRow, sessionId: string, proof: Proof): Promise<string | undefined> {
    if (proof.method === 'totp') {
      const step =
        row.totp === null ? undefined : totpStep(secrets.open(row.totp, `totp|${row.id}`), proof.code, clock.ms())
      const held = step !== undefined && (await store.takeTotpStep(row.id, step))
      return held ? undefined : 'The code is not right, or was used already. Try again with a new one.'
    }
    const keys = await store.passkeys(row.id)
    if (proof.method === 'password') {
      if (!passwordIsEnough(row, keys.length))
        return 'A password is not enough here. Use your passkey or a code of your authenticator.'
      return (await checkPassword(proof.password, row.password)) ? undefined : 'The password is not right.'
    }
    const challenge = await store.takeChallenge(sessionId, 'step-up', clock.now())
    const used =
      challenge === undefined
        ? undefined
        : await finishAuthentication(partyOf(needs.publicUrl()), proof.answer, challenge, keys).catch(() => undefined)
    if (used === undefined) return 'The passkey does not prove that it is you. Try again.'
    await store.countPasskey(used.id, used.counter)
    return undefined
  }

  return {
    async startStepUp(caller: Caller) {
      const sessionId = sessionOf(caller)
      const row = await person(caller)
      const keys = await store.passkeys(row.id)
      const options = keys.length > 0 ? await authenticationOptions(partyOf(needs.publicUrl()), keys) : undefined
      if (options !== undefined)
        await store.challengeSession(sessionId, 'step-up', options.challenge, new Date(clock.ms() + proofMs))
      return {
        totp: row.totp !== null,
        password: passwordIsEnough(row, keys.length),
        passkey: options === undefined ? null : { ...options },
      }
    },
    /** @throws Refusal('wrong_credentials'), Refusal('too_many_tries') */
    async confirmStepUp(caller: Caller, proof: Proof): Promise<Caller> {
      const sessionId = sessionOf(caller)
      tries.proof(caller.accountId, sessionId)
      const wrong = await wrongWith(await person(caller), sessionId, proof)
      if (wrong !== undefined) {
        await failures.note('account.step_up_failed', caller.accountId)
        throw new Refusal('wrong_credentials', wrong)
      }
      tries.proved(caller.accountId, sessionId)
      if (proof.method === 'password') await store.passwordProved(sessionId, clock.now())
      await store.stepUpSession(sessionId, clock.now(), proof.method)
      return { ...caller, steppedUpAtMs: clock.ms() }
    },
    /** The password once more, for five minutes: what setting up a first second factor needs. It is no step-up. */
    async confirmPassword(caller: Caller, password: string): Promise<void> {
      const sessionId = sessionOf(caller)
      tries.proof(caller.accountId, sessionId)
      if (!(await checkPassword(password, (await person(caller)).password))) {
        await failures.note('account.step_up_failed', caller.accountId)
        throw new Refusal('wrong_credentials', 'The password is not right.')
      }
      tries.proved(caller.accountId, sessionId)
      await store.passwordProved(sessionId, clock.now())
    },
    /** Passes only when this session proved within five minutes that its person is there. @throws Refusal('step_up') */
    stepUp(caller: Caller): void {
      sessionOf(caller)
      if (caller.steppedUpAtMs === undefined || clock.ms() - caller.steppedUpAtMs > proofMs)
        throw new Refusal('step_up')
    },
    /** How this session last proved it, for the record of a key. */
    async stepUpMethod(caller: Caller): Promise<string> {
      return (await store.stepUpMethod(caller.sessionId ?? '')) ?? 'unknown'
    },
  }
}
export type StepUp = ReturnType<typeof createStepUp>
