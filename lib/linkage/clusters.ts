/** Pairs that were scored, each once. */
export interface Links {
  left: Uint32Array
  right: Uint32Array
  /** In bits: the logarithm of the odds that both are one entity. */
  weight: Float32Array
  count: number
}

export interface ClusterRules {
  /** Two clusters become one while the mean weight over all pairs between them is at least this, in bits. */
  threshold: number
  /** What a pair weighs that was no candidate, or was scored below what is kept: nobody compared them, and most such pairs are two. */
  unseen: number
  /** Records by place: of one source that names each entity once, no two become one. Absent where all may. */
  source?: ArrayLike<number>
  /** Sources, by number, that name each entity once. */
  once?: ReadonlySet<number>
  /** Pairs that somebody said are two. */
  apart?: readonly (readonly [number, number])[]
}

/** One link counts no more than this, in bits: however alike two records are, they are one piece of evidence. */
const mostBits = 20

/**
 * Joins the strongest first, and goes on with the mean over all pairs between two clusters (average linkage, Sokal and Michener 1958): one false link between
 * two large clusters is outvoted by the pairs that do not agree, so the size of a cluster needs no cap, whatever the data. Connected components have no such
 * guard: on 50,000 records of 5,000 people they made one person of 6,000.
 * @returns for each record the number of its cluster: the least record in it
 */
export function cluster(records: number, links: Links, rules: ClusterRules): Uint32Array {
  const groups = connected(records, links, rules.threshold)
  const result = Uint32Array.from({ length: records }, (_, at) => at)
  const place = new Uint32Array(records)
  for (const { members, own } of groups) {
    members.forEach((record, at) => (place[record] = at))
    const found = agglomerate(members, own, links, place, rules)
    members.forEach((record, at) => (result[record] = members[found[at] ?? at] ?? record))
  }
  return result
}

/** Records that links hang together with that are strong enough on their own; only among those can two become one. */
interface Group {
  /** In ascending order. */
  members: Uint32Array
  /** Links among them, by place. */
  own: Uint32Array
}

function* connected(records: number, links: Links, threshold: number): Generator<Group> {
  const parent = Uint32Array.from({ length: records }, (_, at) => at)
  const rootOf = (record: number): number => {
    let at = record
    while (parent[at] !== at) {
      parent[at] = parent[parent[at] ?? at] ?? at
      at = parent[at] ?? at
    }
    return at
  }
  for (let at = 0; at < links.count; at++) {
    if ((links.weight[at] ?? 0) < threshold) continue
    const [one, other] = [rootOf(links.left[at] ?? 0), rootOf(links.right[at] ?? 0)]
    // The least record stays the root.
    if (one < other) parent[other] = one
    else if (other < one) parent[one] = other
  }
  const memberOf = Uint32Array.from({ length: records }, (_, at) => rootOf(at))
  const sizes = new Uint32Array(records)
  for (const root of memberOf) sizes[root] = (sizes[root] ?? 0) + 1
  const among = new Uint32Array(records)
  for (let at = 0; at < links.count; at++) {
    const root = memberOf[links.left[at] ?? 0] ?? 0
    if (root === memberOf[links.right[at] ?? 0]) among[root] = (among[root] ?? 0) + 1
  }
  const [memberStarts, linkStarts] = [startsOf(sizes), startsOf(among)]
  const members = new Uint32Array(records)
  const own = new Uint32Array(linkStarts.at(-1) ?? 0)
  const filled = memberStarts.slice()
  for (let record = 0; record < records; record++) {
    const root = memberOf[record] ?? 0
    members[filled[root] ?? 0] = record
    filled[root] = (filled[root] ?? 0) + 1
  }
  const filledLinks = linkStarts.slice()
  for (let at = 0; at < links.count; at++) {
    const root = memberOf[links.left[at] ?? 0] ?? 0
    if (root !== memberOf[links.right[at] ?? 0]) continue
    own[filledLinks[root] ?? 0] = at
    filledLinks[root] = (filledLinks[root] ?? 0) + 1
  }
  for (let root = 0; root < records; root++)
    if ((sizes[root] ?? 0) > 1)
      yield {
        members: members.subarray(memberStarts[root], memberStarts[root + 1]),
        own: own.subarray(linkStarts[root], linkStarts[root + 1]),
      }
}

function startsOf(sizes: Uint32Array): Uint32Array {
  const starts = new Uint32Array(sizes.length + 1)
  for (let at = 0; at < sizes.length; at++) starts[at + 1] = (starts[at] ?? 0) + (sizes[at] ?? 0)
  return starts
}

