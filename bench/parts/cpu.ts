import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds for one clock tick of /proc: USER_HZ, which is 100 on every Linux that Node runs on. */
const tickMs = 10

/**
 * Processor time so far, in milliseconds, of a process and of all that it started (the engines among them), user and system together.
 * Children that ended and were waited for count with their parent (proc(5), fields utime, stime, cutime, cstime of /proc/PID/stat).
 * @returns undefined where there is no /proc
 */
export function cpuMs(pid: number): { process: number; below: number } | undefined {
  const all = new Map<number, { parent: number; ms: number; reapedMs: number }>()
  try {
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        const ticks = (at: number) => Number(fields[at] ?? 0)
        all.set(Number(name), {
          parent: ticks(1),
          ms: (ticks(11) + ticks(12)) * tickMs,
          reapedMs: (ticks(13) + ticks(14)) * tickMs,
        })
      } catch {
        // It ended while we looked.
      }
    }
  } catch {
    return undefined
  }
  const isBelow = (id: number): boolean => {
    const parent = all.get(id)?.parent
    return parent !== undefined && parent > 1 && (parent === pid || isBelow(parent))
  }
  let below = 0
  for (const [id, one] of all) if (isBelow(id)) below += one.ms + one.reapedMs
  const own = all.get(pid)
  return own === undefined ? undefined : { process: own.ms, below: below + own.reapedMs }
}
