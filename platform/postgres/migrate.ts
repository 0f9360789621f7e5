import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { connectionOf, type PostgresAddress } from './pool.ts'
import type { Postgres } from './postgres.ts'

/** Any number; the same for all of us, so that two servers starting together wait for each other. */
const advisoryLock = 7_411_902

export interface Migration {
  name: string
  text: string
  checksum: string
}

/** The migrations of a folder in the order of their names. */
export function readMigrations(directory: string): Migration[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => {
      const text = readFileSync(join(directory, name), 'utf8')
      return { name: name.replace(/[.]sql$/, ''), text, checksum: createHash('sha256').update(text).digest('hex') }
    })
}

/**
 * Applies what is new, in the order of the names, each in a transaction that writes its own row first. Forward only.
 * @returns the names that were applied now
 * @throws when an applied one was edited, or when the database is newer than this program
 */
export async function migratePostgres(
  address: PostgresAddress,
  migrations: readonly Migration[],
  now: Date,
): Promise<string[]> {
  const client = new pg.Client(connectionOf(address))
  await client.connect()
  try {
    await client.query('SELECT pg_advisory_lock($1)', [advisoryLock])
    await client.query(`CREATE SCHEMA IF NOT EXISTS platform`)
    await client.query(
      `CREATE TABLE IF NOT EXISTS platform.migration (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL)`,
    )
    const { rows } = await client.query<{ name: string; checksum: string }>(
      'SELECT name, checksum FROM platform.migration',
    )
    const applied = new Map(rows.map((row) => [row.name, row.checksum]))
    const known = new Set(migrations.map((migration) => migration.name))
    const newer = [...applied.keys()].filter((name) => !known.has(name))
    if (newer.length > 0)
      throw new Error(
        `The database is newer than this program: it has ${newer.join(', ')}. Start the newer program; there is no way back.`,
      )
    const done: string[] = []
    for (const { name, text, checksum } of migrations) {
      const before = applied.get(name)
      if (before !== undefined && before !== checksum)
        throw new Error(
          `The migration ${name} was edited after it had been applied. Undo the edit and write a new migration.`,
        )
      if (before !== undefined) continue
      try {
        await client.query('BEGIN')
        await client.query('INSERT INTO platform.migration VALUES ($1, $2, $3)', [name, checksum, now])
        await client.query(text)
        await client.query('COMMIT')
      } catch (error) {
        await client.query('ROLLBACK')
        throw new Error(`The migration ${name} failed: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        })
      }
      done.push(name)
    }
    return done
  } finally {
    await client.end()
  }
}

/** How a database stands to this program. */
export interface MigrationState {
  /** Names that the next start would apply. */
  pending: string[]
  /** Names that this program does not know: the database belongs to a newer one. */
  newer: string[]
}

/** Reads, and changes nothing. */
export async function migrationState(postgres: Postgres, migrations: readonly Migration[]): Promise<MigrationState> {
  const [there] = await postgres.query<{ yes: boolean }>(`SELECT to_regclass('platform.migration') IS NOT NULL AS yes`)
  const applied = new Set(
    there?.yes === true
      ? (await postgres.query<{ name: string }>('SELECT name FROM platform.migration')).map((row) => row.name)
      : [],
  )
  const known = new Set(migrations.map((migration) => migration.name))
  return {
    pending: [...known].filter((name) => !applied.has(name)),
    newer: [...applied].filter((name) => !known.has(name)),
  }
}

/** Runs `work` while no other process migrates: for stores that have no lock of their own. */
export async function whileNobodyMigrates<Result>(
  address: PostgresAddress,
  work: () => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client(connectionOf(address))
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query('SELECT pg_advisory_lock($1)', [advisoryLock])
    return await work()
  } finally {
    await client.end()
  }
}

/** Makes the database `name` when the server has none. */
export async function ensureDatabase(socketDirectory: string, name: string): Promise<void> {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`not a name for a database: ${name}`)
  const client = new pg.Client({ host: socketDirectory, user: 'interlock', database: 'postgres' })
  await client.connect()
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${name}`)
  } finally {
    await client.end()
  }
}
