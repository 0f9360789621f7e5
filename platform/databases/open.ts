import { connect } from 'node:net'
import { Refusal } from '../../lib/refusals/refusals.ts'
import { EgressError, type Egress } from '../egress/egress.ts'
import {
  DatabaseProblem,
  type DatabaseAddress,
  type Dial,
  type OtherDatabase,
  type SalesforceAddress,
  type Ways,
} from './database.ts'
import { mysqlSentence, openMysqlElsewhere } from './mysql.ts'
import { openPostgresElsewhere, postgresSentence } from './postgres.ts'
import { openSalesforce } from './salesforce.ts'

const connectMs = 10_000

/** Sockets to databases by the one way out: to the very address that was looked at, and to no private one that is not allowed. */
export function dialBy(egress: Pick<Egress, 'lookUp'>): Dial {
  return async (place) => {
    const { address, port } = await egress.lookUp(place)
    const socket = connect({ host: address, port, timeout: connectMs })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
      socket.once('timeout', () => {
        socket.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' }))
      })
    })
    // From here the driver listens, and a statement may take as long as it takes.
    socket.setTimeout(0)
    socket.setKeepAlive(true, 30_000)
    return socket
  }
}

/**
 * Opens a database of somebody else, to read.
 * @throws DatabaseProblem with a sentence that says what to correct; Refusal of the egress when the address is not allowed
 */
export async function openDatabase(address: DatabaseAddress | SalesforceAddress, ways: Ways): Promise<OtherDatabase> {
  if (address.kind === 'salesforce') return openSalesforce(address, ways)
  try {
    const socket = await ways.dial({ host: address.host, port: address.port })
    try {
      const opened =
        address.kind === 'postgres'
          ? await openPostgresElsewhere(address, socket, connectMs)
          : await openMysqlElsewhere(address, socket, connectMs)
      return told(opened, (error) => problemOf(error, address))
    } catch (error) {
      socket.destroy()
      throw error
    }
  } catch (error) {
    throw problemOf(error, address)
  }
}

/** The same database, with what it refuses as a sentence. */
function told(database: OtherDatabase, problem: (error: unknown) => Error): OtherDatabase {
  const tell = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work()
    } catch (error) {
      throw problem(error)
    }
  }
  return {
    version: database.version,
    tables: () => tell(() => database.tables()),
    columns: (from) => tell(() => database.columns(from)),
    look: (from, columns, rows) => tell(() => database.look(from, columns, rows)),
    close: () => database.close(),
    async snapshot(from, finding) {
      const snapshot = await tell(() => database.snapshot(from, finding))
      return {
        mark: snapshot.mark,
        withoutKey: (relation, key) => tell(() => snapshot.withoutKey(relation, key)),
        async *read(reading) {
          const rows = snapshot.read(reading)
          try {
            for (;;) {
              const next = await tell(() => rows.next())
              if (next.done === true) return
              yield next.value
            }
          } finally {
            await rows.return(undefined).catch(() => undefined)
          }
        },
        close: (goesOn) => snapshot.close(goesOn),
      }
    },
  }
}

/** The error as a sentence; a password is in none of them. */
function problemOf(error: unknown, address: DatabaseAddress): Error {
  if (error instanceof Refusal || error instanceof DatabaseProblem) return error
  if (error instanceof EgressError)
    return new DatabaseProblem(
      error.fault === 'denied'
        ? `This address is not allowed. Ask an administrator to allow exactly ${address.host}:${String(address.port)} (INTERLOCK_EGRESS_ALLOW).`
        : error.message,
    )
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  const message = error instanceof Error ? error.message : String(error)
  const where = `${address.host}:${String(address.port)}`
  const known = address.kind === 'postgres' ? postgresSentence(code, address) : mysqlSentence(code, address)
  const sentence =
    known ??
    (/ECONNREFUSED|ENOENT/.test(code)
      ? `Nothing answers at ${where}.`
      : /ENOTFOUND|EAI_AGAIN/.test(code)
        ? `There is no host named ${address.host}.`
        : /does not support SSL/.test(message)
          ? 'The server does not offer TLS.'
          : /CERT|SELF_SIGNED|ERR_TLS|UNABLE_TO_VERIFY/.test(code)
            ? 'The certificate of the server is not one that this machine trusts. Choose “encrypted, any certificate” where that is as it should be.'
            : /ETIMEDOUT|timeout/i.test(code + message)
              ? `${where} did not answer in time.`
              : /ECONNRESET|PROTOCOL_CONNECTION_LOST|terminated|closed state|Cannot enqueue/i.test(code + message)
                ? 'The connection ended.'
                : `The database said: ${message.slice(0, 300)}`)
  const problem = new DatabaseProblem(sentence)
  problem.cause = error
  return problem
}
