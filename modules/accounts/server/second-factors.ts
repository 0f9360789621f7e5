import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type AuthenticationResponseJSON,
  type RegistrationResponseJSON,
} from '@simplewebauthn/server'
import { Secret, TOTP } from 'otpauth'
import { toDataURL } from 'qrcode'
import type { Random } from '../../../platform/random/random.ts'
import type { PasskeyRow, PersonRow } from './store.ts'

/** Time-based codes (RFC 6238: SHA-1, 30 s, 6 digits, one step of drift) and passkeys (WebAuthn). */

const periodSeconds = 30

/** A new secret for an authenticator, as text and as a picture to scan. */
export async function newTotp(email: string, random: Random): Promise<{ secret: string; uri: string; qr: string }> {
  const secret = new Secret({ buffer: Uint8Array.from(random.bytes(20)).buffer })
  const uri = new TOTP({ issuer: 'Interlock', label: email, secret, period: periodSeconds }).toString()
  return { secret: secret.base32, uri, qr: await toDataURL(uri, { margin: 1, width: 220 }) }
}

/** The time step that a code belongs to, or undefined when it is wrong. The caller must make sure that a step is used once. */
export function totpStep(secret: string, code: string, nowMs: number): number | undefined {
  const delta = new TOTP({ secret: Secret.fromBase32(secret), period: periodSeconds }).validate({
    token: code,
    timestamp: nowMs,
    window: 1,
  })
  return delta === null ? undefined : Math.floor(nowMs / 1000 / periodSeconds) + delta
}

/** The name under which passkeys are bound to this installation, from its public address. */
interface RelyingParty {
  origin: string
  id: string
}
export const partyOf = (publicUrl: string): RelyingParty => ({
  origin: new URL(publicUrl).origin,
  id: new URL(publicUrl).hostname,
})

/** What a browser needs to make a passkey, with a new challenge. */
export async function registrationOptions(
  party: RelyingParty,
  person: Pick<PersonRow, 'id' | 'email' | 'name'>,
  existing: PasskeyRow[],
) {
  return generateRegistrationOptions({
    rpName: 'Interlock',
    rpID: party.id,
    userName: person.email,
    userDisplayName: person.name,
    userID: new TextEncoder().encode(person.id),
    excludeCredentials: existing.map((key) => ({ id: key.id })),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
  })
}

/** The passkey that was made; undefined when it is not verified. @throws when the answer is not to this challenge */
export async function finishRegistration(party: RelyingParty, answer: unknown, challenge: string) {
  const verified = await verifyRegistrationResponse({
    response: answer as RegistrationResponseJSON,
    expectedChallenge: challenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    requireUserVerification: true,
  })
  if (!verified.verified) return undefined
  const { credential } = verified.registrationInfo
  return {
    id: credential.id,
    publicKey: Buffer.from(credential.publicKey).toString('base64url'),
    counter: credential.counter,
    transports: credential.transports ?? [],
  }
}

/** What a browser needs to sign with one of these passkeys, with a new challenge. */
export async function authenticationOptions(party: RelyingParty, keys: PasskeyRow[]) {
  return generateAuthenticationOptions({
    rpID: party.id,
    allowCredentials: keys.map((key) => ({ id: key.id })),
    userVerification: 'required',
  })
}

/** The passkey that answered, with its new counter; undefined when the answer is not good. */
export async function finishAuthentication(
  party: RelyingParty,
  answer: unknown,
  challenge: string,
  keys: PasskeyRow[],
): Promise<{ id: string; counter: number } | undefined> {
  const response = answer as AuthenticationResponseJSON
  const key = keys.find((other) => other.id === response.id)
  if (key === undefined) return undefined
  const verified = await verifyAuthenticationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    requireUserVerification: true,
    credential: {
      id: key.id,
      publicKey: Uint8Array.from(Buffer.from(key.public_key, 'base64url')),
      counter: key.counter,
    },
  })
  return verified.verified ? { id: key.id, counter: verified.authenticationInfo.newCounter } : undefined
}
