import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Explainer } from '../../collect/server/index.ts'
import { eventAt } from './ledger.ts'
import { wants } from './outgoing.ts'
import { project } from './projection.ts'
import { destinationStore } from './store.ts'

/** Where one event was sent on to, where it waits, and which of its fields stayed here. */
export function explainEvent(postgres: Postgres): Explainer {
  return async ({ event, journalId, position, outcome, profileId }) => {
    const name = 'Destinations'
    if (outcome !== 'stored') return { name, is: 'ok', says: 'Only what is stored is sent on.', facts: [] }
    const facts: { label: string; says: string; to: string }[] = []
    let dead = 0
    for (const row of (await destinationStore(postgres).list()).filter(
      (one) => one.begins_at !== null && wants(one.contract, event),
    )) {
      const to = `/destinations/${row.id}`
      const kept = profileId === undefined ? { event } : { event, profileId }
      const { dropped } = project(kept, new Set(row.contract.fields))
      const stayed =
        dropped.length === 0
          ? ''
          : `; ${String(dropped.length)} ${dropped.length === 1 ? 'field stays' : 'fields stay'} here: ${dropped.slice(0, 12).join(', ')}${dropped.length > 12 ? ' …' : ''}`
      if (row.begins_at !== null && event.receivedMs < row.begins_at.getTime()) {
        facts.push({ label: row.name, says: 'not sent: it arrived before the first launch', to })
        continue
      }
      // An event of an earlier journal has no place that cursors speak of.
      const stands = journalId === '' ? undefined : await eventAt(postgres, row.id, journalId, position)
      if (stands?.letter !== undefined) dead += 1
      const says =
        stands === undefined
          ? 'it came by the contract; the journal it came by is not kept any more'
          : stands.letter !== undefined
            ? `a dead letter: ${stands.letter}`
            : stands.passed
              ? 'delivered'
              : row.state === 'live'
                ? 'waits for its turn'
                : `waits: the destination is ${row.state}`
      facts.push({ label: row.name, says: `${says}${stayed}`, to })
    }
    return {
      name,
      is: dead > 0 ? 'warn' : 'ok',
      says:
        facts.length === 0
          ? 'No destination’s contract names this event.'
          : `${String(facts.length)} ${facts.length === 1 ? 'destination wants' : 'destinations want'} it, by the contracts of today.`,
      facts,
    }
  }
}
