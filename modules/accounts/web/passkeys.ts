import {
  startAuthentication,
  startRegistration,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/browser'

/**
 * The browser's half of passkeys. What it and its counterpart on the server say to each other passes through the contract unread, as JSON without
 * a form of ours; only here does it get its type back.
 */
type Json = Record<string, unknown>

/** Makes a passkey. @throws when it was cancelled or cannot be */
export async function makePasskey(options: Json): Promise<Json> {
  const optionsJSON = options as unknown as PublicKeyCredentialCreationOptionsJSON
  return { ...(await startRegistration({ optionsJSON })) }
}

/** Signs a challenge with a passkey. @throws when it was cancelled or cannot be */
export async function signWithPasskey(options: Json): Promise<Json> {
  const optionsJSON = options as unknown as PublicKeyCredentialRequestOptionsJSON
  return { ...(await startAuthentication({ optionsJSON })) }
}
