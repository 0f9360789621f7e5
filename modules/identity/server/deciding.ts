import { priorityOf } from '../../../lib/identifiers/identifiers.ts'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { Decided } from '../contract.ts'
import type { Identity, Verdict } from './service.ts'
import { identityStore, type IdentifierRow } from './store.ts'

/** Says of two groups of identifiers that they are two people, or one. */
export interface Deciding {
  /** @throws Refusal not_found, bad_input when they are none or all of this person's */
  split(caller: Caller, profile: Id<'profile'>, nos: readonly number[], because: string): Promise<Decided>
  /** @throws Refusal not_found, conflict when they are one already */
  join(caller: Caller, profile: Id<'profile'>, other: Id<'profile'>, because: string): Promise<Decided>
}

/** @param followed brings up to date whoever keeps a copy of who is who */
export function createDeciding(needs: {
  postgres: Postgres
  identity: Pick<Identity, 'decide' | 'canonical' | 'profileOf'>
  audit: Audit
  followed: () => Promise<void>
}): Deciding {
  const { identity, audit } = needs
  const store = identityStore(needs.postgres)

  async function of(profile: Id<'profile'>): Promise<{ id: Id<'profile'>; rows: IdentifierRow[] }> {
    const id = await identity.canonical(profile)
    const rows = id === undefined ? [] : await store.identifiersOf(id)
    if (id === undefined || rows.length === 0) throw new Refusal('not_found', 'There is no such person.')
    // Of each side the strongest first: whom the decision is about, when they go different ways later.
    return { id, rows: rows.sort((one, two) => priorityOf(one.type) - priorityOf(two.type) || one.no - two.no) }
  }

  async function decide(
    caller: Caller,
    kind: Verdict['kind'],
    left: readonly IdentifierRow[],
    right: readonly IdentifierRow[],
    because: string,
  ): Promise<Decided> {
    const nos = (rows: readonly IdentifierRow[]) => rows.map((row) => row.no)
    // The audit log is for ever, so it holds no address and no name: by their numbers they are found while they are there. The reason stands with the decision.
    const named = (rows: readonly IdentifierRow[]) =>
      rows.length > 3
        ? `${String(rows.length)} identifiers`
        : rows.map((row) => row.type.replaceAll('_', ' ')).join(', ')
    const before = new Set([...left, ...right].map((row) => row.profile_id))
    await identity.decide({ kind, left: nos(left), right: nos(right), because, by: caller.accountId }, async (tx) => {
      for (const id of before)
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: kind === 'split' ? 'profile.split' : 'profile.joined',
          object: { kind: 'profile', id },
          summary:
            kind === 'split'
              ? `told two people apart: ${named(left)} from ${named(right)}`
              : `made one person of two: ${named(left)} and ${named(right)}`,
          facts: { left: nos(left).join(' '), right: nos(right).join(' ') },
        })
    })
    await needs.followed()
    const now = (rows: readonly IdentifierRow[]) => rows.flatMap((row) => identity.profileOf(row) ?? [])[0]
    const [person, other] = [now(left), now(right)]
    if (person === undefined) throw new Refusal('not_found', 'There is no such person.')
    return { person, other: other === undefined || other === person ? null : other }
  }

  return {
    async split(caller, profile, wanted, because) {
      const { rows } = await of(profile)
      const away = rows.filter((row) => wanted.includes(row.no))
      const rest = rows.filter((row) => !wanted.includes(row.no))
      if (away.length < new Set(wanted).size)
        throw new Refusal('bad_input', 'Some of these identifiers are not this person’s any more; load the page again.')
      if (rest.length === 0)
        throw new Refusal(
          'bad_input',
          'These are all identifiers of this person; leave one, to say from whom the others are apart.',
        )
      return decide(caller, 'split', rest, away, because)
    },
    async join(caller, profile, other, because) {
      const [one, two] = [await of(profile), await of(other)]
      if (one.id === two.id) throw new Refusal('conflict', 'They are one person already.')
      return decide(caller, 'join', one.rows, two.rows, because)
    },
  }
}
