import type { Clock } from '../../../platform/clock/clock.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids, Random } from '../../../platform/random/random.ts'
import type { Secrets } from '../../../platform/secrets/secrets.ts'
import type { Audit } from '../../audit/server/index.ts'

export interface AccountNeeds {
  postgres: Postgres
  clock: Clock
  random: Random
  ids: Ids
  audit: Audit
  secrets: Secrets
  /** The address under which people reach this server; known once it listens. */
  publicUrl(): string
  /** Demo company: the password of all, and what each does. */
  demo?: { password: string; titles: Record<string, string> }
}
