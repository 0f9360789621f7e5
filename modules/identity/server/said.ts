import { normalise, priorityOf, type Identifier } from '../../../lib/identifiers/identifiers.ts'
import type { TrackedEvent } from '../../collect/server/index.ts'

/** What an event says of who it is about: normalised, blocked values left out, each once, strongest first. */
export function identifiersOf(event: TrackedEvent): Identifier[] {
  const traits = { ...objectOf(event.context['traits']), ...event.traits }
  const country = textOf(objectOf(traits['address'])['country']) ?? undefined
  const said: Identifier[] = [
    ...(event.userId === undefined ? [] : [{ type: 'user_id', value: event.userId }]),
    ...(event.anonymousId === undefined ? [] : [{ type: 'anonymous_id', value: event.anonymousId }]),
    ...(event.type === 'alias' && event.previousId !== undefined
      ? [{ type: 'anonymous_id', value: event.previousId }]
      : []),
    ...event.externalIds.filter((identifier) => identifier.type !== 'profile'),
  ]
  // Traits of a group call are the group's; those of everything else the person's.
  if (event.type !== 'group')
    for (const type of ['email', 'phone']) {
      const value = textOf(traits[type])
      if (value !== null) said.push({ type, value })
    }
  const seen = new Set<string>()
  const found = said.flatMap((identifier) => {
    const one = normalise(identifier, country)
    const key = one === undefined ? '' : `${one.type} ${one.value}`
    if (one === undefined || seen.has(key)) return []
    seen.add(key)
    return [one]
  })
  return found.sort((one, other) => priorityOf(one.type) - priorityOf(other.type))
}
function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : null
}
