import { roles, type Role, type Side } from '../../modules/accounts/contract.ts'
import type { Accounts } from '../../modules/accounts/server/index.ts'
import type { Caller } from '../../platform/http/caller.ts'
import type { Postgres } from '../../platform/postgres/postgres.ts'
import { systemClock } from '../../platform/clock/clock.ts'

let count = 0

/** A person who works here, with an awkward name, signed in and (unless told otherwise) freshly stepped up. */
export async function aCaller(
  accounts: Accounts,
  postgres: Postgres,
  side: Side,
  held: Role[],
  nowMs = systemClock.ms(),
): Promise<Caller> {
  count += 1
  const id = await postgres.transaction((tx) =>
    accounts.createPerson(tx, {
      email: `siobhán.${String(count)}@fjörd.example`,
      name: `Siobhán D’Arcy-Łoś ${String(count)}`,
      side,
      roles: held,
      password: 'correct horse battery',
    }),
  )
  return {
    kind: 'person',
    accountId: id,
    name: `Siobhán D’Arcy-Łoś ${String(count)}`,
    side,
    roles: held,
    permissions: new Set(held.flatMap((role) => [...roles[role]])),
    sessionId: `session_${String(count)}`,
    steppedUpAtMs: nowMs,
  }
}

/** Somebody whose permissions were looked at before, for services that only note who it was. */
export const somebody: Caller = {
  kind: 'person',
  accountId: 'account_1' as Caller['accountId'],
  name: 'Åsa',
  side: 'it',
  roles: [],
  permissions: new Set(),
  sessionId: undefined,
  steppedUpAtMs: undefined,
}
