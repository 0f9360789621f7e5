import { idFrom, wordsOf } from '../../../lib/ids/ids.ts'
import type { Facts } from './batch.ts'
import type { Graph } from './graph.ts'
import { isContact, unproven } from './standing.ts'
import type { IdentityStore, Resolution } from './store.ts'

/** The id of the profile of an identifier's person; empty while nothing gave it one. */
export function profileIdOf(graph: Graph, no: number): string {
  const born = graph.bornOf(graph.ownerOf(no))
  return born === undefined ? '' : idFrom('profile', born)
}

/**
 * Gives every new person an id and writes down who everybody is now, and what became part of what. What a profile id meant before is told for whole profiles as long
 * as all of one went the same way; when a person was taken apart, for each of its identifiers.
 */
export async function finish(needs: {
  graph: Graph
  facts: Facts
  store: IdentityStore
  newProfile: () => string
  at: Date
}): Promise<void> {
  const { graph, facts, store, at } = needs
  const bornChanged = new Set<number>()
  const fresh: string[] = []
  for (const no of [...facts.identifiers.keys(), ...facts.before.keys()]) {
    const owner = graph.ownerOf(no)
    if (graph.bornOf(owner) !== undefined) continue
    const id = needs.newProfile()
    graph.setBorn(owner, wordsOf(id))
    bornChanged.add(owner)
    fresh.push(id)
  }

  const people = new Map<string, number[]>()
  for (const [no, profile] of facts.before) {
    const some = people.get(profile)
    if (some === undefined) people.set(profile, [no])
    else some.push(no)
  }
  const resolutions: Resolution[] = []
  const moved = new Set<number>()
  const touched = new Set<string>()
  const heirs = new Map<string, string>(
    [...facts.handedDown].flatMap((no) => {
      const born = graph.bornOf(no)
      return born === undefined ? [] : [[idFrom('profile', born), profileIdOf(graph, no)] as const]
    }),
  )
  for (const [from, members] of people) {
    const now = new Set<string>(members.map((no) => profileIdOf(graph, no)))
    // Whoever was given the profile's id may be new, and so not among those who had it.
    const apart = now.size > 1 || !now.has(heirs.get(from) ?? [...now][0] ?? '')
    for (const no of members) {
      const now = profileIdOf(graph, no)
      const born = graph.bornOf(no)
      if (now !== from || facts.handedDown.has(no)) {
        moved.add(no)
        if (born !== undefined) resolutions.push({ identifierNo: null, from: idFrom('profile', born), to: now })
      }
      if (apart) resolutions.push({ identifierNo: no, from, to: now })
    }
  }

  // What a person is called and reached by depends on their addresses, how well they are proven and what is shared: whoever keeps a copy hears of it.
  for (const no of [...facts.identifiers.keys(), ...facts.changed])
    if (isContact({ type: graph.typeOf(no) })) touched.add(profileIdOf(graph, no))
  for (const no of [...facts.homes.keys(), ...facts.unshared]) touched.add(profileIdOf(graph, no))
  for (const id of fresh) touched.delete(id)
  for (const { from, to } of resolutions) for (const told of [from, to]) touched.delete(told)
  for (const same of touched) resolutions.push({ identifierNo: null, from: same, to: same, only: 'touched' })

  await store.putProfiles(fresh, at)
  await store.putIdentifiers(
    [...facts.identifiers.values()].map((one) => {
      const born = graph.bornOf(one.no)
      return {
        ...one,
        profile: profileIdOf(graph, one.no),
        bornAs: born === undefined ? null : idFrom('profile', born),
        home: facts.homes.get(one.no) ?? null,
        sharedAt: graph.isShared(one.no) ? at : null,
        standing: graph.standingOf(one.no),
        at: new Date(graph.firstMsOf(one.no)),
      }
    }),
  )
  const known = new Set([...moved, ...bornChanged, ...facts.changed, ...facts.shared, ...facts.unshared])
  await store.changeIdentifiers(
    [...known].flatMap((no) => {
      if (facts.identifiers.has(no)) return []
      const born = graph.bornOf(no)
      return {
        no,
        profile: profileIdOf(graph, no),
        bornAs: born === undefined ? null : idFrom('profile', born),
        standing: graph.standingOf(no),
        sharedAt: graph.isShared(no) ? at : null,
        firstAt: new Date(graph.firstMsOf(no)),
      }
    }),
  )
  await store.putHomes(
    [...facts.homes].flatMap(([no, home]) => (facts.identifiers.has(no) ? [] : { no, home: home ?? null })),
  )
  await store.putRefusals([...facts.refusals.values()], at)
  await store.dropRefusalsOfProven(
    [...facts.proven, ...[...facts.refusals.values()].filter(({ because }) => because === unproven)],
    unproven,
  )
  await store.putDecisions(facts.decisions)
  await store.putResolutions(resolutions, at)
  await store.turnsAreDue([...facts.turns])
}
