import type { Clock } from '../../../../platform/clock/clock.ts'
import type { Egress } from '../../../../platform/egress/egress.ts'
import type { Folder } from '../../../../platform/files/folder.ts'
import type { Random } from '../../../../platform/random/random.ts'
import type { Json } from '../../../collect/contract.ts'
import type { Frequency, Kind, Settings } from '../../contract.ts'

/** One event as it leaves: its stable key, what and when, and the fields that the contract names. Nothing else of it is handed on. */
export interface Leaving {
  key: string
  type: string
  name: string
  /** ISO, when it happened. */
  time: string
  receivedMs: number
  fields: ReadonlyMap<string, Json>
  journalId: string
  position: number
}

/**
 * What became of a delivery. `later`: try again. `refused`: it will never be taken (of several, perhaps one is to blame, and each is tried alone).
 * `stop`: the destination wants nothing more.
 */
export type Outcome =
  | { kind: 'taken' }
  | { kind: 'later'; because: string; retryAfterMs?: number | undefined }
  | { kind: 'refused'; because: string }
  | { kind: 'stop'; because: string }

/** A destination that is open. */
export interface Deliverer {
  /** Never throws for what the other side does. The same events may come again: the key, the row, the object's name are the same then. */
  deliver(events: readonly Leaving[], fields: readonly string[]): Promise<Outcome>
  close(): Promise<void>
}

export interface OpenNeeds {
  destinationId: string
  settings: Settings
  frequency: Frequency
  /** What is in force of a secret now, newest first. */
  secret(name: string): string[]
  egress: Pick<Egress, 'send' | 'open' | 'lookUp'>
  /** A folder of the administrator's choice. @throws Refusal('bad_input') for one that is not allowed */
  folder(path: string): Folder
  clock: Clock
  random: Random
}

/** A kind of destination: one folder, and one line in the registry. */
export interface DestinationKind extends Kind {
  /** How many deliveries at a time, each person always in the same of these lanes. */
  lanes: number
  /** How many events in one delivery, at most. */
  batch(settings: Settings): number
  /** Where it goes, in one line for people; part of what keys are on, with all settings. */
  address(settings: Settings): string
  /** Beyond what the form says. @throws Refusal('bad_input') */
  check(settings: Settings, folder: OpenNeeds['folder'], fields: readonly string[]): void
  /** A new value for a secret that is ours to make. */
  makeSecret?: { name: string; make(random: Random): string }
  open(needs: OpenNeeds): Deliverer
}

export const textOf = (settings: Settings, name: string): string => {
  const value = settings[name]
  return value === undefined ? '' : String(value)
}
