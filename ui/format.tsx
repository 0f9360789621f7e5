import { Tooltip } from '@mantine/core'

export const count = (value: number) => value.toLocaleString('en-GB')
export const percent = (share: number) =>
  share > 0 && share < 0.001
    ? 'under 0.1%'
    : `${(share * 100).toLocaleString('en-GB', { maximumFractionDigits: share < 0.1 ? 1 : 0 })}%`
export const money = (value: number, currency: string) =>
  value.toLocaleString('en-GB', {
    style: 'currency',
    currency,
    maximumFractionDigits: value >= 10_000 || Number.isInteger(value) ? 0 : 2,
  })
export const exact = (at: string) =>
  new Date(at).toLocaleString('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
export const plural = (value: number, one: string, many: string) => `${count(value)} ${value === 1 ? one : many}`

/** “3 h ago”, “in 2 days”: how long, in words. */
export function relative(at: string, nowMs = Date.now()): string {
  const seconds = Math.round((nowMs - Date.parse(at)) / 1000)
  const size = Math.abs(seconds)
  const words = (value: number, unit: string) => {
    const many = `${String(value)} ${unit}${value === 1 || unit !== 'day' ? '' : 's'}`
    return seconds >= 0 ? `${many} ago` : `in ${many}`
  }
  if (size < 45) return seconds >= 0 ? 'just now' : 'in a moment'
  if (size < 5_400) return words(Math.round(size / 60), 'min')
  if (size < 86_400 * 1.5) return words(Math.round(size / 3_600), 'h')
  if (size < 86_400 * 45) return words(Math.round(size / 86_400), 'day')
  return new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
}

/** A moment that is not far, as one says it: “today 21:15”, “tomorrow 09:00”, “Thursday 10:00”, “3 Mar 2027 08:00”. */
export function moment(at: string, nowMs = Date.now()): string {
  const then = new Date(at)
  const day = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()
  const days = Math.round((day(then) - day(new Date(nowMs))) / 86_400_000)
  const clock = then.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
  if (days === 0) return `today ${clock}`
  if (days === 1) return `tomorrow ${clock}`
  if (days === -1) return `yesterday ${clock}`
  if (days > 1 && days < 7) return `${then.toLocaleDateString('en-GB', { weekday: 'long' })} ${clock}`
  return `${then.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })} ${clock}`
}

/** A moment in words, the exact one on hover. */
export function At({ at }: { at: string }) {
  return (
    <Tooltip label={exact(at)}>
      <time dateTime={at}>{moment(at)}</time>
    </Tooltip>
  )
}

/**
 * A sentence of the server in which moments stand as “on 2026-11-25 at 20:15 UTC” and days as “2026-12-09”: each becomes words, moments in the
 * reader's own time zone.
 */
export function Timed({ text }: { text: string }) {
  const parts = text.split(/((?:\bon )?\d{4}-\d\d-\d\d at \d\d:\d\d UTC|\b\d{4}-\d\d-\d\d\b)/)
  return parts.map((part, index) => {
    if (index % 2 === 0) return part
    const [, day = '', time] = /(\d{4}-\d\d-\d\d)(?: at (\d\d:\d\d))?/.exec(part) ?? []
    const key = `${part} ${String(index)}`
    return time === undefined ? (
      <time key={key} dateTime={day}>
        {dayOf(day)}
      </time>
    ) : (
      <At key={key} at={`${day}T${time}:00Z`} />
    )
  })
}

/** A day of the calendar, which is the same in every time zone. */
export const dayOf = (day: string) =>
  new Date(`${day.slice(0, 10)}T12:00:00Z`).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  })

/** What to call somebody: the name, or the best that is known, or the end of the id. */
export function calledOf(person: { id: string; name: string; email?: string | null; phone?: string | null }): string {
  if (person.name !== '') return person.name
  return person.email ?? person.phone ?? `Visitor ${person.id.slice(-6)}`
}

/** A time as people say it, the exact one on hover. */
export function Ago({ at }: { at: string | null }) {
  if (at === null) return <span className="secondary">never</span>
  return (
    <Tooltip label={exact(at)}>
      <time dateTime={at}>{relative(at)}</time>
    </Tooltip>
  )
}

/** A number whose meaning is one hover (or one tab) away. */
export function Meant({ children, means }: { children: React.ReactNode; means: string }) {
  return (
    <Tooltip label={means} multiline w={300} events={{ hover: true, focus: true, touch: true }}>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the keyboard must reach what the pointer can hover */}
      <span className="meant" tabIndex={0}>
        {children}
      </span>
    </Tooltip>
  )
}
