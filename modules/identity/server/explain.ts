import type { Id } from '../../../lib/ids/ids.ts'
import { bridgesOf } from '../../../lib/links/links.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Explanation } from '../contract.ts'
import { byAlias } from './batch.ts'
import { shared } from './settle.ts'
import type { IdentityStore } from './store.ts'

/** An alias is a program's word: it makes no person of two whom the company knows as two. */
const twoUsers = 'an alias says that they are the same, and two user ids are one person only when a colleague says so'

/** How we know who this is: every identifier, what links them, what was refused or decided and why. */
export async function explain(store: IdentityStore, profile: Id<'profile'>): Promise<Explanation> {
  const identifiers = await store.identifiersOf(profile)
  if (identifiers.length === 0) throw new Refusal('not_found', 'There is no such person.')
  const nos = identifiers.map((row) => row.no)
  const [seen, notLinked, aliases, decisions, merged] = await Promise.all([
    store.observationsOf(nos),
    store.refusalsOf(nos),
    store.userAliases(nos, byAlias),
    store.decisionsOf(nos),
    store.mergedInto(profile),
  ])
  const ours = new Set(nos)
  const refused = new Set(notLinked.map((row) => `${String(row.a)} ${String(row.b)}`))
  const elsewhere = [
    ...new Set(
      [...notLinked, ...aliases, ...seen]
        .flatMap(({ a, b }) => [a, b])
        .concat(decisions.flatMap((row) => [...row.identifiers, ...row.others].slice(0, 40).map(Number)))
        .filter((no) => !ours.has(no)),
    ),
  ]
  const others = await store.identifiers(elsewhere.slice(0, 1_000))
  const joinless = new Set([...identifiers, ...others].filter((row) => row.shared_at !== null).map((row) => row.no))
  const refusals = [
    ...notLinked,
    ...aliases.map((row) => ({ ...row, because: twoUsers })),
    ...seen.flatMap(({ a, b, first_at: since }) =>
      (joinless.has(a) || joinless.has(b)) && !refused.has(`${String(a)} ${String(b)}`)
        ? [{ a, b, because: shared, since }]
        : [],
    ),
  ].slice(0, 200)
  const links = seen.filter(
    ({ a, b }) =>
      ours.has(a) && ours.has(b) && !refused.has(`${String(a)} ${String(b)}`) && !joinless.has(a) && !joinless.has(b),
  )
  const byNo = new Map([...identifiers, ...others].map((row) => [row.no, row]))
  const label = (no: number) => {
    const row = byNo.get(no)
    return row === undefined ? 'one that is gone' : `${row.type} ${row.value}`
  }
  const holds = new Map(
    bridgesOf(links.map(({ a, b }) => ({ a: String(a), b: String(b) }))).map(({ link, side }) => [
      link,
      side.map((no) => label(Number(no))),
    ]),
  )
  return {
    profileId: profile,
    identifiers: identifiers.map((row) => ({
      no: row.no,
      type: row.type,
      value: row.value,
      shared: row.shared_at !== null,
      sourceId: row.source_id,
      firstSeenAt: row.created_at.toISOString(),
    })),
    links: links.map((row, at) => ({
      a: label(row.a),
      b: label(row.b),
      rule: row.rule,
      sourceId: row.source_id,
      messageId: row.message_id,
      at: row.first_at.toISOString(),
      events: Number(row.events),
      lastAt: row.last_at.toISOString(),
      holds: holds.get(at) ?? null,
    })),
    refused: refusals.map((row) => {
      const other = byNo.get(ours.has(row.a) ? row.b : row.a)
      const elsewhereIs =
        other === undefined || other.profile_id === profile ? null : (other.profile_id as Id<'profile'>)
      return {
        a: label(row.a),
        b: label(row.b),
        because: row.because,
        since: row.since.toISOString(),
        otherProfileId: elsewhereIs,
      }
    }),
    decisions: decisions.map((row) => ({
      kind: row.kind as Explanation['decisions'][number]['kind'],
      identifiers: row.identifiers.slice(0, 20).map((no) => label(Number(no))),
      others: row.others.slice(0, 20).map((no) => label(Number(no))),
      because: row.because,
      decidedBy: row.decided_by,
      at: row.at.toISOString(),
    })),
    mergedFrom: merged.map((row) => ({ profileId: row.from_profile, at: row.at.toISOString() })),
  }
}
