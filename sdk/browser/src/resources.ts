import type { Fields } from './options.ts'

/** Whether this session is one of those that report: the same answer on each of its pages. */
export const isSampled = (sessionId: string, rate: number) => +`0x${sessionId.slice(0, 4)}` < rate * 65_536

/** The other hosts that the page loaded from, each once with its kinds of initiator: never a path, never more than 100. */
export function resourcesSeen(): Fields[] {
  const hosts = new Map<string, Set<string>>()
  for (const { name, initiatorType } of performance.getEntriesByType('resource') as PerformanceResourceTiming[]) {
    const { host } = new URL(name, location.href)
    if (host && host !== location.host) hosts.set(host, (hosts.get(host) ?? new Set()).add(initiatorType))
  }
  return [...hosts].slice(0, 100).map(([host, types]) => ({ host, initiatorTypes: [...types] }))
}
