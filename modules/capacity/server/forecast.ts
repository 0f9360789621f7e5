/** What planned campaigns bring, summed up: pure arithmetic, in steps of ten minutes, because the first minutes after a mail are the steepest. */

export const stepMs = 600_000
export const stepsAnHour = 6
const stepSeconds = stepMs / 1000

/** Events that one person of an audience brings, each kind on average. */
export interface Response {
  /** Mails that leave, each told as an event. */
  sent: number
  opened: number
  clicked: number
  /** What they do on the site afterwards. */
  pages: number
}

export interface Launch {
  id: string
  name: string
  /** When its first mail leaves. */
  atMs: number
  people: number
  /** How long its mails take to leave, evenly. */
  lastsMs: number
  response: Response
}

/** Which share of all that comes back comes in each step after the mail, from the first on; together at most 1. */
export type Curve = readonly number[]

/**
 * The events of one launch in each step from `fromMs` on. What leaves in a step comes back by the curve from that step on: audience × response, spread over
 * the time that sending takes (a discrete convolution of the two).
 */
export function comingOf(launch: Launch, curve: Curve, fromMs: number, steps: number): number[] {
  const coming = Array.from({ length: steps }, () => 0)
  const first = Math.floor((launch.atMs - fromMs) / stepMs)
  const sending = Math.max(1, Math.ceil(launch.lastsMs / stepMs))
  const each = launch.people / sending
  const { sent, opened, clicked, pages } = launch.response
  const back = each * (opened + clicked + pages)
  const add = (at: number, events: number) => {
    if (at >= 0 && at < steps) coming[at] = (coming[at] ?? 0) + events
  }
  for (let step = 0; step < sending && first + step < steps; step++) {
    add(first + step, each * sent)
    for (const [later, share] of curve.entries()) add(first + step + later, back * share)
  }
  return coming
}

/** One hour, as its fullest ten minutes: events a second. */
export interface Hour {
  atMs: number
  base: number
  /** Of each launch that brings anything, the most first. */
  launches: { id: string; perSecond: number }[]
  perSecond: number
}

export interface Forecast {
  hours: Hour[]
  /** The most that each launch brings by itself, events a second. */
  peaks: ReadonlyMap<string, number>
}

interface Span {
  fromMs: number
  hours: number
  /** Events a second that come anyway at a time. */
  base: (atMs: number) => number
  curve: Curve
}

/** @param span.fromMs the beginning of an hour */
export function forecast(launches: readonly Launch[], span: Span): Forecast {
  const steps = span.hours * stepsAnHour
  const coming = launches.map(({ id, ...launch }) => ({
    id,
    perSecond: comingOf({ id, ...launch }, span.curve, span.fromMs, steps).map((events) => events / stepSeconds),
  }))
  const hours = Array.from({ length: span.hours }, (_none, hour): Hour => {
    const atMs = span.fromMs + hour * stepMs * stepsAnHour
    const base = span.base(atMs)
    const all = Array.from({ length: stepsAnHour }, (_step, within) => {
      const at = hour * stepsAnHour + within
      const bring = coming.map((one) => ({ id: one.id, perSecond: one.perSecond[at] ?? 0 }))
      return { bring, perSecond: base + bring.reduce((sum, one) => sum + one.perSecond, 0) }
    })
    const fullest = all.reduce((most, one) => (one.perSecond > most.perSecond ? one : most))
    return {
      atMs,
      base,
      launches: fullest.bring.filter((one) => one.perSecond > 0).sort((a, b) => b.perSecond - a.perSecond),
      perSecond: fullest.perSecond,
    }
  })
  return {
    hours,
    peaks: new Map(coming.map((one) => [one.id, one.perSecond.reduce((most, value) => Math.max(most, value), 0)])),
  }
}

/** Where more comes than the machine takes, and what would pass. */
export interface Crossing {
  /** Whose launch brings the most of it; undefined when what comes anyway is too much. */
  id: string | undefined
  /** The hour in which the most comes. */
  atMs: number
  perSecond: number
  /** So many hours later it passes; undefined when it passes nowhere in the span. */
  laterHours: number | undefined
  /** So many people pass at the same time; 0 when none. */
  people: number
}

/** @param movable which launches can still be moved: one that is out cannot */
export function crossing(
  launches: readonly Launch[],
  movable: ReadonlySet<string>,
  span: Span,
  limit: number,
): Crossing | undefined {
  const { hours } = forecast(launches, span)
  const worst = hours.reduce((most, hour) => (hour.perSecond > most.perSecond ? hour : most))
  if (worst.perSecond <= limit) return undefined
  const id = worst.launches.find((one) => movable.has(one.id))?.id ?? worst.launches[0]?.id
  const launch = launches.find((one) => one.id === id)
  const found = { id, atMs: worst.atMs, perSecond: worst.perSecond }
  if (launch === undefined || !movable.has(launch.id)) return { ...found, laterHours: undefined, people: 0 }
  const others = launches.filter((one) => one !== launch)
  // What is too much without it is no matter of this one.
  const without = forecast(others, span).hours.map((hour) => hour.perSecond > limit)
  const passes = (moved: Launch) =>
    forecast([...others, moved], span).hours.every((hour, at) => hour.perSecond <= limit || without[at] === true)
  const first = Math.ceil((launch.atMs - span.fromMs) / 3_600_000)
  let laterHours: number | undefined
  for (let later = 1; first + later < span.hours && laterHours === undefined; later++)
    if (passes({ ...launch, atMs: launch.atMs + later * 3_600_000 })) laterHours = later
  return { ...found, laterHours, people: mostPeople(launch, others, span, limit) }
}

/** How many of its people pass at its time: the least, over all steps, of the room that is left by what one person brings. */
function mostPeople(launch: Launch, others: readonly Launch[], span: Span, limit: number): number {
  const steps = span.hours * stepsAnHour
  const one = comingOf({ ...launch, people: 1 }, span.curve, span.fromMs, steps)
  const rest = others.map((other) => comingOf(other, span.curve, span.fromMs, steps))
  let most = launch.people
  for (const [at, brings] of one.entries()) {
    if (brings <= 0) continue
    const taken =
      span.base(span.fromMs + at * stepMs) + rest.reduce((sum, other) => sum + (other[at] ?? 0) / stepSeconds, 0)
    if (taken <= limit) most = Math.min(most, ((limit - taken) * stepSeconds) / brings)
  }
  return Math.max(0, Math.floor(most))
}
