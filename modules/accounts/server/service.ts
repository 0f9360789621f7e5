import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids, Random } from '../../../platform/random/random.ts'
import type { Secrets } from '../../../platform/secrets/secrets.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import {
  roles as roleTable,
  type ApiKey,
  type Me,
  type Permission,
  type Person,
  type Role,
  type Side,
} from '../contract.ts'
import { checkPassword, hashPassword, isCommon } from './passwords.ts'
import {
  authenticationOptions,
  finishAuthentication,
  finishRegistration,
  newTotp,
  registrationOptions,
  totpStep,
  type RelyingParty,
} from './second-factors.ts'
import { accountStore, type ApiKeyRow, type PersonRow } from './store.ts'
import { createTries } from './tries.ts'

const idleMs = 12 * 3_600_000
const oldestMs = 7 * 86_400_000
const stepUpMs = 5 * 60_000
const invitationMs = 7 * 86_400_000

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

export type Accounts = ReturnType<typeof createAccounts>

export function createAccounts(needs: AccountNeeds) {
  const { postgres, clock, random, audit, secrets } = needs
  const store = accountStore(postgres)
  const tries = createTries(clock)
  const hash = (token: string) => createHash('sha256').update(token).digest('hex')
  const newToken = () => Buffer.from(random.bytes(32)).toString('base64url')
  const party = (): RelyingParty => ({
    origin: new URL(needs.publicUrl()).origin,
    id: new URL(needs.publicUrl()).hostname,
  })
  const permissionsOf = (held: readonly Role[]) => new Set<string>(held.flatMap((role) => [...roleTable[role]]))

  function callerOf(person: PersonRow, rest: Partial<Caller> = {}): Caller {
    return {
      kind: 'person',
      accountId: person.id as Id<'account'>,
      name: person.name,
      side: person.side,
      roles: person.roles,
      permissions: permissionsOf(person.roles),
      sessionId: undefined,
      steppedUpAtMs: undefined,
      ...rest,
    }
  }

  async function me(caller: Caller): Promise<Me> {
    const person = await needPerson(caller.accountId)
    const keys = await store.passkeys(person.id)
    const until = caller.steppedUpAtMs === undefined ? undefined : caller.steppedUpAtMs + stepUpMs
    return {
      id: caller.accountId,
      name: person.name,
      email: person.email,
      side: person.side,
      roles: person.roles,
      permissions: [...caller.permissions],
      hasTotp: person.totp !== null,
      passkeys: keys.length,
      steppedUpUntil: until !== undefined && until > clock.ms() ? new Date(until).toISOString() : null,
      demo: needs.demo !== undefined,
    }
  }
  async function needPerson(id: string): Promise<PersonRow> {
    const person = await store.person(id)
    if (person === undefined) throw new Refusal('not_found', 'There is no such person.')
    return person
  }
  async function openSession(person: PersonRow): Promise<{ token: string; caller: Caller }> {
    const token = newToken()
    const id = needs.ids.next('session')
    await store.insertSession(id, hash(token), person.id, clock.now())
    return { token, caller: callerOf(person, { sessionId: id }) }
  }
  async function steppedUp(caller: Caller, method: string): Promise<Caller> {
    if (caller.sessionId === undefined)
      throw new Refusal('key_refused', 'An API key cannot prove that a person is there.')
    await store.stepUpSession(caller.sessionId, clock.now(), method)
    return { ...caller, steppedUpAtMs: clock.ms() }
  }
  function checkNew(password: string): void {
    if (isCommon(password)) throw new Refusal('bad_input', 'This password is among those that everybody tries first.')
  }
  async function createPerson(
    tx: Postgres,
    row: { email: string; name: string; side: Side; roles: Role[]; password: string },
  ): Promise<Id<'account'>> {
    const id = needs.ids.next('account')
    await accountStore(tx).insertPerson({
      id,
      ...row,
      password: await hashPassword(row.password, random),
      at: clock.now(),
    })
    await audit.write(tx, {
      actor: { kind: 'person', id },
      deed: 'account.created',
      object: { kind: 'account', id },
      summary: 'joined',
      facts: { side: row.side, roles: row.roles.join(' ') },
    })
    return id
  }
  const showKey = (row: ApiKeyRow): ApiKey => ({
    id: row.id as Id<'key'>,
    name: row.name,
    scopes: row.scopes,
    prefix: row.prefix,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
  })

  return {
    /** Who a session token belongs to; undefined when it is none, too old, or its person is disabled. */
    async bySession(token: string): Promise<Caller | undefined> {
      const session = await store.session(hash(token))
      if (session === undefined || session.person.disabled_at !== null) return undefined
      const now = clock.ms()
      if (now - session.seen_at.getTime() > idleMs || now - session.created_at.getTime() > oldestMs) return undefined
      if (now - session.seen_at.getTime() > 60_000) await store.touchSession(session.id, clock.now())
      return callerOf(session.person, { sessionId: session.id, steppedUpAtMs: session.stepped_up_at?.getTime() })
    },
    /** Who an API key belongs to, with no more rights than its scopes. */
    async byApiKey(key: string): Promise<Caller | undefined> {
      const match = /^il_[0-9a-z]{8}_([A-Za-z0-9_-]{32})_([0-9a-f]{8})$/.exec(key)
      if (match === null || crc32(key.slice(0, -9)).toString(16).padStart(8, '0') !== match[2]) return undefined
      const found = await store.useApiKey(hash(key), clock.now())
      if (found === undefined || found.person.disabled_at !== null) return undefined
      const own = permissionsOf(found.person.roles)
      return callerOf(found.person, {
        kind: 'api-key',
        permissions: new Set(found.scopes.filter((scope) => own.has(scope))),
      })
    },
    me,
    async signIn(email: string, password: string, address: string): Promise<{ token: string; caller: Caller }> {
      tries.note(email, address)
      const person = await store.personByEmail(email.trim().toLowerCase())
      const right = await checkPassword(password, person?.password)
      if (!right || person === undefined || person.disabled_at !== null) throw new Refusal('wrong_credentials')
      tries.forget(email)
      await store.endOldSessions(new Date(clock.ms() - idleMs), new Date(clock.ms() - oldestMs))
      return openSession(person)
    },
    async signOut(token: string): Promise<void> {
      await store.endSession(hash(token))
    },
    demoAccounts: async () =>
      needs.demo === undefined
        ? null
        : {
            password: needs.demo.password,
            accounts: (await store.people()).map((person) => ({
              name: person.name,
              email: person.email,
              side: person.side,
              title: needs.demo?.titles[person.email] ?? person.roles.join(', '),
            })),
          },

    /** A one-time link for the first administrator while there is nobody; each start makes a new one and voids the old. */
    async firstLink(): Promise<string | undefined> {
      if (await store.anybody()) return undefined
      const token = newToken()
      await store.dropFirstLinks()
      await store.insertLink(hash(token), {
        kind: 'first',
        email: null,
        side: null,
        roles: ['administrator', 'approver'],
        madeBy: null,
        expiresAt: new Date(clock.ms() + invitationMs),
      })
      return `${needs.publicUrl()}/join/${token}`
    },
    async linkIsFor(token: string) {
      const link = await store.link(hash(token), clock.now())
      if (link === undefined) throw new Refusal('gone')
      return { kind: link.kind, email: link.email, side: link.side, roles: link.roles ?? [] }
    },
    async accept(
      token: string,
      given: { name: string; email?: string | undefined; side?: Side | undefined; password: string },
    ): Promise<{ token: string; caller: Caller }> {
      checkNew(given.password)
      const id = await postgres.transaction(
        async (tx) => {
          const inside = accountStore(tx)
          const link = await inside.useLink(hash(token), clock.now())
          if (link === undefined) throw new Refusal('gone')
          if (link.kind === 'first' && (await inside.anybody()))
            throw new Refusal('gone', 'Somebody else became the first administrator.')
          const email = link.email ?? given.email
          const side = link.side ?? given.side
          if (email === undefined || side === undefined)
            throw new Refusal('bad_input', 'Your e-mail address and your side are needed.')
          if ((await inside.personByEmail(email)) !== undefined)
            throw new Refusal('conflict', 'Somebody with this e-mail address is here already.')
          return createPerson(tx, {
            email,
            name: given.name,
            side,
            roles: link.roles ?? ['member'],
            password: given.password,
          })
        },
        { isolation: 'serializable' },
      )
      return openSession(await needPerson(id))
    },
    createPerson,
    async people(): Promise<Person[]> {
      return (await store.people()).map((row) => ({
        id: row.id as Id<'account'>,
        name: row.name,
        email: row.email,
        side: row.side,
        roles: row.roles,
        disabledAt: row.disabled_at?.toISOString() ?? null,
        hasSecondFactor: row.totp !== null || Number(row.passkeys) > 0,
        lastSeenAt: row.last_seen_at?.toISOString() ?? null,
      }))
    },
    /** What accounts are called, for pages that hold ids. */
    async names(ids: readonly string[]): Promise<Record<string, string>> {
      const rows = await postgres.query<{ id: string; name: string }>(
        'SELECT id, name FROM accounts.person WHERE id = ANY($1)',
        [[...ids]],
      )
      return Object.fromEntries(rows.map((row) => [row.id, row.name]))
    },
    /** Within the transaction of a decision: the person as they are now. */
    async person(
      tx: Postgres,
      id: string,
    ): Promise<{ id: Id<'account'>; name: string; side: Side; roles: Role[]; enabled: boolean } | undefined> {
      const row = await accountStore(tx).person(id)
      return row === undefined
        ? undefined
        : {
            id: row.id as Id<'account'>,
            name: row.name,
            side: row.side,
            roles: row.roles,
            enabled: row.disabled_at === null,
          }
    },
    async invite(caller: Caller, row: { email: string; side: Side; roles: Role[] }): Promise<string> {
      if ((await store.personByEmail(row.email)) !== undefined)
        throw new Refusal('conflict', 'Somebody with this e-mail address is here already.')
      const token = newToken()
      await postgres.transaction(async (tx) => {
        await accountStore(tx).insertLink(hash(token), {
          kind: 'invitation',
          ...row,
          madeBy: caller.accountId,
          expiresAt: new Date(clock.ms() + invitationMs),
        })
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'account.invited',
          object: { kind: 'invitation', id: hash(token).slice(0, 16) },
          summary: 'invited someone',
          facts: { side: row.side, roles: row.roles.join(' ') },
        })
      })
      return `${needs.publicUrl()}/join/${token}`
    },
    async setRoles(caller: Caller, id: Id<'account'>, side: Side, held: Role[]): Promise<Person> {
      await postgres.transaction(async (tx) => {
        const before = await accountStore(tx).person(id)
        if (before === undefined) throw new Refusal('not_found')
        if (id === caller.accountId && !held.includes('administrator'))
          throw new Refusal(
            'not_now',
            'You cannot take the administrator role from yourself; another administrator can.',
          )
        await accountStore(tx).setRoles(id, side, held)
        if (before.side !== side) await accountStore(tx).endSessions(id, undefined)
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'account.roles_changed',
          object: { kind: 'account', id },
          summary: 'changed side or roles',
          facts: { side, roles: held.join(' '), before: `${before.side} ${before.roles.join(' ')}` },
        })
      })
      return this.one(id)
    },
    async setDisabled(caller: Caller, id: Id<'account'>, disabled: boolean): Promise<Person> {
      if (id === caller.accountId)
        throw new Refusal('not_now', 'You cannot disable yourself; another administrator can.')
      await postgres.transaction(async (tx) => {
        await accountStore(tx).setDisabled(id, disabled ? clock.now() : null)
        if (disabled) await accountStore(tx).endSessions(id, undefined)
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: disabled ? 'account.disabled' : 'account.enabled',
          object: { kind: 'account', id },
          summary: disabled ? 'disabled a person; all sessions ended' : 'let a person back in',
        })
      })
      return this.one(id)
    },
    async one(id: Id<'account'>): Promise<Person> {
      const person = (await this.people()).find((other) => other.id === id)
      if (person === undefined) throw new Refusal('not_found')
      return person
    },
    async changePassword(caller: Caller, old: string, password: string, address: string): Promise<void> {
      const person = await needPerson(caller.accountId)
      tries.note(person.email, address)
      if (!(await checkPassword(old, person.password)))
        throw new Refusal('wrong_credentials', 'The old password is not right.')
      checkNew(password)
      const hashed = await hashPassword(password, random)
      await postgres.transaction(async (tx) => {
        await accountStore(tx).setPassword(person.id, hashed)
        await accountStore(tx).endSessions(person.id, caller.sessionId)
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'account.password_changed',
          object: { kind: 'account', id: person.id },
          summary: 'changed the password; other sessions ended',
        })
      })
    },
    async startTotp(caller: Caller) {
      const person = await needPerson(caller.accountId)
      if (caller.sessionId === undefined) throw new Refusal('not_allowed')
      if (person.totp !== null) this.stepUp(caller)
      const made = await newTotp(person.email, random)
      await store.challengeSession(caller.sessionId, secrets.seal(made.secret, `totp|${person.id}`))
      return made
    },
    async confirmTotp(caller: Caller, code: string): Promise<Me> {
      const sealed = caller.sessionId === undefined ? undefined : await store.takeChallenge(caller.sessionId)
      if (sealed === undefined) throw new Refusal('not_now', 'Begin with a new secret.')
      const secret = secrets.open(sealed, `totp|${caller.accountId}`)
      const step = totpStep(secret, code, clock.ms())
      if (step === undefined)
        throw new Refusal(
          'wrong_credentials',
          'The code is not right. Begin again and look at the clock of your telephone.',
        )
      await postgres.transaction(async (tx) => {
        await accountStore(tx).setTotp(caller.accountId, sealed, step)
        await accountStore(tx).endSessions(caller.accountId, caller.sessionId)
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'account.totp_set',
          object: { kind: 'account', id: caller.accountId },
          summary: 'set up an authenticator; other sessions ended',
        })
      })
      return me(await steppedUp(caller, 'totp'))
    },
    async startPasskey(caller: Caller) {
      const person = await needPerson(caller.accountId)
      if (caller.sessionId === undefined) throw new Refusal('not_allowed')
      if (person.totp !== null || (await store.passkeys(person.id)).length > 0) this.stepUp(caller)
      const options = await registrationOptions(party(), person, await store.passkeys(person.id))
      await store.challengeSession(caller.sessionId, options.challenge)
      return { ...options }
    },
    async confirmPasskey(caller: Caller, answer: Record<string, unknown>): Promise<Me> {
      const challenge = caller.sessionId === undefined ? undefined : await store.takeChallenge(caller.sessionId)
      const made =
        challenge === undefined
          ? undefined
          : await finishRegistration(party(), answer, challenge).catch(() => undefined)
      if (made === undefined) throw new Refusal('wrong_credentials', 'The passkey could not be checked. Begin again.')
      await postgres.transaction(async (tx) => {
        await accountStore(tx).insertPasskey({
          id: made.id,
          person_id: caller.accountId,
          public_key: made.publicKey,
          counter: made.counter,
          transports: made.transports,
          at: clock.now(),
        })
        await accountStore(tx).endSessions(caller.accountId, caller.sessionId)
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'account.passkey_added',
          object: { kind: 'account', id: caller.accountId },
          summary: 'added a passkey; other sessions ended',
        })
      })
      return me(await steppedUp(caller, 'passkey'))
    },
    async startStepUp(caller: Caller) {
      const person = await needPerson(caller.accountId)
      const keys = await store.passkeys(person.id)
      const options =
        keys.length > 0 && caller.sessionId !== undefined ? await authenticationOptions(party(), keys) : undefined
      if (options !== undefined && caller.sessionId !== undefined)
        await store.challengeSession(caller.sessionId, options.challenge)
      return {
        totp: person.totp !== null,
        password: needs.demo !== undefined && person.totp === null && keys.length === 0,
        passkey: options === undefined ? null : { ...options },
      }
    },
    async confirmStepUp(
      caller: Caller,
      proof:
        | { method: 'totp'; code: string }
        | { method: 'password'; password: string }
        | { method: 'passkey'; answer: Record<string, unknown> },
      address: string,
    ): Promise<Me> {
      const person = await needPerson(caller.accountId)
      tries.note(person.email, address)
      const keys = await store.passkeys(person.id)
      let right = false
      if (proof.method === 'totp' && person.totp !== null) {
        const step = totpStep(secrets.open(person.totp, `totp|${person.id}`), proof.code, clock.ms())
        right = step !== undefined && (await store.takeTotpStep(person.id, step))
      } else if (proof.method === 'passkey') {
        const challenge = caller.sessionId === undefined ? undefined : await store.takeChallenge(caller.sessionId)
        const used =
          challenge === undefined
            ? undefined
            : await finishAuthentication(party(), proof.answer, challenge, keys).catch(() => undefined)
        if (used !== undefined) await store.countPasskey(used.id, used.counter)
        right = used !== undefined
      } else if (proof.method === 'password' && needs.demo !== undefined && person.totp === null && keys.length === 0)
        right = await checkPassword(proof.password, person.password)
      if (!right)
        throw new Refusal('wrong_credentials', 'That does not prove that it is you. Try again with a new code.')
      tries.forget(person.email)
      return me(await steppedUp(caller, proof.method))
    },
    /** Passes only when this session proved within five minutes that its person is there. @throws Refusal('step_up') */
    stepUp(caller: Caller): void {
      if (caller.kind !== 'person') throw new Refusal('key_refused', 'An API key cannot give a key: a person must.')
      if (caller.steppedUpAtMs === undefined || clock.ms() - caller.steppedUpAtMs > stepUpMs)
        throw new Refusal('step_up')
    },
    /** How this session last proved it, for the record of a key. */
    async stepUpMethod(caller: Caller): Promise<string> {
      const [row] = await postgres.query<{ step_up_method: string | null }>(
        'SELECT step_up_method FROM accounts.session WHERE id = $1',
        [caller.sessionId ?? ''],
      )
      return row?.step_up_method ?? 'unknown'
    },
    apiKeys: async (caller: Caller) => (await store.apiKeys(caller.accountId)).map(showKey),
    async makeApiKey(
      caller: Caller,
      name: string,
      scopes: Permission[],
      days: number | undefined,
    ): Promise<{ key: string; row: ApiKey }> {
      if (caller.kind !== 'person') throw new Refusal('not_allowed', 'An API key cannot make another.')
      const beyond = scopes.filter((scope) => !caller.permissions.has(scope) || scope.startsWith('keys.'))
      if (beyond.length > 0)
        throw new Refusal(
          'not_allowed',
          `A key can do at most what you can, and never sign; leave out ${beyond.join(', ')}.`,
        )
      const id = needs.ids.next('key')
      const front = `il_${id.slice(-8)}_${Buffer.from(random.bytes(24)).toString('base64url')}`
      const key = `${front}_${crc32(front).toString(16).padStart(8, '0')}`
      const row: ApiKeyRow = {
        id,
        person_id: caller.accountId,
        name,
        prefix: key.slice(0, 15),
        scopes,
        created_at: clock.now(),
        expires_at: days === undefined ? null : new Date(clock.ms() + days * 86_400_000),
        last_used_at: null,
        revoked_at: null,
      }
      await postgres.transaction(async (tx) => {
        await accountStore(tx).insertApiKey({ ...row, secretHash: hash(key) })
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'api_key.made',
          object: { kind: 'key', id },
          summary: 'made an API key',
          facts: { scopes: scopes.join(' ') },
        })
      })
      return { key, row: showKey(row) }
    },
    async revokeApiKey(caller: Caller, id: Id<'key'>): Promise<void> {
      await postgres.transaction(async (tx) => {
        if (!(await accountStore(tx).revokeApiKey(id, caller.accountId, clock.now()))) throw new Refusal('not_found')
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'api_key.revoked',
          object: { kind: 'key', id },
          summary: 'revoked an API key',
        })
      })
    },
  }
}
