import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Clearance, Requests } from '../../requests/server/index.ts'
import { destinationStore, type DestinationRow } from './store.ts'

/** What may leave for one destination now, and the agreement that says so. */
export interface Cleared {
  readonly clearance: Clearance
  /** The row as it was when the agreement was looked at, in the same transaction. */
  readonly row: DestinationRow
}

/**
 * The clearance table: what signed agreements permit, compiled into memory, keyed by destination, purpose and set of fields. What is not in it is
 * denied. It is compiled again every few seconds and at once after every change here; while the database is away the last good table stays in force.
 */
export interface Clearances {
  /** Asked before each delivery. Undefined: nothing may leave. */
  find(destinationId: string, purpose: string, fields: readonly string[]): Cleared | undefined
  /** The entry of a destination, whatever its purpose and fields. */
  of(destinationId: string): Cleared | undefined
  /** Destinations that events are kept for. */
  begun(): readonly DestinationRow[]
  compile(): Promise<void>
  /** At once, before anything else is asked. */
  deny(destinationId: string): void
}

const keyOf = (destinationId: string, purpose: string, fields: readonly string[]) =>
  JSON.stringify([destinationId, purpose, [...new Set(fields)].sort()])

export function createClearances(needs: {
  postgres: Postgres
  requests: Pick<Requests, 'recheck' | 'halt'>
  log: Log
  /** Something may or may not leave that could or could not before. */
  changed: () => void
}): Clearances {
  const { postgres, requests, log } = needs
  let table = new Map<string, Cleared>()
  let byDestination = new Map<string, Cleared>()
  let begun: DestinationRow[] = []
  /** Counts what was denied, so that a compilation that began before does not bring it back. */
  let denials = 0
  let compiling: Promise<void> | undefined

  /** One agreement, asked in one transaction together with what it is on. */
  async function ask(row: DestinationRow): Promise<Cleared | undefined> {
    const { release_hash: hash } = row
    if (hash === null) return undefined
    try {
      return await postgres.transaction(
        async (tx) => {
          const clearance = await requests.recheck(tx, hash)
          const now = await destinationStore(tx).get(row.id)
          if (now?.state !== 'live' || clearance.kind !== 'integration' || clearance.objectId !== row.id)
            return undefined
          return { clearance, row: now }
        },
        { isolation: 'repeatable read' },
      )
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (error.code === 'needs_agreement') {
        await requests.halt(hash, error.message)
        await destinationStore(postgres).move(row.id, ['live', 'paused'], 'halted', error.message)
      }
      return undefined
    }
  }
  const same = (a: Cleared | undefined, b: Cleared) =>
    a?.clearance.executionId === b.clearance.executionId &&
    a.row.version === b.row.version &&
    a.row.secrets_version === b.row.secrets_version

  async function compile(): Promise<void> {
    const before = denials
    const rows = await destinationStore(postgres).begun()
    const found = new Map<string, Cleared>()
    for (const row of rows) {
      if (row.state !== 'live') continue
      const cleared = await ask(row)
      if (cleared === undefined) continue
      const known = byDestination.get(row.id)
      // The same agreement stays the same value, so that whoever works under it is not interrupted.
      found.set(row.id, known !== undefined && same(known, cleared) ? known : cleared)
    }
    if (before !== denials) return compile()
    const moved =
      found.size !== byDestination.size || [...found].some(([id, cleared]) => byDestination.get(id) !== cleared)
    const more = rows.length !== begun.length
    begun = rows
    byDestination = found
    table = new Map(
      [...found].map(([id, cleared]) => [
        keyOf(id, cleared.row.contract.purpose, cleared.row.contract.fields),
        cleared,
      ]),
    )
    if (moved || more) needs.changed()
  }

  return {
    find: (destinationId, purpose, fields) => table.get(keyOf(destinationId, purpose, fields)),
    of: (destinationId) => byDestination.get(destinationId),
    begun: () => begun,
    async compile() {
      // One at a time; whoever asks meanwhile gets one that began after they asked.
      const earlier = compiling
      const mine = (async () => {
        await earlier?.catch(() => undefined)
        await compile()
      })()
      compiling = mine
      try {
        await mine
      } catch (error) {
        log.warn('The clearance table could not be compiled; the last good one stays in force.', {
          error: String(error),
        })
        throw error
      } finally {
        if (compiling === mine) compiling = undefined
      }
    },
    deny(destinationId) {
      denials += 1
      const cleared = byDestination.get(destinationId)
      if (cleared === undefined) return
      byDestination.delete(destinationId)
      table.delete(keyOf(destinationId, cleared.row.contract.purpose, cleared.row.contract.fields))
      needs.changed()
    },
  }
}
