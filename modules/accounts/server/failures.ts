import type { Clock } from '../../../platform/clock/clock.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Audit } from '../../audit/server/index.ts'

const hourMs = 3_600_000
const remembered = 10_000

/**
 * Failed proofs in the audit log, counted and not one by one: the 1st, 10th, 100th … of a person within an hour is written, so that a flood is
 * seen and does not fill the log. Addresses that nobody has are counted together, and the address itself is written nowhere.
 */
export function createFailures(needs: { postgres: Postgres; clock: Clock; audit: Audit }) {
  const seen = new Map<string, { from: number; count: number }>()
  return {
    async note(deed: 'account.sign_in_failed' | 'account.step_up_failed', personId: string | undefined): Promise<void> {
      const key = `${deed} ${personId ?? 'unknown'}`
      const now = needs.clock.ms()
      const entry = seen.get(key)
      const current = entry !== undefined && now - entry.from < hourMs ? entry : { from: now, count: 0 }
      current.count += 1
      seen.delete(key)
      seen.set(key, current)
      if (seen.size > remembered) {
        const [oldest] = seen.keys()
        if (oldest !== undefined) seen.delete(oldest)
      }
      if (!/^10*$/.test(String(current.count))) return
      const { count } = current
      await needs.postgres.transaction((tx) =>
        needs.audit.write(tx, {
          actor: { kind: 'system', id: 'accounts' },
          deed,
          object: { kind: 'account', id: personId ?? 'unknown' },
          summary: deed === 'account.sign_in_failed' ? 'a sign-in failed' : 'a proof of presence failed',
          facts: { withinTheHour: count },
        }),
      )
    },
  }
}
export type Failures = ReturnType<typeof createFailures>
