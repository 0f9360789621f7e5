import { Tooltip } from '@mantine/core'

export const count = (value: number) => value.toLocaleString('en-GB')
export const percent = (share: number) =>
  share > 0 && share < 0.001
    ? 'under 0.1%'
    : `${(share * 100).toLocaleString('en-GB', { maximumFractionDigits: share < 0.1 ? 1 : 0 })}%`
export const money = (value: number, currency: string) =>
  value.toLocaleString('en-GB', { style: 'currency', currency, maximumFractionDigits: value >= 10_000 ? 0 : 2 })
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
