import type { Id } from '../../../lib/ids/ids.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { roles as roleTable, type Role } from '../contract.ts'
import type { PersonRow } from './store.ts'

/** What these roles give together. Whoever wears both hats holds no key, whatever else is held. */
export function permissionsOf(held: readonly Role[]): Set<string> {
  const all = new Set<string>(held.flatMap((role) => [...roleTable[role]]))
  if (held.includes('technologist')) for (const key of ['keys.give', 'keys.protect']) all.delete(key)
  return all
}

/** A person as the one who asks, with what their roles give now. */
export function callerOf(person: PersonRow, rest: Partial<Caller> = {}): Caller {
  return {
    kind: 'person',
    accountId: person.id as Id<'account'>,
    name: person.name,
    side: person.side,
    roles: person.roles,
    permissions: permissionsOf(person.roles),
    sessionId: undefined,
    steppedUpAtMs: undefined,
    ...rest,
  }
}
