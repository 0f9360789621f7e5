/** Something that holds two things together. */
export interface Link {
  a: string
  b: string
}

/**
 * The shortest way from one thing to another over links (breadth first; of ways of one length, the one whose links come first).
 * @returns the links by place, in the order of the way; undefined when there is none
 */
export function wayBetween(links: readonly Link[], from: string, to: string): number[] | undefined {
  const near = neighboursOf(links)
  const cameBy = new Map<string, number | undefined>([[from, undefined]])
  const queue = [from]
  for (let at = 0; at < queue.length && !cameBy.has(to); at++) {
    const here = queue[at] ?? ''
    for (const { link, other } of near.get(here) ?? []) {
      if (cameBy.has(other)) continue
      cameBy.set(other, link)
      queue.push(other)
    }
  }
  if (!cameBy.has(to)) return undefined
  const way: number[] = []
  for (let here = to; here !== from;) {
    const link = cameBy.get(here)
    const one = link === undefined ? undefined : links[link]
    if (link === undefined || one === undefined) return undefined
    way.unshift(link)
    here = one.a === here ? one.b : one.a
  }
  return way
}

/** A link without which what it holds together falls into two parts. */
export interface Bridge {
  /** By place. */
  link: number
  /** The lesser part, in the order in which it is met. */
  side: string[]
}

/**
 * All links that hold two parts together alone. Source: Tarjan (1974), “A note on finding the bridges of a graph”, without recursion.
 * Two links between the same two things are no bridge.
 */
export function bridgesOf(links: readonly Link[]): Bridge[] {
  const near = neighboursOf(links)
  const order = new Map<string, number>()
  const low = new Map<string, number>()
  const bridges: number[] = []
  for (const root of near.keys()) {
    if (order.has(root)) continue
    order.set(root, order.size)
    low.set(root, order.size - 1)
    const path = [{ here: root, cameBy: -1, next: 0 }]
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const step = near.get(top.here)?.[top.next]
      if (step === undefined) {
        path.pop()
        const above = path.at(-1)
        if (above === undefined) continue
        const least = Math.min(low.get(above.here) ?? 0, low.get(top.here) ?? 0)
        low.set(above.here, least)
        if ((low.get(top.here) ?? 0) > (order.get(above.here) ?? 0)) bridges.push(top.cameBy)
        continue
      }
      top.next += 1
      if (step.link === top.cameBy) continue
      const seen = order.get(step.other)
      if (seen === undefined) {
        order.set(step.other, order.size)
        low.set(step.other, order.size - 1)
        path.push({ here: step.other, cameBy: step.link, next: 0 })
      } else low.set(top.here, Math.min(low.get(top.here) ?? 0, seen))
    }
  }
  return bridges
    .sort((one, other) => one - other)
    .map((link) => {
      const { a = '', b = '' } = links[link] ?? {}
      const [one, other] = [sideOf(near, a, link), sideOf(near, b, link)]
      return { link, side: one.length < other.length ? one : other }
    })
}

function neighboursOf(links: readonly Link[]): Map<string, { link: number; other: string }[]> {
  const near = new Map<string, { link: number; other: string }[]>()
  const add = (here: string, link: number, other: string) => {
    const some = near.get(here) ?? []
    some.push({ link, other })
    near.set(here, some)
  }
  for (const [at, { a, b }] of links.entries()) {
    if (a === b) continue
    add(a, at, b)
    add(b, at, a)
  }
  return near
}

/** What can be reached without one link. */
function sideOf(
  near: ReadonlyMap<string, readonly { link: number; other: string }[]>,
  from: string,
  without: number,
): string[] {
  const met = new Set([from])
  for (const here of met) for (const { link, other } of near.get(here) ?? []) if (link !== without) met.add(other)
  return [...met]
}
