import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { systemClock } from '../platform/clock/clock.ts'
import { createLog } from '../platform/log/log.ts'
import { startPostgres } from '../platform/postgres/child.ts'
import { aChild } from './parts/child.ts'
import { removeDataDirs } from '../platform/data-dir/remove.ts'

const rows = 300_000
/** Rows of which one column changes before the second run. */
const changed = 100_000

interface Ran {
  rows: number
  sent: number
  seconds: number
  cpuSeconds: number
  rssMb: number
}

/** Pulls a table of customers from a PostgreSQL on the same machine: everything, then what changed, then nothing. */
export async function run() {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-bench-pull-'))
  await mkdir(join(folder, 'legacy'))
  const legacy = await startPostgres(join(folder, 'legacy'), createLog('error'), systemClock)
  try {
    const client = new pg.Client({ host: legacy.socketDirectory, user: 'interlock', database: 'postgres' })
    await client.connect()
    await client.query(
      `CREATE TABLE kunder (id bigint PRIMARY KEY, email text, first_name text, last_name text, city text, country text, updated_at timestamptz)`,
    )
    await client.query(
      `INSERT INTO kunder SELECT n, 'kund' || n || '@fjord.example', 'Åsa ' || n % 700, 'Lind ' || n % 9000, 'Malmö', 'SE', now() FROM generate_series(1, $1::int) n`,
      [rows],
    )
    await client.query('VACUUM ANALYZE kunder')
    const server = await aChild(join(import.meta.dirname, 'pull/server.ts'), [
      join(folder, 'data'),
      join(legacy.socketDirectory, '.s.PGSQL.5432'),
    ])
    try {
      const first = await server.ask<Ran>('run')
      await client.query(`UPDATE kunder SET city = 'Lund', updated_at = now() WHERE id <= $1`, [changed])
      const second = await server.ask<Ran>('run')
      const third = await server.ask<Ran>('run')
      const stored = await server.ask<{ events: number; seconds: number }>('drained')
      if (first.sent !== rows || second.sent !== changed || third.sent !== 0 || stored.events !== rows + changed)
        throw new Error(`Not what was there: ${JSON.stringify({ first, second, third, stored })}`)
      return {
        figures: {
          rows,
          rows_per_second: Math.round(first.rows / first.seconds),
          rows_per_cpu_second: Math.round(first.rows / first.cpuSeconds),
          rss_mb: first.rssMb,
          cpu_seconds: Math.round(first.cpuSeconds * 10) / 10,
          changed_rows_per_second: Math.round(second.rows / second.seconds),
          nothing_changed_seconds: Math.round(third.seconds * 100) / 100,
          stored_events_per_second: Math.round(stored.events / stored.seconds),
        },
        notes: [
          'From the first byte read to every row on our disk (the journal) and written down as known; the other database, ours and the program share the machine.',
          'rows_per_cpu_second is of the program alone: what it reads in a second in which nobody else has its processor.',
          'rss_mb is the most that the program itself had while it read; the engines are processes of their own.',
        ],
      }
    } finally {
      await client.end()
      await server.stop()
    }
  } finally {
    await legacy.stop()
    await removeDataDirs(folder)
  }
}
