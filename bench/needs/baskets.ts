import { seededRandom } from '../../lib/seeded/seeded.ts'

/** Baskets of people who each like two of many tastes, and take what is popular now and then: what goes with what is known, and hidden in chance. */
export function drawBaskets(people: number, tastes: number, itemsOfTaste: number, seed: number): string[][] {
  const random = seededRandom(seed)
  const skewed = (count: number) => Math.floor(count * random() ** 2)
  return Array.from({ length: people }, () => {
    const mine = [skewed(tastes), skewed(tastes)]
    const wanted = 2 + Math.floor(random() * 7)
    const basket = new Set<string>()
    while (basket.size < wanted) {
      const taste = random() < 0.25 ? skewed(tastes) : (mine[Math.floor(random() * 2)] ?? 0)
      basket.add(`taste ${String(taste)} item ${String(skewed(itemsOfTaste))}`)
    }
    return [...basket]
  })
}
