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

/**
 * Why the browser would make no passkey under this address, and where it would; undefined when nothing is in the way. A passkey belongs to a
 * name, over https or on this machine (WebAuthn: “valid domain”, secure context).
 */
export function noPasskeysHere(
  at: Pick<URL, 'hostname' | 'href' | 'protocol'>,
): { says: string; href?: string } | undefined {
  if (/^[\d.]+$|^\[/.test(at.hostname)) {
    const named = new URL(at.href)
    named.hostname = 'localhost'
    return ['127.0.0.1', '[::1]'].includes(at.hostname)
      ? { says: `Browsers make passkeys for names alone, and ${at.hostname} is a number.`, href: named.href }
      : {
          says: `Browsers make passkeys for names alone, and ${at.hostname} is a number: open this server by its name, or use an authenticator.`,
        }
  }
  if (at.protocol !== 'https:' && at.hostname !== 'localhost')
    return {
      says: 'Browsers make passkeys over https alone: open this server by its https address, or use an authenticator.',
    }
  return undefined
}

/** What went wrong with a passkey, in words; the browser’s own where we have none. */
export function passkeyTrouble(error: unknown): string {
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) }
  switch (name) {
    case 'NotAllowedError':
      return 'No passkey came: it was cancelled, or it took too long. Try again.'
    case 'InvalidStateError':
      return 'This passkey is here already.'
    default:
      return `The browser says: ${message}`
  }
}

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
