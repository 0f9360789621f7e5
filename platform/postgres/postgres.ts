import type { Kysely } from 'kysely'

/**
 * The state store. A module asks for its own schema, typed with its own tables only, so another module's table does not compile.
 * Inside a transaction the store is made from the `tx` that is handed in; there is no other handle to use by mistake.
 */
export interface Postgres {
  /** Kysely over one schema. `Tables` lists that module's tables (and the published views of others it may read). */
  schema<Tables>(name: string): Kysely<Tables>
  /** One statement with `$1` parameters, for what a query builder only obscures (claims, bulk upserts with unnest). Never build `text` from user input. */
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /**
   * Runs `work` in one transaction and commits when it resolves. Serialization failures and deadlocks (40001, 40P01) are retried
   * up to 5 times, so `work` must be safe to run again. Called on a `tx` it joins that transaction.
   */
  transaction<Result>(
    work: (tx: Postgres) => Promise<Result>,
    options?: { isolation?: 'read committed' | 'repeatable read' | 'serializable' },
  ): Promise<Result>
  /** Runs after the outermost transaction has committed (at once when there is none). Not run on rollback. */
  afterCommit(work: () => void): void
}

/** The pool, owned by the process that opened it. */
export interface PostgresPool extends Postgres {
  /** Resolves when a query was answered. @throws when the server is away */
  ping(): Promise<void>
  close(): Promise<void>
}
