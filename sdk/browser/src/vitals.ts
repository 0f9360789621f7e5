import type { Fields } from './options.ts'

interface Shift extends PerformanceEntry {
  value: number
  hadRecentInput: boolean
}
interface Interaction extends PerformanceEntry {
  interactionId?: number
}

/** More than these on one page change nothing. */
const mostInteractions = 2_000

/**
 * Watches how the page feels, by the definitions of web.dev (LCP, CLS with session windows of at most 5 s and gaps of at most 1 s, INP, FCP, TTFB).
 * @returns what was measured until now; a measure that the browser lacks, or that means nothing because the page was opened in the background, is absent
 */
export function watchVitals(): () => Fields {
  const pending: (() => void)[] = []
  const watch = (type: string, each: (entry: PerformanceEntry) => void) => {
    if (!PerformanceObserver.supportedEntryTypes.includes(type)) return undefined
    const observer = new PerformanceObserver((list) => {
      list.getEntries().forEach(each)
    })
    // Only interactions have a duration; the shortest that a browser tells is 16 ms.
    observer.observe({ type, buffered: true, durationThreshold: 16 } as PerformanceObserverInit)
    pending.push(() => {
      observer.takeRecords().forEach(each)
    })
    return true
  }
  // Painting waits for somebody to look.
  const { hidden } = document
  let lcp: number | undefined
  let fcp: number | undefined
  let sum = 0
  let worst = 0
  let first = 0
  let last = 0
  /** The longest of each interaction. */
  const longest = new Map<number, number>()

  if (!hidden) {
    watch('largest-contentful-paint', (entry) => {
      lcp = entry.startTime
    })
    watch('paint', (entry) => {
      if (entry.name === 'first-contentful-paint') fcp = entry.startTime
    })
  }
  const shifts = watch('layout-shift', (entry) => {
    const { value, hadRecentInput, startTime } = entry as Shift
    if (hadRecentInput) return
    if (!sum || startTime - last > 1_000 || startTime - first > 5_000) {
      sum = 0
      first = startTime
    }
    last = startTime
    sum += value
    worst = Math.max(worst, sum)
  })
  watch('event', (entry) => {
    const id = (entry as Interaction).interactionId
    const before = longest.get(id ?? 0)
    if (id && (before || longest.size < mostInteractions)) longest.set(id, Math.max(before ?? 0, entry.duration))
  })

  return () => {
    pending.forEach((take) => {
      take()
    })
    const times = [...longest.values()].sort((a, b) => b - a)
    // The types know only browsers that count.
    const { interactionCount: all } = performance as { interactionCount?: number }
    const inp = times[Math.min(times.length - 1, ((all ?? times.length) / 50) | 0)]
    const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
    // What was not measured is no number, and so not in the JSON.
    const ms = (value: number | undefined) => value && Math.round(value)
    return {
      lcp_ms: ms(lcp),
      cls: shifts && +worst.toFixed(4),
      inp_ms: ms(inp),
      fcp_ms: ms(fcp),
      ttfb_ms: ms(entry?.responseStart),
    }
  }
}
