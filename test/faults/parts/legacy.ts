import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { systemClock } from '../../../platform/clock/clock.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { startPostgres } from '../../../platform/postgres/child.ts'
import { aMariaDb } from '../../make/mariadb.ts'
import { removeDataDirs } from '../../../platform/data-dir/remove.ts'

/** A database of the old system with writers in it; what it holds at the end is what must be here. */
export interface Legacy {
  kind: 'postgres' | 'mysql'
  /** Unix socket of the server; undefined where it listens on a port. */
  socket: string | undefined
  connection: { port: number; database: string; user: string; password: string }
  /** A connection of a writer of its own. */
  writer(): Promise<Writer>
  stop(): Promise<void>
}
export interface Writer {
  run(statement: string): Promise<void>
  rows(statement: string): Promise<string[][]>
  end(): Promise<void>
}

const table = (time: string) => `CREATE TABLE kunder (id bigint PRIMARY KEY, city varchar(80), updated_at ${time} NULL)`

export async function aLegacyPostgres(): Promise<Legacy> {
  const folder = mkdtempSync(join(tmpdir(), 'il-legacy-'))
  const child = await startPostgres(folder, silentLog, systemClock)
  const writer = async (): Promise<Writer> => {
    const client = new pg.Client({ host: child.socketDirectory, user: 'interlock', database: 'postgres' })
    await client.connect()
    return {
      run: async (statement) => {
        await client.query(statement)
      },
      rows: async (statement) => (await client.query<string[]>({ text: statement, rowMode: 'array' })).rows,
      end: () => client.end(),
    }
  }
  const first = await writer()
  await first.run(table('timestamptz(6)'))
  await first.end()
  return {
    kind: 'postgres',
    socket: join(child.socketDirectory, '.s.PGSQL.5432'),
    connection: { port: 5432, database: 'postgres', user: 'interlock', password: '' },
    writer,
    async stop() {
      await child.stop()
      await removeDataDirs(folder)
    },
  }
}

export async function aLegacyMariaDb(): Promise<Legacy> {
  const server = await aMariaDb()
  const writer = async (): Promise<Writer> => {
    const connection = await server.connect()
    return {
      run: async (statement) => {
        await connection.query(statement)
      },
      rows: async (statement) =>
        (await connection.query({ sql: statement, rowsAsArray: true }))[0] as unknown as string[][],
      end: () => connection.end(),
    }
  }
  const first = await writer()
  await first.run(`${table('datetime(6)')} ENGINE=InnoDB; CREATE INDEX changed ON kunder (updated_at, id)`)
  await first.end()
  const { port, database, user, password } = server
  return {
    kind: 'mysql',
    socket: undefined,
    connection: { port, database, user, password },
    writer,
    stop: () => server.stop(),
  }
}
