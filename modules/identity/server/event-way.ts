import type { Identifier } from '../../../lib/identifiers/identifiers.ts'
import type { Explainer, TrackedEvent } from '../../collect/server/index.ts'
import type { Node } from './graph.ts'
import type { identityStore } from './store.ts'

const kinds: Readonly<Record<string, string>> = {
  demote: 'left out',
  share: 'shared from then on',
  refuse: 'refused',
  split: 'split off',
  join: 'joined',
}

/**
 * What identity did with one event. Links and decisions are the first of their kind: an event that says again what was known proves nothing new and is
 * in neither.
 */
export function explainEvent(needs: {
  store: Pick<ReturnType<typeof identityStore>, 'edgesBy' | 'decisionsBy'>
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
    const ids = nodes.map((node) => node.id)
    const label = new Map(nodes.map((node) => [node.id, `${node.type} ${node.value}`]))
    const [edges, decisions, now] = await Promise.all([
      needs.store.edgesBy(ids, event.sourceId, event.messageId),
      needs.store.decisionsBy(ids, event.sourceId, event.messageId),
      profileId === undefined ? undefined : needs.canonical(profileId),
    ])
    const person = now ?? profileId
    return {
      name,
      is: person === undefined || decisions.length > 0 ? 'warn' : 'ok',
      says:
        person === undefined
          ? 'It could not be given to anybody.'
          : `It belongs to one person${now !== undefined && now !== profileId ? ', who was another profile when it came' : ''}. ${
              edges.length === 0 ? 'It proved no link that was not known.' : 'It was the first to prove a link.'
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
        ...edges.map((edge) => ({
          label: 'Link',
          says: `${label.get(edge.a) ?? edge.a} – ${label.get(edge.b) ?? edge.b}: ${edge.rule}${edge.cut ? ', cut since' : ''}`,
        })),
        ...decisions.map((one) => ({
          label: kinds[one.kind] ?? one.kind,
          says: `${one.identifiers.map((id) => label.get(id) ?? id).join(', ')}: ${one.because}`,
        })),
      ],
    }
  }
}
