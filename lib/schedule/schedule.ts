import { Cron } from 'croner'
import { Refusal } from '../refusals/refusals.ts'

const hourMs = 3_600_000

/**
 * When a schedule is due next, in UTC, where no hour is there twice and none is missing.
 * @param schedule the five fields of cron
 * @throws Refusal bad_input for what is no schedule, or one that is never due
 */
export function nextTime(schedule: string, after: Date): Date {
  let next: Date | null
  try {
    if (schedule.split(/\s+/).length !== 5) throw new Error('not five fields')
    next = new Cron(schedule, { timezone: 'UTC' }).nextRun(after)
  } catch {
    throw new Refusal(
      'bad_input',
      `“${schedule}” is no schedule. Write the five fields of cron, in UTC: “*/15 * * * *” is every quarter of an hour, “0 2 * * *” every night at two.`,
    )
  }
  if (next === null) throw new Refusal('bad_input', `“${schedule}” is never due.`)
  return next
}

/** Whether what is here is older than was promised. @param since when the promise began to run, for what never came */
export const promiseMissed = (freshAt: Date | null, since: Date, promiseHours: number | null, nowMs: number): boolean =>
  promiseHours !== null && nowMs - (freshAt ?? since).getTime() > promiseHours * hourMs
