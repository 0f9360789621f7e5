import { keyOf, labelOfEvent, type PlanContent, type PlannedEvent, type PlannedProperty } from '../contract.ts'

/** One difference between two plans, as people read it: `+` comes, `-` goes, `~` becomes something else. */
export interface Difference {
  sign: '+' | '-' | '~'
  what: string
}

/** What would change from one plan to the other; nothing when they are the same. The order of events and properties does not count. */
export function differencesOf(before: PlanContent | undefined, after: PlanContent | undefined): Difference[] {
  if (after === undefined) return before === undefined ? [] : [{ sign: '-', what: 'the whole plan' }]
  const found: Difference[] = []
  const compare = (what: string, from: unknown, to: unknown) => {
    if (JSON.stringify(from) !== JSON.stringify(to))
      found.push({ sign: '~', what: `${what}: ${said(from)} → ${said(to)}` })
  }
  compare('mode', before?.mode, after.mode)
  compare('unplanned events', before?.unplannedEvents, after.unplannedEvents)
  compare('unplanned properties', before?.unplannedProperties, after.unplannedProperties)
  compare('owner, marketing', before?.ownerMarketing ?? null, after.ownerMarketing)
  compare('owner, IT', before?.ownerIt ?? null, after.ownerIt)
  const events = pair<PlannedEvent>(before?.events ?? [], after.events, keyOf)
  for (const [was, is] of events) {
    if (is === undefined) found.push({ sign: '-', what: labelOfEvent(was ?? { type: '', name: '' }) })
    else if (was === undefined)
      found.push({ sign: '+', what: `${labelOfEvent(is)} (${String(is.properties.length)} properties)` })
    else {
      const label = labelOfEvent(is)
      for (const field of ['status', 'description', 'mode'] as const)
        compare(`${label}, ${field}`, was[field], is[field])
      for (const [from, to] of pair<PlannedProperty>(was.properties, is.properties, (one) => one.name)) {
        if (to === undefined) found.push({ sign: '-', what: `${label}: ${from?.name ?? ''}` })
        else if (from === undefined)
          found.push({ sign: '+', what: `${label}: ${to.name} (${to.type}${to.required ? ', required' : ''})` })
        else
          for (const field of [
            'type',
            'required',
            'values',
            'min',
            'max',
            'meaning',
            'sensitivity',
            'purpose',
          ] as const)
            compare(`${label}: ${to.name}, ${field}`, from[field], to[field])
      }
    }
  }
  return found
}

const said = (value: unknown): string =>
  value === undefined || value === null
    ? 'none'
    : typeof value === 'string'
      ? value === ''
        ? '(empty)'
        : value
      : JSON.stringify(value)

function pair<One>(
  before: readonly One[],
  after: readonly One[],
  key: (one: One) => string,
): [One | undefined, One | undefined][] {
  const was = new Map(before.map((one) => [key(one), one]))
  const is = new Map(after.map((one) => [key(one), one]))
  return [...new Set([...was.keys(), ...is.keys()])].map((name) => [was.get(name), is.get(name)])
}
