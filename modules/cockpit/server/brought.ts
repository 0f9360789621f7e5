import type { Freshness } from '../../../lib/schedule/freshness.ts'
import type { Taking } from '../../standing-imports/contract.ts'
import type { Task } from '../contract.ts'

interface Feeding {
  id: string
  name: string
  freshness: Freshness
}
/** What other systems bring us, of every kind. */
export interface Brought {
  pulls: readonly Feeding[]
  feeds: readonly Feeding[]
  webhooks: readonly Feeding[]
  standing: readonly (Feeding & {
    last: Pick<Taking, 'fileName' | 'state' | 'importState' | 'asks' | 'takenAt'> | null
  })[]
}

const hours = (count: number) =>
  count === 1 ? 'an hour' : count % 24 === 0 ? daysOf(count / 24) : `${String(count)} hours`
const daysOf = (count: number) => (count === 1 ? 'a day' : `${String(count)} days`)

/**
 * What of it needs somebody: a file that is not read before its columns are looked at (whoever works with the data can say what they mean), and, for IT,
 * a promise of freshness that was missed.
 */
export function tasksOfBrought(brought: Brought, side: 'marketing' | 'it'): Task[] {
  const asking = brought.standing.flatMap(({ id, name, last }): Task[] =>
    last?.state === 'open' && last.asks !== null && (last.importState === 'uploaded' || last.importState === 'checked')
      ? [
          {
            key: `${id} asks`,
            title: `“${name}” asks what is in ${last.fileName}`,
            sentence: last.asks.first
              ? 'It is the first file. Say what its columns mean; later ones are read the same way.'
              : `Its columns are not those of the file before${changesOf(last.asks)}. Nothing of it is read until somebody looks.`,
            href: `/standing-imports/${id}`,
            act: 'Look at the file',
            lane: null,
            needs: null,
            since: last.takenAt,
          },
        ]
      : [],
  )
  if (side !== 'it') return asking
  const late = [
    ...brought.pulls.map((one) => lateOf(one, 'pull', `/pulls/${one.id}`)),
    ...brought.feeds.map((one) => lateOf(one, 'feed', `/feeds/${one.id}`)),
    ...brought.webhooks.map((one) => lateOf(one, 'webhook', `/webhooks/${one.id}`)),
    ...brought.standing.map((one) => lateOf(one, 'standing import', `/standing-imports/${one.id}`)),
  ]
  return [...asking, ...late.filter((task) => task !== undefined)]
}

function changesOf({ added, missing }: { added: readonly string[]; missing: readonly string[] }): string {
  const some = (names: readonly string[]) => names.slice(0, 3).join(', ') + (names.length > 3 ? ' and more' : '')
  const said = [
    ...(added.length === 0 ? [] : [`new: ${some(added)}`]),
    ...(missing.length === 0 ? [] : [`gone: ${some(missing)}`]),
  ]
  return said.length === 0 ? '' : ` (${said.join('; ')})`
}

function lateOf({ id, name, freshness }: Feeding, kind: string, href: string): Task | undefined {
  if (!freshness.missed || freshness.promiseHours === null) return undefined
  return {
    key: `${id} is late`,
    title: `What the ${kind} “${name}” brings is older than was promised`,
    sentence: `It was promised to be at most ${hours(freshness.promiseHours)} old; ${freshness.freshAt === null ? 'nothing ever came' : 'what is here is older'}.`,
    href,
    act: 'See what stopped it',
    lane: null,
    needs: null,
    since: freshness.freshAt,
  }
}
