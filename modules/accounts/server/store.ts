import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { KeyScope, Role, Side } from '../contract.ts'

export interface PersonRow {
  id: string
  email: string
  name: string
  side: Side
  roles: Role[]
  password: string
  totp: string | null
  totp_step: number
  disabled_at: Date | null
  approver_since: Date | null
}
/** What a challenge was handed out for; it is good for nothing else. */
export type Purpose = 'totp-enrol' | 'passkey-enrol' | 'step-up'
export interface SessionRow {
  id: string
  person_id: string
  created_at: Date
  seen_at: Date
  stepped_up_at: Date | null
}
export interface LinkRow {
  kind: 'first' | 'invitation' | 'password'
  email: string | null
  side: Side | null
  roles: Role[] | null
}
export interface PasskeyRow {
  id: string
  person_id: string
  public_key: string
  counter: number
  transports: string[]
}
export interface ApiKeyRow {
  id: string
  person_id: string
  name: string
  prefix: string
  scopes: KeyScope[]
  created_at: Date
  expires_at: Date | null
  last_used_at: Date | null
  revoked_at: Date | null
}

/** The statements of accounts, and nothing but statements. */
export function accountStore(postgres: Postgres) {
  const first = async <Row>(text: string, values: unknown[] = []) => (await postgres.query<Row>(text, values))[0]
  return {
    anybody: async () => (await first('SELECT 1 FROM accounts.person LIMIT 1')) !== undefined,
    person: (id: string) => first<PersonRow>('SELECT * FROM accounts.person WHERE id = $1', [id]),
    /** The person, with everybody else who changes them waiting until this transaction ends. */
    lockPerson: (id: string) => first<PersonRow>('SELECT * FROM accounts.person WHERE id = $1 FOR UPDATE', [id]),
    names: (ids: readonly string[]) =>
      postgres.query<{ id: string; name: string }>('SELECT id, name FROM accounts.person WHERE id = ANY($1)', [
        [...ids],
      ]),
    personByEmail: (email: string) => first<PersonRow>('SELECT * FROM accounts.person WHERE email = $1', [email]),
    people: () =>
      postgres.query<PersonRow & { passkeys: number; last_seen_at: Date | null }>(
        `SELECT p.*, (SELECT count(*) FROM accounts.passkey k WHERE k.person_id = p.id) AS passkeys, (SELECT max(seen_at) FROM accounts.session s WHERE s.person_id = p.id) AS last_seen_at
       FROM accounts.person p ORDER BY p.side, p.name`,
      ),
    insertPerson: (row: Omit<PersonRow, 'totp' | 'totp_step' | 'disabled_at'> & { at: Date }) =>
      postgres.query(
        'INSERT INTO accounts.person (id, email, name, side, roles, password, created_at, approver_since) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)',
        [row.id, row.email, row.name, row.side, row.roles, row.password, row.at, row.approver_since],
      ),
    setRoles: (id: string, side: Side, roles: Role[], approverSince: Date | null) =>
      postgres.query('UPDATE accounts.person SET side = $2, roles = $3, approver_since = $4 WHERE id = $1', [
        id,
        side,
        roles,
        approverSince,
      ]),
    setDisabled: (id: string, at: Date | null, approverSince: Date | null) =>
      postgres.query('UPDATE accounts.person SET disabled_at = $2, approver_since = $3 WHERE id = $1', [
        id,
        at,
        approverSince,
      ]),
    setPassword: (id: string, password: string) =>
      postgres.query('UPDATE accounts.person SET password = $2 WHERE id = $1', [id, password]),
    setTotp: (id: string, totp: string, step: number) =>
      postgres.query('UPDATE accounts.person SET totp = $2, totp_step = $3 WHERE id = $1', [id, totp, step]),
    /** Takes a time step; false when it or a later one was used already. */
    takeTotpStep: async (id: string, step: number) =>
      (await first('UPDATE accounts.person SET totp_step = $2 WHERE id = $1 AND totp_step < $2 RETURNING id', [
        id,
        step,
      ])) !== undefined,

    /** Begins a session that rests on this password; false when it is no longer the person's, or they are disabled. */
    insertSession: async (id: string, tokenHash: string, person: Pick<PersonRow, 'id' | 'password'>, at: Date) =>
      (await first(
        `INSERT INTO accounts.session (id, token_hash, person_id, created_at, seen_at, password_proved_at)
         SELECT $1, $2, p.id, $4::timestamptz, $4::timestamptz, $4::timestamptz FROM accounts.person p WHERE p.id = $3 AND p.password = $5 AND p.disabled_at IS NULL FOR SHARE
         RETURNING id`,
        [id, tokenHash, person.id, at, person.password],
      )) !== undefined,
    session: (tokenHash: string) =>
      first<SessionRow & { person: PersonRow }>(
        'SELECT s.*, to_jsonb(p) AS person FROM accounts.session s JOIN accounts.person p ON p.id = s.person_id WHERE s.token_hash = $1',
        [tokenHash],
      ),
    touchSession: (id: string, at: Date) =>
      postgres.query('UPDATE accounts.session SET seen_at = $2 WHERE id = $1', [id, at]),
    stepUpSession: (id: string, at: Date, method: string) =>
      postgres.query('UPDATE accounts.session SET stepped_up_at = $2, step_up_method = $3 WHERE id = $1', [
        id,
        at,
        method,
      ]),
    stepUpMethod: async (id: string) =>
      (
        await first<{ step_up_method: string | null }>('SELECT step_up_method FROM accounts.session WHERE id = $1', [
          id,
        ])
      )?.step_up_method ?? undefined,
    passwordProved: (id: string, at: Date) =>
      postgres.query('UPDATE accounts.session SET password_proved_at = $2 WHERE id = $1', [id, at]),
    passwordProvedAt: async (id: string) =>
      (
        await first<{ password_proved_at: Date | null }>(
          'SELECT password_proved_at FROM accounts.session WHERE id = $1',
          [id],
        )
      )?.password_proved_at ?? undefined,
    challengeSession: (id: string, purpose: Purpose, challenge: string, until: Date) =>
      postgres.query(
        'UPDATE accounts.session SET challenge_for = $2, challenge = $3, challenge_until = $4 WHERE id = $1',
        [id, purpose, challenge, until],
      ),
    /** Takes the challenge of a session away; undefined when there is none for this purpose, or it is too old. */
    takeChallenge: async (id: string, purpose: Purpose, now: Date) => {
      const taken = await first<{ challenge: string | null; challenge_until: Date | null }>(
        `WITH old AS (SELECT id, challenge, challenge_until FROM accounts.session WHERE id = $1 AND challenge_for = $2 FOR UPDATE)
         UPDATE accounts.session s SET challenge = NULL, challenge_for = NULL, challenge_until = NULL FROM old WHERE s.id = old.id
         RETURNING old.challenge, old.challenge_until`,
        [id, purpose],
      )
      if (taken?.challenge_until === undefined || taken.challenge_until === null || taken.challenge_until < now)
        return undefined
      return taken.challenge ?? undefined
    },
    endSession: (tokenHash: string) =>
      postgres.query('DELETE FROM accounts.session WHERE token_hash = $1', [tokenHash]),
    endSessions: (personId: string, except: string | undefined) =>
      postgres.query('DELETE FROM accounts.session WHERE person_id = $1 AND id IS DISTINCT FROM $2', [
        personId,
        except ?? null,
      ]),
    endOldSessions: (idle: Date, oldest: Date) =>
      postgres.query('DELETE FROM accounts.session WHERE seen_at < $1 OR created_at < $2', [idle, oldest]),

    insertLink: (tokenHash: string, row: LinkRow & { madeBy: string | null; expiresAt: Date }) =>
      postgres.query(
        'INSERT INTO accounts.link (token_hash, kind, email, side, roles, made_by, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)',
        [tokenHash, row.kind, row.email, row.side, row.roles, row.madeBy, row.expiresAt],
      ),
    link: (tokenHash: string, now: Date) =>
      first<LinkRow>(
        'SELECT kind, email, side, roles FROM accounts.link WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2',
        [tokenHash, now],
      ),
    useLink: async (tokenHash: string, now: Date) =>
      first<LinkRow>(
        'UPDATE accounts.link SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING kind, email, side, roles',
        [tokenHash, now],
      ),
    /** Links for a new password that an address has and that nobody used. */
    dropPasswordLinks: (email: string) =>
      postgres.query(`DELETE FROM accounts.link WHERE kind = 'password' AND email = $1 AND used_at IS NULL`, [email]),
    dropFirstLinks: () => postgres.query(`DELETE FROM accounts.link WHERE kind = 'first' AND used_at IS NULL`),

    passkeys: (personId: string) =>
      postgres.query<PasskeyRow>('SELECT * FROM accounts.passkey WHERE person_id = $1', [personId]),
    /** False when this passkey is registered already. */
    insertPasskey: async (row: PasskeyRow & { at: Date }) =>
      (await first(
        'INSERT INTO accounts.passkey (id, person_id, public_key, counter, transports, created_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id',
        [row.id, row.person_id, row.public_key, row.counter, row.transports, row.at],
      )) !== undefined,
    countPasskey: (id: string, counter: number) =>
      postgres.query('UPDATE accounts.passkey SET counter = $2 WHERE id = $1', [id, counter]),

    apiKeys: (personId: string) =>
      postgres.query<ApiKeyRow>('SELECT * FROM accounts.api_key WHERE person_id = $1 ORDER BY created_at DESC', [
        personId,
      ]),
    insertApiKey: (row: ApiKeyRow & { secretHash: string }) =>
      postgres.query(
        'INSERT INTO accounts.api_key (id, person_id, name, secret_hash, prefix, scopes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)',
        [row.id, row.person_id, row.name, row.secretHash, row.prefix, row.scopes, row.created_at, row.expires_at],
      ),
    useApiKey: (secretHash: string, now: Date) =>
      first<{ scopes: KeyScope[]; person: PersonRow }>(
        `UPDATE accounts.api_key k SET last_used_at = $2 FROM accounts.person p
         WHERE k.secret_hash = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2) AND p.id = k.person_id
         RETURNING k.scopes, to_jsonb(p) AS person`,
        [secretHash, now],
      ),
    /** All of a person that still work; gives their number. */
    revokeApiKeys: async (personId: string, at: Date) =>
      (
        await postgres.query(
          'UPDATE accounts.api_key SET revoked_at = $2 WHERE person_id = $1 AND revoked_at IS NULL RETURNING id',
          [personId, at],
        )
      ).length,
    revokeApiKey: async (id: string, personId: string, at: Date) =>
      (await first(
        'UPDATE accounts.api_key SET revoked_at = $3 WHERE id = $1 AND person_id = $2 AND revoked_at IS NULL RETURNING id',
        [id, personId, at],
      )) !== undefined,
  }
}
