import { settle, type Known, type Pair, type Said } from '../../../modules/identity/server/settle.ts'
import type { Standing } from '../../../modules/identity/server/standing.ts'
import { aPropertyHouse, type PropertyHouse } from '../house.ts'
import { drawStory, eventIn, shuffled, valueIn, type Story, type Told } from '../stories.ts'
import { stateOf, type State } from '../state.ts'

export const summary =
  'who is who: the order of arrival does not matter, a merge that is undone has never been, no two user ids without a person’s word'

/** Stories that are told side by side, so that a batch has many of them. */
const together = 1_000

/** What went wrong in one story. */
interface Broken {
  seed: number
  what: string
  one: unknown
  other: unknown
}

export async function run(
  say: (line: string) => void,
  { seeds, from }: { seeds: number; from: number },
): Promise<boolean> {
  const house = await aPropertyHouse()
  const began = performance.now()
  const broken: Broken[] = []
  const seen = { events: 0, identifiers: 0, refusals: 0, shared: 0, undone: 0, merges: 0 }
  try {
    for (let first = from; first < from + seeds; first += together) {
      const stories = Array.from({ length: Math.min(together, from + seeds - first) }, (_, n) => drawStory(first + n))
      broken.push(...(await tellAll(house, stories, seen)))
      if (broken.length > 20) break
      say(
        `${String(first + stories.length - from).padStart(7)} stories, ${((performance.now() - began) / 1_000).toFixed(0)} s${broken.length > 0 ? `, ${String(broken.length)} broken` : ''}`,
      )
    }
  } finally {
    await house.close()
  }
  for (const [what, some] of Map.groupBy(broken, (row) => row.what))
    say(`${what}: seeds ${some.map(({ seed }) => String(seed)).join(', ')}`)
  for (const { seed, what, one, other } of broken.slice(0, 3))
    say(`seed ${String(seed)}: ${what}\n${onlyIn(one, other)}\n  but\n${onlyIn(other, one)}`)
  say(
    `${String(seen.events)} events, ${String(seen.identifiers)} identifiers, ${String(seen.refusals)} refused links, ${String(seen.shared)} shared identifiers; ${String(seen.merges)} merges undone of ${String(seen.undone)} links told apart`,
  )
  say(
    broken.length === 0
      ? 'Everything held.'
      : `Did not hold for ${String(new Set(broken.map(({ seed }) => seed)).size)} seeds.`,
  )
  return broken.length === 0
}

/** Of a list, what the other one has not. */
function onlyIn(one: unknown, other: unknown): string {
  const theirs = new Set(Array.isArray(other) ? other.map((row) => JSON.stringify(row)) : [])
  return JSON.stringify(Array.isArray(one) ? one.filter((row) => !theirs.has(JSON.stringify(row))) : one)
}

type Seen = Record<'events' | 'identifiers' | 'refusals' | 'shared' | 'undone' | 'merges', number>

