import type { Log } from '../../../platform/log/log.ts'
import { isOlder, strongest, type Batch } from './batch.ts'
import type { Graph } from './graph.ts'
import { settle, type Known, type Pair, type Said } from './settle.ts'
import { isDevice } from './standing.ts'
import type { IdentityStore } from './store.ts'

/** More identifiers than this are not looked at together: who is who further away stays what it was. */
const mostTogether = 20_000

/** Everything that bears on who some identifiers are. */
interface Region {
  known: Map<number, Known>
  pairs: Pair[]
  said: Said[]
}

/**
 * Works out anew who the unsettled identifiers of a batch are, from everything that was seen and decided, and changes memory to it. What the batch itself saw must
 * be in the store already.
 */
export async function resettle(needs: {
  graph: Graph
  batch: Batch
  store: IdentityStore
  log: Log
  ids: { decision(): string }
  at: Date
}): Promise<void> {
  const { graph, batch, store, at } = needs
  const { facts } = batch
  if (facts.unsettled.size === 0) return
  const region = await gather(needs)
  const settled = settle(region.known, region.pairs, region.said)

  for (const { no, settled: before } of region.known.values()) if (before?.elsewhere !== true) batch.remember(no)
  const shares = [...settled.shared].filter(([no]) => region.known.get(no)?.settled === undefined)
  const nowShared = new Set(shares.map(([no]) => no))
  for (const [no, { home, homeMs, because }] of shares) {
    if (!graph.isShared(no)) {
      graph.setShared(no, true)
      facts.shared.add(no)
      facts.decisions.push({
        id: needs.ids.decision(),
        kind: 'share',
        identifiers: [no],
        others: [],
        because: `${because} from then on`,
        ...origin(no),
        decidedBy: null,
        at,
      })
      if (isDevice({ type: graph.typeOf(no) })) facts.turns.add(no)
      handDown(no)
    }
    facts.homes.set(no, home)
    facts.homesSince.set(no, homeMs)
  }
  for (const no of facts.again)
    if (graph.isShared(no) && region.known.has(no) && !nowShared.has(no)) {
      graph.setShared(no, false)
      facts.unshared.add(no)
      facts.homes.set(no, undefined)
      if (isDevice({ type: graph.typeOf(no) })) facts.turns.add(no)
    }

  const matters = new Set([
    ...settled.refused.flatMap(({ a, b }) => [a, b]),
    ...region.said.flatMap(({ left, right }) => [...left, ...right]),
  ])
  for (const part of settled.parts) {
    const born = part.filter((no) => graph.bornOf(no) !== undefined && !settled.shared.has(no))
    const owner =
      born.length > 0 ? born.reduce((oldest, no) => (isOlder(graph, oldest, no) ? oldest : no)) : strongest(graph, part)
    graph.put(part, owner)
    graph.setContended(
      owner,
      part.some((no) => matters.has(no)),
    )
  }

  const refused = settled.refused.map((row) => (row.a < row.b ? row : { ...row, a: row.b, b: row.a }))
  const now = new Set(refused.map(({ a, b }) => `${String(a)} ${String(b)}`))
  const before = await store.refusalsAmong([...region.known.keys()])
  await store.dropRefusals(before.filter(({ a, b }) => !now.has(`${String(a)} ${String(b)}`)))
  for (const [key, { a, b }] of facts.refusals)
    if (region.known.has(a) && region.known.has(b) && !now.has(key)) facts.refusals.delete(key)
  for (const row of refused) facts.refusals.set(`${String(row.a)} ${String(row.b)}`, row)

  function origin(no: number): { sourceId: string; messageId: string } {
    const last = [...facts.observations.values()].reverse().find(({ a, b }) => a === no || b === no)
    return { sourceId: last?.sourceId ?? '', messageId: last?.messageId ?? '' }
  }

  /** A device that turns out to be used by two people leaves its profile's id to the person: it is their name everywhere. */
  function handDown(no: number): void {
    const owner = graph.ownerOf(no)
    if (owner !== no || !isDevice({ type: graph.typeOf(no) })) return
    const others = [...graph.members(no)].filter((other) => other !== no && !graph.isShared(other))
    if (others.length === 0) return
    const bare = others.filter((other) => graph.bornOf(other) === undefined)
    const heir = strongest(graph, bare.length > 0 ? bare : others)
    const [own, theirs] = [graph.bornOf(no), graph.bornOf(heir)]
    graph.setBorn(heir, own)
    graph.setBorn(no, theirs)
    facts.handedDown.add(heir).add(no)
  }
}

/** All that hangs together with the unsettled identifiers, over everything but what is shared. */
async function gather({
  graph,
  batch,
  store,
  log,
}: {
  graph: Graph
  batch: Batch
  store: IdentityStore
  log: Log
}): Promise<Region> {
  const { facts } = batch
  const inside = new Set<number>()
  const edges = new Map<string, Pair>()
  const settledOnes = new Set<number>()
  let frontier = new Set<number>()
  const isSettled = (no: number) => graph.isShared(no) && !facts.again.has(no)
  const reach = (members: Iterable<number>) => {
    for (const member of members) {
      if (inside.has(member)) continue
      inside.add(member)
      // What is shared joins nobody, whatever else it is seen with: no need to look behind it.
      if (isSettled(member)) settledOnes.add(member)
      else frontier.add(member)
    }
  }
  for (const no of facts.unsettled) reach(graph.members(no))
  while (frontier.size > 0) {
    const some = [...frontier]
    frontier = new Set()
    for (const pair of await store.pairsOf(some)) {
      edges.set(`${String(pair.a)} ${String(pair.b)} ${String(pair.standing)}`, pair)
      if (inside.size > mostTogether) continue
      for (const no of [pair.a, pair.b]) reach(isSettled(no) ? [no] : graph.members(no))
    }
  }
  if (inside.size > mostTogether)
    log.warn('Identifiers hang together that are too many to be looked at at once.', { identifiers: inside.size })

  const nos = [...inside]
  const rows = await store.identifiers(nos.filter((no) => !facts.identifiers.has(no)))
  const known = new Map<number, Known>()
  for (const row of rows)
    known.set(row.no, {
      no: row.no,
      type: row.type,
      value: row.value,
      firstMs: graph.firstMsOf(row.no),
      standing: graph.standingOf(row.no),
      ...(settledOnes.has(row.no) ? { settled: { home: facts.homes.get(row.no) ?? row.home ?? undefined } } : {}),
    })
  for (const no of nos) {
    const one = facts.identifiers.get(no)
    if (one === undefined) continue
    const { type, value } = one
    const settledNow = settledOnes.has(no) ? { settled: { home: facts.homes.get(no) } } : {}
    known.set(no, { no, type, value, firstMs: graph.firstMsOf(no), standing: graph.standingOf(no), ...settledNow })
  }
  // What is shared and stays with somebody who is not looked at stays there.
  for (const no of settledOnes) {
    const one = known.get(no)
    if (one?.settled !== undefined && graph.members(no).some((member) => !inside.has(member)))
      one.settled = { home: undefined, elsewhere: true }
  }
  return { known, pairs: [...edges.values()], said: await store.saidOf([...known.keys()]) }
}
