import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, inject } from 'vitest'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import { connectTo, migrateClickHouse } from '../../platform/clickhouse/open.ts'
import { systemClock } from '../../platform/clock/clock.ts'
import { silentLog } from '../../platform/log/log.ts'
import { createPool, type PostgresAddress } from '../../platform/postgres/pool.ts'
import type { PostgresPool } from '../../platform/postgres/postgres.ts'
import { template } from '../engines.setup.ts'

/** A migrated PostgreSQL database of one's own, gone when the test file ends. */
export async function aPostgres(): Promise<PostgresPool & { address: PostgresAddress }> {
  const { socketDirectory } = inject('postgres')
  const database = `test_${randomBytes(6).toString('hex')}`
  const admin = async (statement: string) => {
    const client = new pg.Client({ host: socketDirectory, user: 'interlock', database: 'postgres' })
    await client.connect()
    // Two copies of one template at the same time are refused, so they queue.
    await client.query('SELECT pg_advisory_lock(1)')
    try {
      await client.query(statement)
    } finally {
      await client.end()
    }
  }
  await admin(`CREATE DATABASE ${database} TEMPLATE ${template}`)
  const address: PostgresAddress = { socketDirectory, database }
  const pool = createPool(address, silentLog, systemClock, 10)
  afterAll(async () => {
    await pool.close()
    await admin(`DROP DATABASE ${database} WITH (FORCE)`)
  })
  return { ...pool, address }
}

/** A migrated ClickHouse database of one's own, gone when the test file ends. */
export async function aClickHouse(): Promise<ClickHouse> {
  const { url, secret } = inject('clickhouse')
  const database = `test_${randomBytes(6).toString('hex')}`
  const child = { url: () => url, secret }
  const main = connectTo(child, 'interlock')
  await main.command(`CREATE DATABASE ${database} ENGINE = Atomic`)
  const clickhouse = connectTo(child, database)
  await migrateClickHouse(clickhouse, new Date())
  afterAll(async () => {
    await clickhouse.close()
    await main.command(`DROP DATABASE ${database}`)
    await main.close()
  })
  return clickhouse
}