async function tellAll(house: PropertyHouse, stories: readonly Story[], seen: Seen): Promise<Broken[]> {
  const broken: Broken[] = []
  const report = (story: Story, what: string, one: unknown, other: unknown) => {
    if (JSON.stringify(one) !== JSON.stringify(other)) broken.push({ seed: story.seed, what, one, other })
  }

  // a: as it happened, people deciding in between; b: in any order, people deciding at the end.
  await tell(house, 'a', stories, (story) => story.events, true)
  await decideAll(house, 'a', stories)
  await tell(house, 'b', stories, (story) => shuffled(story.events, story.random))
  await decideAll(house, 'b', stories)
  // c: then a link between two people, which is undone.
  await tell(house, 'c', stories, (story) => shuffled(story.events, story.random))
  await decideAll(house, 'c', stories)
  const [a, b, before] = [
    await stateOf(house, 'a', stories),
    await stateOf(house, 'b', stories),
    await stateOf(house, 'c', stories),
  ]
  const links = new Map(
    stories.flatMap((story) => {
      const found = linkOf(story, of(before, story))
      return found === undefined ? [] : [[story, found] as const]
    }),
  )
  const linked = [...links.keys()]
  await tell(house, 'c', linked, (story) => [links.get(story)?.event].flatMap((event) => event ?? []))
  const merged = await stateOf(house, 'c', linked)
  await Promise.all(linked.map((story) => splitIn(house, 'c', story, links.get(story))))
  // d: the two were told apart before the link came.
  await tell(house, 'd', linked, (story) => shuffled(story.events, story.random))
  await decideAll(house, 'd', linked)
  await Promise.all(linked.map((story) => splitIn(house, 'd', story, links.get(story))))
  await tell(house, 'd', linked, (story) => [links.get(story)?.event].flatMap((event) => event ?? []))
  await house.profiles.follow()
  const [after, d] = [await stateOf(house, 'c', linked), await stateOf(house, 'd', linked)]

  for (const story of stories) {
    const [one, other] = [of(a, story), of(b, story)]
    report(story, 'the order of arrival matters', one.people, other.people)
    report(story, 'the order of arrival matters for what was refused', one.refused, other.refused)
    report(story, 'an event was lost', Object.keys(one.eventOf).length, story.events.length)
    report(
      story,
      'what is kept is not what follows from the facts',
      one.people.map(({ is }) => is),
      oracle(one),
    )
    report(story, 'two user ids are one person without a word of a colleague', usersTogether(one), [])
    report(story, 'a link counts for nothing and nothing says why', unexplained(one), [])
    seen.events += story.events.length * 4
    seen.identifiers += one.identifiers.length
    seen.refusals += one.refused.length
    seen.shared += one.identifiers.filter((row) => row.shared).length
  }
  for (const story of linked) {
    const [was, now, is] = [of(before, story), of(after, story), of(d, story)]
    report(story, 'a link that was undone is not as if it had never been', now.people, is.people)
    report(
      story,
      'a link that was undone is not as if it had never been, for what was refused',
      now.refused,
      is.refused,
    )
    seen.undone += 1
    if (new Set(Object.values(of(merged, story).profileOf)).size < new Set(Object.values(was.profileOf)).size)
      seen.merges += 1
    // Where the link proved an identifier better than it was, or who is told apart is no longer shared by them, the facts are others than before.
    const proofs = (state: State) => JSON.stringify(state.identifiers.map((row) => [row.standing, row.shared]))
    if (proofs(was) !== proofs(now)) continue
    report(story, 'somebody has another profile id than before the link that was undone', now.profileOf, was.profileOf)
  }
  return broken
}

const of = (states: ReadonlyMap<number, State>, story: Story): State => {
  const found = states.get(story.seed)
  if (found === undefined) throw new Error(`Nothing is left of story ${String(story.seed)}.`)
  return found
}

/**
 * Tells events of all stories side by side: the first of each, then the second. Where nobody decides in between, one story in three is told two events at a time, and
 * one three, so that one batch has them.
 */
async function tell(
  house: PropertyHouse,
  world: string,
  stories: readonly Story[],
  eventsOf: (story: Story) => readonly Told[],
  decides = false,
): Promise<void> {
  const all = stories.map((story) => ({
    story,
    events: eventsOf(story),
    atOnce: decides ? 1 : 1 + (story.seed % 3),
  }))
  const most = Math.max(0, ...all.map(({ events, atOnce }) => Math.ceil(events.length / atOnce)))
  for (let n = 0; n < most; n++) {
    await house.say(
      all.flatMap(({ story, events, atOnce }) =>
        events.slice(n * atOnce, (n + 1) * atOnce).map((told) => eventIn(world, story.seed, told)),
      ),
    )
    if (decides) await Promise.all(all.map(({ story }) => decideUpTo(house, world, story, n)))
  }
}

