import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'

const windowMs = 60_000
const perAccount = 10
const perAddress = 60
const remembered = 20_000

/** Limits tries per account and per address within a minute, in bounded memory. An address gets more, because an office shares one. */
export function createTries(clock: Clock) {
  const seen = new Map<string, { from: number; count: number }>()
  const count = (key: string, limit: number) => {
    const now = clock.ms()
    const entry = seen.get(key)
    const current = entry !== undefined && now - entry.from < windowMs ? entry : { from: now, count: 0 }
    current.count += 1
    seen.delete(key)
    seen.set(key, current)
    if (seen.size > remembered) {
      const [oldest] = seen.keys()
      if (oldest !== undefined) seen.delete(oldest)
    }
    if (current.count > limit)
      throw new Refusal('too_many_tries', undefined, {
        retryAfterSeconds: Math.ceil((current.from + windowMs - now) / 1000),
      })
  }
  return {
    /** @throws Refusal('too_many_tries') */
    note(account: string, address: string) {
      count(`account ${account.toLowerCase()}`, perAccount)
      count(`address ${address}`, perAddress)
    },
    forget(account: string) {
      seen.delete(`account ${account.toLowerCase()}`)
    },
  }
}
