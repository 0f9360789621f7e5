import { crc32 } from 'node:zlib'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { actorOf } from '../../audit/server/index.ts'
import { keyScopes, type ApiKey, type KeyScope } from '../contract.ts'
import { callerOf, permissionsOf } from './caller.ts'
import type { AccountNeeds } from './needs.ts'
import type { StepUp } from './step-up.ts'
import { accountStore, type ApiKeyRow } from './store.ts'
import { hashOf } from './tokens.ts'

const show = (row: ApiKeyRow): ApiKey => ({
  id: row.id as Id<'key'>,
  name: row.name,
  scopes: row.scopes,
  prefix: row.prefix,
  createdAt: row.created_at.toISOString(),
  expiresAt: row.expires_at?.toISOString() ?? null,
  lastUsedAt: row.last_used_at?.toISOString() ?? null,
  revokedAt: row.revoked_at?.toISOString() ?? null,
})
const grantable: readonly string[] = keyScopes

/** Keys of programs: `il_<8 of the id>_<192 bits>_<CRC-32>`, kept as a hash, with at most the rights of their person and never a signature. */
export function createApiKeys(needs: AccountNeeds, { stepUp }: Pick<StepUp, 'stepUp'>) {
  const { postgres, clock, random, audit } = needs
  const store = accountStore(postgres)
  return {
    /** Who an API key belongs to, with no more rights than its scopes. */
    async byApiKey(key: string): Promise<Caller | undefined> {
      const match = /^il_[0-9a-z]{8}_([A-Za-z0-9_-]{32})_([0-9a-f]{8})$/.exec(key)
      if (match === null || crc32(key.slice(0, -9)).toString(16).padStart(8, '0') !== match[2]) return undefined
      const found = await store.useApiKey(hashOf(key), clock.now())
      if (found === undefined || found.person.disabled_at !== null) return undefined
      const own = permissionsOf(found.person.roles)
      return callerOf(found.person, {
        kind: 'api-key',
        permissions: new Set(found.scopes.filter((scope) => own.has(scope) && grantable.includes(scope))),
      })
    },
    apiKeys: async (caller: Caller): Promise<ApiKey[]> => (await store.apiKeys(caller.accountId)).map(show),
    async makeApiKey(
      caller: Caller,
      name: string,
      scopes: KeyScope[],
      days: number | undefined,
    ): Promise<{ key: string; row: ApiKey }> {
      stepUp(caller)
      const beyond = scopes.filter((scope) => !caller.permissions.has(scope) || !grantable.includes(scope))
      if (beyond.length > 0)
        throw new Refusal(
          'not_allowed',
          `A key can do at most what you can, never sign and never administer; leave out ${beyond.join(', ')}.`,
        )
      const id = needs.ids.next('key')
      const front = `il_${id.slice(-8)}_${Buffer.from(random.bytes(24)).toString('base64url')}`
      const key = `${front}_${crc32(front).toString(16).padStart(8, '0')}`
      const row: ApiKeyRow = {
        id,
        person_id: caller.accountId,
        name,
        prefix: key.slice(0, 11),
        scopes: [...new Set(scopes)],
        created_at: clock.now(),
        expires_at: days === undefined ? null : new Date(clock.ms() + days * 86_400_000),
        last_used_at: null,
        revoked_at: null,
      }
      await postgres.transaction(async (tx) => {
        await accountStore(tx).insertApiKey({ ...row, secretHash: hashOf(key) })
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'api_key.made',
          object: { kind: 'key', id },
          summary: 'made an API key',
          facts: { scopes: row.scopes.join(' ') },
        })
      })
      return { key, row: show(row) }
    },
    async revokeApiKey(caller: Caller, id: Id<'key'>): Promise<void> {
      await postgres.transaction(async (tx) => {
        if (!(await accountStore(tx).revokeApiKey(id, caller.accountId, clock.now()))) throw new Refusal('not_found')
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'api_key.revoked',
          object: { kind: 'key', id },
          summary: 'revoked an API key',
        })
      })
    },
  }
}
