/** Longest stretch of work before others have their turn. Well below what a person or a health check would notice. */
const sliceMs = 10

/** Does work on each item, and lets everything else that waits have its turn every 10 ms: for many items that one caller sent. */
export async function inSlices<Item>(items: Iterable<Item>, work: (item: Item) => void): Promise<void> {
  let began = performance.now()
  for (const item of items) {
    work(item)
    if (performance.now() - began < sliceMs) continue
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
    began = performance.now()
  }
}
