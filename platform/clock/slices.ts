/** Longest stretch of work before others have their turn. Well below what a person or a health check would notice. */
const sliceMs = 10
/**
 * For work beside which much is on its way to PostgreSQL: a socket takes so many bytes in each turn, and a statement of a megabyte waits for five turns.
 * With 10 ms an import waited a fifth of its time.
 */
export const besideWritingMs = 3

/**
 * Does work on each item, and lets everything else that waits have its turn in between: for many items that one caller sent.
 * @param ms the longest stretch
 */
export async function inSlices<Item>(items: Iterable<Item>, work: (item: Item) => void, ms = sliceMs): Promise<void> {
  let began = performance.now()
  for (const item of items) {
    work(item)
    if (performance.now() - began < ms) continue
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
    began = performance.now()
  }
}
