import type { Measurement, Warning } from '../contract.ts'
import type { Crossing, Forecast, Launch } from './forecast.ts'
import type { StoredMeasurement } from './store.ts'

const dayMs = 86_400_000
/** After so many days the disk, the neighbours and the version are likely others. */
const holdsDays = 30

const whole = (value: number) => value.toLocaleString('en-GB', { maximumFractionDigits: value < 10 ? 1 : 0 })
const at = (ms: number) => `on ${new Date(ms).toISOString().slice(0, 16).replace('T', ' at ')} UTC`
const cores = (count: number) => `${String(count)} ${count === 1 ? 'core' : 'cores'}`

/** The last measurement, and whether it still tells of this machine. */
export function measurementOf(
  row: StoredMeasurement,
  machine: { cores: number; model: string },
  nowMs: number,
): Measurement {
  const days = Math.floor((nowMs - row.measured_at.getTime()) / dayMs)
  const stale =
    machine.cores !== row.cores
      ? `It was measured on ${cores(row.cores)}, and this machine has ${String(machine.cores)} now.`
      : machine.model !== row.model
        ? 'It was measured on another processor.'
        : days > holdsDays
          ? `It was measured ${String(days)} days ago; disks and neighbours change.`
          : null
  return {
    at: row.measured_at.toISOString(),
    by: row.by_name ?? 'somebody who is gone',
    cores: row.cores,
    model: row.model,
    perSecond: row.per_second,
    p99Ms: row.p99_ms,
    batchPerSecond: row.batch_per_second,
    flushesPerSecond: row.flushes_per_second,
    flushMs: row.flush_ms,
    stale,
  }
}

/** @param launch whose it is, when it is one's */
export function warningOf(found: Crossing, limit: number, launch: Launch | undefined): Warning {
  const over = Math.max(1, Math.round((found.perSecond / limit - 1) * 100))
  const node = 'Or add a node that takes events in: docs/operations/scaling.md says how.'
  const whose = launch === undefined ? 'What comes anyway brings' : `“${launch.name}” makes it`
  return {
    campaignId: launch?.id ?? null,
    at: new Date(found.atMs).toISOString(),
    perSecond: found.perSecond,
    limit,
    sentence: `${whose} up to ${whole(found.perSecond)} events a second ${at(found.atMs)}: ${over.toLocaleString('en-GB')}% more than the ${whole(limit)} that this machine takes. Senders would be told to come again, and some never do.`,
    passes: [
      ...(launch === undefined || found.laterHours === undefined
        ? []
        : [
            `Send it ${found.laterHours === 1 ? 'an hour' : `${String(found.laterHours)} hours`} later, ${at(launch.atMs + found.laterHours * 3_600_000)}: then it passes.`,
          ]),
      ...(launch === undefined || found.people === 0
        ? []
        : [
            `Send it to ${found.people.toLocaleString('en-GB')} of its ${launch.people.toLocaleString('en-GB')} people at that time, and to the others later.`,
          ]),
      node,
    ],
  }
}

/** What the page says first. */
export function verdictOf(measured: Measurement | null, coming: Forecast, warning: Warning | undefined): string {
  if (warning !== undefined) return warning.sentence
  const fullest = coming.hours.reduce((most, hour) => (hour.perSecond > most.perSecond ? hour : most))
  const expected =
    fullest.perSecond === 0
      ? 'Nothing is expected in the next seven days: no event in the last 28 days, and no campaign with a time.'
      : `At most ${whole(fullest.perSecond)} events a second are expected in the next seven days, ${at(fullest.atMs)}.`
  if (measured === null) return `${expected} What this machine takes was never measured.`
  if (fullest.perSecond === 0) return `This machine takes ${whole(measured.perSecond)} events a second. ${expected}`
  const share = fullest.perSecond / measured.perSecond
  return `${expected.slice(0, -1)}: ${share < 0.01 ? 'under 1' : String(Math.round(share * 100))}% of the ${whole(measured.perSecond)} that this machine takes.`
}
