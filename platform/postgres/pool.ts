import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { Refusal } from '../../lib/refusals/refusals.ts'
import type { Clock } from '../clock/clock.ts'
import type { Log } from '../log/log.ts'
import type { Postgres, PostgresPool } from './postgres.ts'

/** Counts and ids of ours fit a double; a value that does not is a bug and says so. */
const int8 = (text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new Error(`the integer ${text} is too large`)
  return value
}
/** Type ids of PostgreSQL's catalogue (pg_type.oid). */
const bigint: number = pg.types.builtins.INT8
const date: number = pg.types.builtins.DATE
const types = {
  getTypeParser(oid: number, format?: string) {
    if (oid === bigint) return int8
    // A calendar date stays a date: no zone turns it into another day.
    if (oid === date) return (text: string) => text
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the driver types its own catalogue's ids as an enum
    return pg.types.getTypeParser(oid, format as 'text')
  },
}

const again = new Set(['40001', '40P01'])
/** 53100: its disk is full, which is nobody's statement's fault. */
const away = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', '57P01', '57P02', '57P03', '53300', '53100'])

/** Where a PostgreSQL is: the socket folder of the embedded one, or a connection string. */
export type PostgresAddress = { socketDirectory: string; database: string } | { url: string }

export function connectionOf(address: PostgresAddress): pg.ClientConfig {
  return 'url' in address
    ? { connectionString: address.url }
    : { host: address.socketDirectory, user: 'interlock', database: address.database }
}

/** A pool of at most `size` connections; statements that find the server away become Refusal('busy'). */
export function createPool(address: PostgresAddress, log: Log, clock: Clock, size = 20): PostgresPool {
  const pool = new pg.Pool({
    ...connectionOf(address),
    max: size,
    types,
    connectionTimeoutMillis: 10_000,
    application_name: 'interlock',
    statement_timeout: 120_000,
  })
  // The pool listens while a connection is idle. One that ends between two statements of a transaction fails the next statement, not the process.
  pool.on('connect', (client) => {
    client.on('error', () => undefined)
  })
  pool.on('error', (error) => {
    log.warn('an idle connection to PostgreSQL ended', { because: error.message })
  })
  const dialect = new PostgresDialect({ pool })
  const schemas = new Map<string, Kysely<unknown>>()

  const postgres: PostgresPool = {
    schema<Tables>(name: string) {
      const known = schemas.get(name)
      if (known !== undefined) return known as Kysely<Tables>
      const made = new Kysely<Tables>({ dialect }).withSchema(name)
      schemas.set(name, made as Kysely<unknown>)
      return made
    },
    async query<Row>(text: string, values: readonly unknown[] = []) {
      return tell(async () => (await pool.query(text, [...values])).rows as Row[])
    },
    async transaction(work, options = {}) {
      for (let attempt = 1; ; attempt++) {
        const client = await tell(() => pool.connect())
        const committed: (() => void)[] = []
        try {
          await client.query(`BEGIN ISOLATION LEVEL ${(options.isolation ?? 'read committed').toUpperCase()}`)
          const result = await work(inside(client, committed))
          await client.query('COMMIT')
          client.release()
          for (const after of committed) after()
          return result
        } catch (error) {
          const code = codeOf(error)
          // A connection on which the rollback fails is of no more use.
          const broken = await client.query('ROLLBACK').then(
            () => false,
            () => true,
          )
          client.release(broken)
          if (code === undefined || !again.has(code) || attempt >= 5) throw asTold(error)
          await clock.sleep(attempt * 10 + (clock.ms() % 17))
        }
      }
    },
    afterCommit(work) {
      work()
    },
    async ping() {
      await pool.query('SELECT 1')
    },
    close: () => pool.end(),
  }
  return postgres
}

/** The same front door over one connection inside a transaction. */
function inside(client: pg.PoolClient, committed: (() => void)[]): Postgres {
  const dialect = new PostgresDialect({
    pool: {
      options: {},
      connect: () => Promise.resolve({ query: client.query.bind(client), release: () => undefined }),
      end: () => Promise.resolve(),
    },
  })
  const tx: Postgres = {
    schema: <Tables>(name: string) => new Kysely<Tables>({ dialect }).withSchema(name),
    query: async <Row>(text: string, values: readonly unknown[] = []) =>
      (await client.query(text, [...values])).rows as Row[],
    transaction: (work) => work(tx),
    afterCommit(work) {
      committed.push(work)
    },
  }
  return tx
}

function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

async function tell<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw asTold(error)
  }
}

/** The error as others get it: Refusal('busy') when the server is away or has no room, itself otherwise. */
function asTold(error: unknown): unknown {
  const code = codeOf(error)
  const lost =
    error instanceof Error && /timeout exceeded when trying to connect|Connection terminated/.test(error.message)
  if ((code === undefined || !away.has(code)) && !lost) return error
  const refusal = new Refusal('busy', 'The database cannot be reached now.', { retryAfterSeconds: 5 })
  refusal.cause = error
  return refusal
}
