import type { Id } from '../../lib/ids/ids.ts'

/** Who asks. Made by modules/accounts from a session cookie or an API key; never from a body. */
export interface Caller {
  kind: 'person' | 'api-key'
  accountId: Id<'account'>
  name: string
  /** Belongs to the account; never chosen at signing. */
  side: 'marketing' | 'it'
  roles: readonly string[]
  /** Closed list in modules/accounts/contract.ts. For an API key: roles' permissions cut down to the key's scopes. */
  permissions: ReadonlySet<string>
  /** The session (for a person), so that step-up can be checked. */
  sessionId: string | undefined
  /** When this session last proved presence by passkey or TOTP, in ms since 1970. */
  steppedUpAtMs: number | undefined
}