/** What people decided: each as soon as it may be, never before an earlier one. */
const decided = new Map<string, number>()
async function decideUpTo(house: PropertyHouse, world: string, story: Story, event: number): Promise<void> {
  const key = `${world} ${String(story.seed)}`
  for (let at = decided.get(key) ?? 0; at < story.decisions.length; at++) {
    const decision = story.decisions[at]
    if (decision === undefined || decision.after > event) return
    const [left, right] = [
      await house.numberOf(valueIn(world, story.seed, decision.left)),
      await house.numberOf(valueIn(world, story.seed, decision.right)),
    ]
    if (left === undefined || right === undefined) return
    await house.identity.decide({
      kind: decision.kind,
      left: [left],
      right: [right],
      because: 'a story',
      by: 'account_story',
    })
    decided.set(key, at + 1)
  }
}
async function decideAll(house: PropertyHouse, world: string, stories: readonly Story[]): Promise<void> {
  await Promise.all(stories.map((story) => decideUpTo(house, world, story, Number.POSITIVE_INFINITY)))
  await house.profiles.follow()
}

interface LinkBetween {
  event: Told
  left: string[]
  right: string[]
}

/** An event that names two people, and who they were. */
function linkOf(story: Story, state: State): LinkBetween | undefined {
  const free = state.identifiers.filter((row) => !row.shared)
  const one = free[Math.floor(story.random() * free.length)]
  const others = free.filter((row) => row.profile !== one?.profile && row.type !== one?.type)
  const other = others[Math.floor(story.random() * others.length)]
  if (one === undefined || other === undefined) return undefined
  const side = (profile: string) => state.identifiers.filter((row) => row.profile === profile).map((row) => row.name)
  const last = Math.max(...story.events.map(({ atMs }) => atMs))
  return {
    event: {
      id: 'link',
      from: 'trusted',
      type: 'identify',
      names: [one.name, other.name],
      traits: { linked: 'yes' },
      atMs: last + 1_000,
    },
    left: side(one.profile),
    right: side(other.profile),
  }
}

async function splitIn(
  house: PropertyHouse,
  world: string,
  story: Story,
  link: LinkBetween | undefined,
): Promise<void> {
  if (link === undefined) return
  const numbers = async (names: readonly string[]) => {
    const found: number[] = []
    for (const name of names) {
      const no = await house.numberOf(valueIn(world, story.seed, name))
      if (no !== undefined) found.push(no)
    }
    return found
  }
  await house.identity.decide({
    kind: 'split',
    left: await numbers(link.left),
    right: await numbers(link.right),
    because: 'a story',
    by: 'account_story',
  })
}

/** What follows from everything that was seen and decided, worked out at once. */
function oracle(state: State): string[][] {
  const nameOf = new Map(state.identifiers.map((row) => [row.no, row.name]))
  const known = new Map<number, Known>(
    state.identifiers.map((row) => [
      row.no,
      { no: row.no, type: row.type, value: row.value, firstMs: row.firstMs, standing: row.standing as Standing },
    ]),
  )
  const { parts } = settle(known, state.pairs as Pair[], state.decisions as Said[])
  return parts
    .map((part) => part.map((no) => nameOf.get(no) ?? '').sort())
    .sort((one, other) => ((one[0] ?? '') < (other[0] ?? '') ? -1 : 1))
}

/** People with two user ids of whom nobody said that they are one. */
function usersTogether(state: State): string[][] {
  const nos = new Map(state.identifiers.map((row) => [row.name, row.no]))
  return state.people
    .map(({ is }) => is)
    .filter((is) => is.filter((name) => name.startsWith('user_id ')).length > 1)
    .filter((is) => {
      const inside = new Set(is.map((name) => nos.get(name)))
      return !state.decisions.some(
        (said) => said.kind === 'join' && [...said.left, ...said.right].every((no) => inside.has(no)),
      )
    })
}

/** Pairs that were seen together, are two people's, and of which nothing says why. */
function unexplained(state: State): string[] {
  const row = new Map(state.identifiers.map((one) => [one.no, one]))
  const said = new Set(state.refused.map(({ a, b }) => [a, b].sort().join(' ')))
  return state.pairs.flatMap(({ a, b }) => {
    const [one, other] = [row.get(a), row.get(b)]
    if (one === undefined || other === undefined || one.profile === other.profile || one.shared || other.shared)
      return []
    const key = [one.name, other.name].sort().join(' ')
    return said.has(key) ? [] : [key]
  })
}
