import type { Identifier } from '../../../lib/identifiers/identifiers.ts'
import type { Explainer, TrackedEvent } from '../../collect/server/index.ts'
import type { IdentityStore } from './store.ts'

/** An identifier that is known. */
interface Node extends Identifier {
  no: number
  shared: boolean
  profile: string
}

/**
 * What identity did with one event. Links are those that it was the first to name: an event that says again what was known proves nothing new.
 */
export function explainEvent(needs: {
  store: Pick<IdentityStore, 'linksBy'>
  identifiersOf(event: TrackedEvent): Identifier[]
  find(identifier: Identifier): Node | undefined
  canonical(profile: string): Promise<string | undefined>
}): Explainer {
  return async ({ event, outcome, profileId }) => {
    const name = 'Who is it?'
    if (outcome !== 'stored')
      return {
        name,
        is: 'ok',
        says: 'Nobody was looked up: the way of this event ended before, or goes on.',
        facts: [],
      }
    const named = needs.identifiersOf(event)
    const nodes = named.flatMap((identifier) => {
      const node = needs.find(identifier)
      return node === undefined ? [] : [node]
    })
    const nos = nodes.map((node) => node.no)
    const label = new Map(nodes.map((node) => [node.no, `${node.type} ${node.value}`]))
    const [links, now] = await Promise.all([
      needs.store.linksBy(nos, event.sourceId, event.messageId),
      profileId === undefined ? undefined : needs.canonical(profileId),
    ])
    const person = now ?? profileId
    return {
      name,
      is: person === undefined || links.some((link) => link.because !== null) ? 'warn' : 'ok',
      says:
        person === undefined
          ? 'It could not be given to anybody.'
          : `It belongs to one person${now !== undefined && now !== profileId ? ', who was another profile when it came' : ''}. ${
              links.length === 0 ? 'It proved no link that was not known.' : 'It was the first to prove a link.'
            }`,
      facts: [
        ...(person === undefined ? [] : [{ label: 'Person', says: 'open the profile', to: `/people/${person}` }]),
        ...named.slice(0, 20).map((identifier) => {
          const node = needs.find(identifier)
          const says =
            node === undefined
              ? 'is not kept'
              : node.shared
                ? 'is shared and joins nobody'
                : node.profile === person
                  ? 'is of this person'
                  : 'is of somebody else'
          return { label: `${identifier.type} ${identifier.value}`, says }
        }),
        ...links.map((link) => ({
          label: link.because === null ? 'Link' : 'Left out',
          says: `${label.get(link.a) ?? 'one'} – ${label.get(link.b) ?? 'another'}: ${link.because ?? link.rule}`,
        })),
      ],
    }
  }
}
