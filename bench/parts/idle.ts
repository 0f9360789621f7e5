import { readFileSync } from 'node:fs'

/**
 * The share of all processor time that nobody used, from now until it is asked, as percent: on a machine that others work on too, how much of it there was to have.
 * Fields of the first line of /proc/stat (proc(5)): user nice system idle iowait irq softirq steal.
 * @returns undefined where there is no /proc
 */
export function watchIdle(): () => number | undefined {
  const before = read()
  return () => {
    const after = read()
    if (before === undefined || after === undefined || after.all <= before.all) return undefined
    return Math.round((100 * (after.idle - before.idle)) / (after.all - before.all))
  }
}

function read(): { idle: number; all: number } | undefined {
  try {
    const line = readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
    const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number)
    return { idle: (ticks[3] ?? 0) + (ticks[4] ?? 0), all: ticks.reduce((sum, one) => sum + one, 0) }
  } catch {
    return undefined
  }
}