/** @param place of each record among the members @returns for each member the place of the least one of its cluster */
function agglomerate(
  members: Uint32Array,
  own: Uint32Array,
  links: Links,
  place: Uint32Array,
  rules: ClusterRules,
): Uint32Array {
  const count = members.length
  // Two that one strong link holds, and nobody forbids: most groups are that.
  if (count === 2 && rules.source === undefined && rules.apart === undefined) return bothOne
  const parent = Uint32Array.from({ length: count }, (_, at) => at)
  const size = new Uint32Array(count).fill(1)
  const near = Array.from({ length: count }, () => new Map<number, Between>())
  const between = (one: number) => near[one] ?? new Map<number, Between>()
  const sources = sourcesOf(members, rules)
  const apart = apartOf(members, rules)
  const meanOf = (one: number, other: number, seen: Between) => {
    const pairs = (size[one] ?? 1) * (size[other] ?? 1)
    return (seen.sum + (pairs - seen.pairs) * rules.unseen) / pairs
  }
  const mayJoin = (one: number, other: number) =>
    apart.get(one)?.has(other) !== true &&
    (sources === undefined || (sources[one]?.isDisjointFrom(sources[other] ?? none) ?? true))
  const queue = createQueue(own.length)
  for (const at of own) {
    const [one, other] = [place[links.left[at] ?? 0] ?? 0, place[links.right[at] ?? 0] ?? 0]
    const weight = Math.min(mostBits, links.weight[at] ?? 0)
    if (one === other || weight <= rules.unseen) continue
    const seen = { sum: weight, pairs: 1 }
    between(one).set(other, seen)
    between(other).set(one, seen)
    if (weight >= rules.threshold) queue.push(weight, Math.min(one, other), Math.max(one, other))
  }
  for (let top = queue.pop(); top !== undefined; top = queue.pop()) {
    const { score, one, other } = top
    const seen = between(one).get(other)
    // An older score of two that have grown, or have gone into others, since: the newer one is in the queue too.
    if (seen === undefined || parent[one] !== one || parent[other] !== other || meanOf(one, other, seen) !== score)
      continue
    if (mayJoin(one, other)) join(one, other)
  }

  /** The lesser place stays. */
  function join(into: number, from: number): void {
    const [kept, gone] = [between(into), between(from)]
    parent[from] = into
    kept.delete(from)
    gone.delete(into)
    size[into] = (size[into] ?? 1) + (size[from] ?? 1)
    for (const [third, seen] of gone) {
      const more = kept.get(third)
      const sum = more === undefined ? seen : { sum: more.sum + seen.sum, pairs: more.pairs + seen.pairs }
      kept.set(third, sum)
      between(third).delete(from)
      between(third).set(into, sum)
    }
    gone.clear()
    for (const third of apart.get(from) ?? none) {
      forbid(apart, into, third)
      forbid(apart, third, into)
    }
    if (sources !== undefined) sources[into] = (sources[into] ?? none).union(sources[from] ?? none)
    for (const [third, seen] of kept) {
      const score = meanOf(into, third, seen)
      if (score >= rules.threshold) queue.push(score, Math.min(into, third), Math.max(into, third))
    }
  }

  // A parent is always the lesser of two, so one pass from the front finds the root of each.
  for (let at = 0; at < count; at++) parent[at] = parent[parent[at] ?? at] ?? at
  return parent
}

const bothOne = Uint32Array.of(0, 0)
const none: ReadonlySet<number> = new Set()

/** Of each member the sources that name an entity once. */
function sourcesOf(members: Uint32Array, { source, once }: ClusterRules): ReadonlySet<number>[] | undefined {
  if (source === undefined || once === undefined) return undefined
  return Array.from(members, (record) => {
    const from = source[record]
    return from !== undefined && once.has(from) ? new Set([from]) : none
  })
}

function apartOf(members: Uint32Array, { apart = [] }: ClusterRules): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>()
  if (apart.length === 0) return found
  const places = new Map(Array.from(members, (record, at) => [record, at]))
  for (const [one, other] of apart) {
    const [left, right] = [places.get(one), places.get(other)]
    if (left === undefined || right === undefined) continue
    forbid(found, left, right)
    forbid(found, right, left)
  }
  return found
}

function forbid(apart: Map<number, Set<number>>, one: number, other: number): void {
  const some = apart.get(one) ?? new Set()
  some.add(other)
  apart.set(one, some)
}

interface Between {
  sum: number
  pairs: number
}

/** A binary heap, the highest score first; of equal scores the pair with the lesser numbers, so that the order of the links does not matter. */
function createQueue(expected: number) {
  const room = Math.max(4, expected)
  let scores = new Float64Array(room)
  let ones = new Uint32Array(room)
  let others = new Uint32Array(room)
  let size = 0
  const before = (a: number, b: number) => {
    const [left = 0, right = 0] = [scores[a], scores[b]]
    if (left !== right) return left > right
    const [one = 0, two = 0] = [ones[a], ones[b]]
    return one === two ? (others[a] ?? 0) < (others[b] ?? 0) : one < two
  }
  const swap = (a: number, b: number) => {
    for (const list of [scores, ones, others]) {
      const held = list[a] ?? 0
      list[a] = list[b] ?? 0
      list[b] = held
    }
  }
  return {
    push(score: number, one: number, other: number): void {
      if (size === scores.length) {
        const [wider, left, right] = [new Float64Array(size * 2), new Uint32Array(size * 2), new Uint32Array(size * 2)]
        wider.set(scores)
        left.set(ones)
        right.set(others)
        scores = wider
        ones = left
        others = right
      }
      scores[size] = score
      ones[size] = one
      others[size] = other
      for (let at = size++; at > 0;) {
        const above = (at - 1) >> 1
        if (!before(at, above)) break
        swap(at, above)
        at = above
      }
    },
    pop(): { score: number; one: number; other: number } | undefined {
      if (size === 0) return undefined
      const top = { score: scores[0] ?? 0, one: ones[0] ?? 0, other: others[0] ?? 0 }
      size -= 1
      swap(0, size)
      for (let at = 0; ;) {
        const left = at * 2 + 1
        let best = at
        if (left < size && before(left, best)) best = left
        if (left + 1 < size && before(left + 1, best)) best = left + 1
        if (best === at) break
        swap(at, best)
        at = best
      }
      return top
    },
  }
}
