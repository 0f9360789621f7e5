import type { z } from 'zod'
import type { Postgres } from '../postgres/postgres.ts'

/** A kind of background work: safe to run twice, with a bounded number of tries. The payload's type follows from its schema. */
export interface Job<Payload extends z.ZodType> {
  /** `module.deed`, for example `journeys.send`. */
  name: string
  payload: Payload
  maxTries: number
  run(payload: z.output<Payload>, signal: AbortSignal): Promise<void>
}

/** A job of one name, whose payload is parsed before it runs. @param maxTries after which people see it as dead */
export function job<Payload extends z.ZodType>(
  name: string,
  payload: Payload,
  run: Job<Payload>['run'],
  maxTries = 8,
): Job<Payload> {
  return { name, payload, maxTries, run }
}

export interface Jobs {
  register<Payload extends z.ZodType>(definition: Job<Payload>): void
  /** Enqueued in the transaction of the change it follows. A `key` collapses duplicates that wait; `runAt` delays. */
  enqueue<Payload extends z.ZodType>(
    tx: Postgres,
    definition: Job<Payload>,
    payload: z.input<Payload>,
    options?: { key?: string; runAt?: Date },
  ): Promise<void>
  /** Jobs that used up their tries, for the page on which people see them. */
  dead(): Promise<{ id: string; name: string; error: string; lastTriedAt: Date }[]>
  /** How long the job that is due and waits longest has waited, in ms of the database's clock; 0 when none waits. */
  oldestWaitingMs(): Promise<number>
  /** Takes back what workers that are gone had begun, then works. Once, by the process that holds the claim on the database. */
  start(): Promise<void>
  stop(): Promise<void>
}
