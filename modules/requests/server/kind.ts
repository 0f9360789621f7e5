import type { Id } from '../../../lib/ids/ids.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Facts } from '../../policy/contract.ts'
import type { Check, Covered } from '../contract.ts'
import type { Clearance } from './clearance.ts'

/** Everything that a key is on: what is covered, who edited any of it last, and the content itself as a JSON value. */
export interface Closure {
  covers: Covered[]
  editors: Id<'account'>[]
  /** Canonicalised (RFC 8785) and hashed: the whole of what will happen, transitively. */
  content: Record<string, unknown>
}

/**
 * A kind of change that can go live: one value, registered in build.ts. Every method reads within the transaction that it is given, so that what
 * is judged, signed and executed is one state.
 */
export interface ChangeKind {
  kind: string
  /** The page of the thing. */
  href(objectId: string): string
  /** The page of what came of it, once it went live. */
  report?(objectId: string): string
  describe(tx: Postgres, objectId: string): Promise<{ title: string; sub: string }>
  /** @param running true once it is live: then only what may still change is read anew */
  closure(tx: Postgres, objectId: string, running: boolean): Promise<Closure>
  facts(tx: Postgres, objectId: string): Promise<Omit<Facts, 'staff'>>
  /** What it does, in rows for people. */
  does(
    tx: Postgres,
    objectId: string,
    facts: Facts,
  ): Promise<{ label: string; says: string; fields?: { label: string; sensitivity: number }[] }[]>
  preflight(tx: Postgres, objectId: string): Promise<Check[]>
  /** Makes it live, within the transaction that checked everything. */
  execute(tx: Postgres, objectId: string, clearance: Clearance): Promise<void>
  /** A key was withdrawn or something changed: stop. What has begun ends within one batch, because the claim asks again. */
  halted(tx: Postgres, objectId: string, because: string): Promise<void>
}
