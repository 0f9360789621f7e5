import { Secret, TOTP } from 'otpauth'
import type { Role, Side } from '../../modules/accounts/contract.ts'
import { createAccounts, type Accounts } from '../../modules/accounts/server/index.ts'
import { createAudit, type Audit } from '../../modules/audit/server/index.ts'
import { stoppedClock, type StoppedClock } from '../../platform/clock/clock.ts'
import type { Caller } from '../../platform/http/caller.ts'
import type { PostgresPool } from '../../platform/postgres/postgres.ts'
import { createIds, systemRandom } from '../../platform/random/random.ts'
import { createSecrets } from '../../platform/secrets/secrets.ts'
import { aPostgres } from './engines.ts'

export const officeUrl = 'https://il.example'
export const password = 'correct horse battery'

/** Accounts on a real database, with a clock that is moved by hand. */
export interface Office {
  postgres: PostgresPool
  clock: StoppedClock
  audit: Audit
  accounts: Accounts
  /** Somebody joins; gives the e-mail address. */
  join(side: Side, roles: Role[]): Promise<string>
  /** Signs in with the password that everybody has. */
  enter(email: string): Promise<{ token: string; caller: Caller }>
  /** The session again, as a next request sees it. */
  again(token: string): Promise<Caller>
  /** Sets up an authenticator right after signing in; gives how to make codes, and moves to a time step that was not used. */
  authenticator(token: string): Promise<() => string>
  deeds(): Promise<string[]>
}

let count = 0

export async function anOffice(options: { demo?: boolean } = {}): Promise<Office> {
  const postgres = await aPostgres()
  const clock = stoppedClock()
  const audit = createAudit({ postgres, clock })
  const accounts = createAccounts({
    postgres,
    clock,
    random: systemRandom,
    ids: createIds(clock, systemRandom),
    audit,
    secrets: createSecrets(systemRandom.bytes(32), systemRandom),
    publicUrl: () => officeUrl,
    ...(options.demo === true ? { demo: { password, titles: {} } } : {}),
  })
  const again = async (token: string) => {
    const caller = await accounts.bySession(token)
    if (caller === undefined) throw new Error('the session has ended')
    return caller
  }
  return {
    postgres,
    clock,
    audit,
    accounts,
    again,
    async join(side, roles) {
      count += 1
      const email = `zoë.${String(count)}@fjörd.example`
      await postgres.transaction((tx) =>
        accounts.createPerson(tx, { email, name: `Zoë O’Łoś ${String(count)}`, side, roles, password }),
      )
      return email
    },
    enter: (email) => accounts.signIn(email, password, '192.0.2.7'),
    async authenticator(token) {
      const { secret } = await accounts.startTotp(await again(token))
      const codes = new TOTP({ secret: Secret.fromBase32(secret), period: 30 })
      const code = () => codes.generate({ timestamp: clock.ms() })
      await accounts.confirmTotp(await again(token), code())
      await clock.advance(60_000)
      return code
    },
    deeds: async () => (await audit.list({ limit: 200 })).map((entry) => entry.deed),
  }
}
