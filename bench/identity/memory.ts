import { wordsOf } from '../../lib/ids/ids.ts'
import { createGraph } from '../../modules/identity/server/graph.ts'
import { systemClock } from '../../platform/clock/clock.ts'
import { createIds, systemRandom } from '../../platform/random/random.ts'
import { answers } from '../parts/child.ts'

/** As many identifiers as the words say in memory, two to a person. Answers `fill` with what that took. */
const many = Number(process.argv[2])
const ids = createIds(systemClock, systemRandom)

function fill() {
  const before = process.memoryUsage.rss()
  const began = performance.now()
  const graph = createGraph()
  for (let n = 0; n < many; n += 2) {
    const person = graph.add(
      { type: 'user_id', value: `customer-${String(n)}` },
      wordsOf(ids.next('profile')),
      1,
      1_700_000_000_000 + n,
    )
    graph.unite(
      person,
      graph.add({ type: 'anonymous_id', value: `visitor-${String(n)}` }, undefined, 1, 1_700_000_000_000 + n),
    )
  }
  const seconds = (performance.now() - began) / 1_000
  const mb = (process.memoryUsage.rss() - before) / 1_000_000
  const asked = performance.now()
  let found = 0
  for (let n = 0; n < 1_000_000; n++)
    if (graph.find({ type: 'nobody', value: `visitor-${String(n)}` }) === 0) found += 1
  for (let n = 0; n < 1_000_000; n++)
    if (graph.find({ type: 'anonymous_id', value: `visitor-${String(n * 2)}` }) !== 0) found += 1
  return { mb, seconds, size: graph.size, findsPerSecond: found / ((performance.now() - asked) / 1_000) }
}

answers({ ready: true }, { fill: () => Promise.resolve(fill()), stop: () => Promise.resolve({}) })
