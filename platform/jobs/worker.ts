import { Logger, run, runMigrations, type Runner, type TaskList } from 'graphile-worker'
import pg from 'pg'
import type { z } from 'zod'
import type { Log } from '../log/log.ts'
import { connectionOf, type PostgresAddress } from '../postgres/pool.ts'
import type { Postgres } from '../postgres/postgres.ts'
import type { Job, Jobs } from './jobs.ts'

/** What it has to say that matters comes as events; its chatter stays out of the log. */
const quiet = new Logger(() => () => undefined)

/** A connection that ends while idle, or in use, is told and not thrown. */
function listen(pool: pg.Pool, tell: (error: Error) => void): void {
  pool.on('error', tell)
  pool.on('connect', (client) => client.on('error', tell))
}

/** Brings Graphile Worker's own tables up to date; before anything enqueues. */
export async function prepareJobs(address: PostgresAddress): Promise<void> {
  const pool = new pg.Pool({ ...connectionOf(address), max: 1 })
  listen(pool, () => undefined)
  try {
    await runMigrations({ pgPool: pool, logger: quiet })
  } finally {
    await pool.end()
  }
}

/**
 * Background work on Graphile Worker, in the same PostgreSQL. A job is written in the transaction of the change it follows, so it exists
 * exactly when the change does. A worker that dies loses nothing: its jobs are taken again by the next start, which holds the claim on the
 * database (platform/postgres/claim.ts) and so knows that every other worker is gone. Graphile Worker alone would wait four hours.
 */
export function createJobs(needs: {
  postgres: Postgres
  address: PostgresAddress
  log: Log
  concurrency?: number
}): Jobs {
  const definitions = new Map<string, Job<z.ZodType>>()
  const stopping = new AbortController()
  let runner: Runner | undefined
  let pool: pg.Pool | undefined

  return {
    register(definition) {
      if (definitions.has(definition.name)) throw new Error(`two jobs are named ${definition.name}`)
      definitions.set(definition.name, definition)
    },
    async enqueue(tx, definition, payload, options = {}) {
      definition.payload.parse(payload)
      await tx.query(
        'SELECT graphile_worker.add_job($1, $2::json, run_at => $3, max_attempts => $4, job_key => $5, job_key_mode => $6)',
        [
          definition.name,
          JSON.stringify(payload),
          options.runAt ?? null,
          definition.maxTries,
          options.key ?? null,
          options.key === undefined ? null : 'replace',
        ],
      )
    },
    async dead() {
      const rows = await needs.postgres.query<{
        id: string
        task_identifier: string
        last_error: string | null
        updated_at: Date
      }>(
        `SELECT id::text, task_identifier, last_error, updated_at FROM graphile_worker.jobs WHERE attempts >= max_attempts ORDER BY updated_at DESC LIMIT 100`,
      )
      return rows.map((row) => ({
        id: row.id,
        name: row.task_identifier,
        error: row.last_error ?? '',
        lastTriedAt: row.updated_at,
      }))
    },
    async oldestWaitingMs() {
      const [row] = await needs.postgres.query<{ ms: number | null }>(
        `SELECT (extract(epoch FROM now() - min(run_at)) * 1000)::float8 AS ms FROM graphile_worker._private_jobs
         WHERE run_at <= now() AND locked_at IS NULL AND attempts < max_attempts`,
      )
      return Math.max(0, row?.ms ?? 0)
    },
    async start() {
      const taskList: TaskList = {}
      for (const [name, definition] of definitions) {
        taskList[name] = async (payload) => {
          await definition.run(definition.payload.parse(payload), stopping.signal)
        }
      }
      const workers = new pg.Pool({ ...connectionOf(needs.address), max: (needs.concurrency ?? 4) + 2 })
      listen(workers, (error) => {
        needs.log.warn('a connection of the job worker ended', { because: error.message })
      })
      pool = workers
      await workers.query(
        `SELECT graphile_worker.force_unlock_workers(ARRAY(
           SELECT locked_by FROM graphile_worker._private_jobs WHERE locked_by IS NOT NULL
           UNION SELECT locked_by FROM graphile_worker._private_job_queues WHERE locked_by IS NOT NULL))`,
      )
      runner = await run({
        pgPool: workers,
        taskList,
        concurrency: needs.concurrency ?? 4,
        noHandleSignals: true,
        pollInterval: 1_000,
        parsedCronItems: [],
        logger: quiet,
      })
      runner.events.on('job:error', ({ job, error }) => {
        needs.log.error('a job failed', error, { job: job.task_identifier, attempt: job.attempts })
      })
    },
    async stop() {
      stopping.abort()
      await runner?.stop().catch(() => undefined)
      await pool?.end()
    },
  }
}
