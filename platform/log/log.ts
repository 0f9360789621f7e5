import { pino } from 'pino'

/** One JSON line an entry, on standard error. Never write a secret or a personal value into it: ids and counts only. */
export interface Log {
  info(what: string, facts?: Record<string, unknown>): void
  warn(what: string, facts?: Record<string, unknown>): void
  error(what: string, error: unknown, facts?: Record<string, unknown>): void
  child(facts: Record<string, unknown>): Log
}

type Pino = ReturnType<typeof pino>

function wrap(logger: Pino): Log {
  return {
    info(what, facts = {}) {
      logger.info(facts, what)
    },
    warn(what, facts = {}) {
      logger.warn(facts, what)
    },
    error(what, error, facts = {}) {
      logger.error({ ...facts, err: error instanceof Error ? error : new Error(String(error)) }, what)
    },
    child: (facts) => wrap(logger.child(facts)),
  }
}

export function createLog(level: 'debug' | 'info' | 'warn' | 'error' | 'silent'): Log {
  return wrap(
    pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true })),
  )
}

/** Says nothing: for tests. */
export const silentLog: Log = createLog('silent')
