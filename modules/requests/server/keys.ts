import type { Id } from '../../../lib/ids/ids.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { KeyKind } from '../../policy/contract.ts'
import type { KeyRecord, RequestRecord } from './store.ts'

/** Keys that stand on the present release: neither void nor withdrawn nor expired. */
export function standingKeys(request: RequestRecord, keys: readonly KeyRecord[], nowMs: number): KeyRecord[] {
  return keys.filter(
    (key) =>
      key.release_hash === request.release_hash &&
      key.voided_at === null &&
      key.withdrawn_at === null &&
      key.expires_at.getTime() > nowMs,
  )
}

/** The kinds of key that the present release still waits for. */
export function missingKeys(request: RequestRecord, keys: readonly KeyRecord[], nowMs: number): KeyKind[] {
  const standing = new Set(standingKeys(request, keys, nowMs).map((key) => key.kind))
  return request.needed.filter((kind) => !standing.has(kind))
}

/**
 * Why this person cannot give this key, in one sentence; null when they can. Separation of duties: the side is that of the account; requester and
 * last editors give none; two keys are two people; an API key never signs.
 */
export function whyNotKey(of: {
  request: Pick<RequestRecord, 'state' | 'needed' | 'requester' | 'release_hash'>
  editors: readonly string[]
  keys: readonly KeyRecord[]
  kind: KeyKind
  caller: Pick<Caller, 'kind' | 'accountId' | 'side' | 'roles'>
}): string | null {
  const { request, caller, kind } = of
  if (caller.kind !== 'person') return 'An API key cannot give a key: a person must.'
  if (request.state !== 'waiting' && request.state !== 'ready')
    return `This request is ${request.state}; no key is needed.`
  if (!request.needed.includes(kind)) return 'This key is not needed.'
  if (caller.roles.includes('technologist')) return 'A technologist works on both sides and holds no key of either.'
  if (kind === 'protection' && !caller.roles.includes('protection'))
    return 'This key is given by someone with the role “protection”.'
  if (kind !== 'protection' && !caller.roles.includes('approver'))
    return 'A key is given by someone with the role “approver”.'
  if (kind !== 'protection' && caller.side !== kind)
    return `This key is given by ${kind === 'it' ? 'IT' : 'Marketing'}; you are of ${caller.side === 'it' ? 'IT' : 'Marketing'}.`
  if (request.requester === caller.accountId) return 'You asked for this, so somebody else must give the key.'
  if (of.editors.includes(caller.accountId)) return 'You edited part of this last, so somebody else must give the key.'
  const standing = of.keys.filter(
    (key) => key.release_hash === request.release_hash && key.voided_at === null && key.withdrawn_at === null,
  )
  if (standing.some((key) => key.kind === kind)) return 'This key is given already.'
  if (standing.some((key) => key.person_id === caller.accountId))
    return 'You gave a key already; two keys are two people.'
  return null
}

/** The names of those who could give this key today. */
export function couldGive(of: {
  request: Parameters<typeof whyNotKey>[0]['request']
  editors: readonly string[]
  keys: readonly KeyRecord[]
  kind: KeyKind
  approvers: readonly { id: string; name: string; side: 'marketing' | 'it'; roles: string[] }[]
}): string[] {
  return of.approvers
    .filter(
      ({ id, side, roles }) =>
        whyNotKey({ ...of, caller: { kind: 'person', accountId: id as Id<'account'>, side, roles } }) === null,
    )
    .map(({ name }) => name)
}
