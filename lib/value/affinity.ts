/** What goes with what, learned from who had it: for each item the others that the same people had, the surest first. */
export interface Affinity {
  /** The items that fit best to what somebody had, which they did not have, with a score from 0 to 1; fewer where little is known. */
  nextFor(had: readonly string[], most: number): { item: string; score: number; because: string }[]
  /** Items by how many people had them: what is offered to who had nothing yet. */
  popular: readonly string[]
}

/** Two items that few people had together are not alike yet: so many people must be added for their likeness to be halved. */
const shrinkage = 5
/** Items to which an item is linked. */
const mostNear = 50
/** Somebody who had more than this is a warehouse or a robot, and says nothing about what goes with what. */
const mostOfOne = 200

/**
 * Item-to-item likeness: the cosine between who had one and who had the other, shrunk where few had both.
 * Sources: Sarwar, Karypis, Konstan and Riedl (2001), “Item-based collaborative filtering recommendation algorithms”; the shrinking of Bell and Koren (2007).
 * @param baskets what each person had, each item once
 */
export function learnAffinity(baskets: readonly (readonly string[])[]): Affinity {
  const people = new Map<string, number>()
  const together = new Map<string, Map<string, number>>()
  for (const basket of baskets) {
    const items = [...new Set(basket)]
    for (const item of items) people.set(item, (people.get(item) ?? 0) + 1)
    if (items.length > mostOfOne) continue
    for (const one of items) {
      const others = together.get(one) ?? new Map<string, number>()
      together.set(one, others)
      for (const other of items) if (other !== one) others.set(other, (others.get(other) ?? 0) + 1)
    }
  }
  const near = new Map(
    [...together].map(([item, others]) => [
      item,
      [...others]
        .map(([other, both]) => {
          const cosine = both / Math.sqrt((people.get(item) ?? 1) * (people.get(other) ?? 1))
          return { other, likeness: (cosine * both) / (both + shrinkage) }
        })
        .sort((a, b) => b.likeness - a.likeness || (a.other < b.other ? -1 : 1))
        .slice(0, mostNear),
    ]),
  )
  const popular = [...people].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([item]) => item)
  return {
    popular,
    nextFor(had, most) {
      const known = new Set(had)
      const found = new Map<string, { score: number; because: string; best: number }>()
      for (const item of known)
        for (const { other, likeness } of near.get(item) ?? []) {
          if (known.has(other)) continue
          const before = found.get(other)
          found.set(other, {
            score: (before?.score ?? 0) + likeness,
            because: before !== undefined && before.best >= likeness ? before.because : item,
            best: Math.max(before?.best ?? 0, likeness),
          })
        }
      return [...found]
        .map(([item, { score, because }]) => ({ item, score: Math.min(1, score), because }))
        .sort((a, b) => b.score - a.score || (a.item < b.item ? -1 : 1))
        .slice(0, most)
    },
  }
}

/** How often what somebody had next is among what they were offered. */
export interface HitRate {
  /** Of the people with a next item, the share who were offered it. */
  affinity: number
  /** The same with what most people had, for comparison. */
  popularity: number
  people: number
}

/**
 * Holds back the last item of everybody who had two or more, learns from the rest, and looks whether it would have been offered.
 * @param baskets each in the order in which the items came
 */
export function hitRateOf(baskets: readonly (readonly string[])[], most = 10): HitRate {
  const cases = baskets.filter((basket) => new Set(basket).size > 1)
  const learned = learnAffinity(baskets.map((basket) => (basket.length > 1 ? basket.slice(0, -1) : basket)))
  let [byAffinity, byPopularity, people] = [0, 0, 0]
  for (const basket of cases) {
    const had = basket.slice(0, -1)
    const next = basket.at(-1) ?? ''
    if (had.includes(next)) continue
    people += 1
    const offered = learned.nextFor(had, most).map(({ item }) => item)
    // Where little is known, what is popular fills up: that is what a page would show.
    const filled = [
      ...offered,
      ...learned.popular.filter((item) => !had.includes(item) && !offered.includes(item)),
    ].slice(0, most)
    if (filled.includes(next)) byAffinity += 1
    if (
      learned.popular
        .filter((item) => !had.includes(item))
        .slice(0, most)
        .includes(next)
    )
      byPopularity += 1
  }
  return { affinity: byAffinity / Math.max(1, people), popularity: byPopularity / Math.max(1, people), people }
}
