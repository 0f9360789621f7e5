import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Permission, Role, Side } from '../contract.ts'

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
}
export interface SessionRow {
  id: string
  person_id: string
  created_at: Date
  seen_at: Date
  stepped_up_at: Date | null
  step_up_method: string | null
  challenge: string | null
}
export interface LinkRow {
  kind: 'first' | 'invitation'
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
  scopes: Permission[]
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
    personByEmail: (email: string) => first<PersonRow>('SELECT * FROM accounts.person WHERE email = $1', [email]),
    people: () =>
      postgres.query<PersonRow & { passkeys: number; last_seen_at: Date | null }>(
        `SELECT p.*, (SELECT count(*) FROM accounts.passkey k WHERE k.person_id = p.id) AS passkeys, (SELECT max(seen_at) FROM accounts.session s WHERE s.person_id = p.id) AS last_seen_at
       FROM accounts.person p ORDER BY p.side, p.name`,
      ),
    insertPerson: (row: Omit<PersonRow, 'totp' | 'totp_step' | 'disabled_at'> & { at: Date }) =>
      postgres.query(
        'INSERT INTO accounts.person (id, email, name, side, roles, password, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)',
        [row.id, row.email, row.name, row.side, row.roles, row.password, row.at],
      ),
    setRoles: (id: string, side: Side, roles: Role[]) =>
      postgres.query('UPDATE accounts.person SET side = $2, roles = $3 WHERE id = $1', [id, side, roles]),
    setDisabled: (id: string, at: Date | null) =>
      postgres.query('UPDATE accounts.person SET disabled_at = $2 WHERE id = $1', [id, at]),
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

    insertSession: (id: string, tokenHash: string, personId: string, at: Date) =>
      postgres.query(
        'INSERT INTO accounts.session (id, token_hash, person_id, created_at, seen_at) VALUES ($1, $2, $3, $4, $4)',
        [id, tokenHash, personId, at],
      ),
    session: (tokenHash: string) =>
      first<SessionRow & { person: PersonRow }>(
        'SELECT s.*, to_jsonb(p) AS person FROM accounts.session s JOIN accounts.person p ON p.id = s.person_id WHERE s.token_hash = $1',
        [tokenHash],
      ),
    touchSession: (id: string, at: Date) =>
      postgres.query('UPDATE accounts.session SET seen_at = $2 WHERE id = $1', [id, at]),
    stepUpSession: (id: string, at: Date, method: string) =>
      postgres.query(
        'UPDATE accounts.session SET stepped_up_at = $2, step_up_method = $3, challenge = NULL WHERE id = $1',
        [id, at, method],
      ),
    challengeSession: (id: string, challenge: string) =>
      postgres.query('UPDATE accounts.session SET challenge = $2 WHERE id = $1', [id, challenge]),
    takeChallenge: async (id: string) =>
      (
        await first<{ challenge: string | null }>(
          'WITH old AS (SELECT id, challenge FROM accounts.session WHERE id = $1 FOR UPDATE) UPDATE accounts.session s SET challenge = NULL FROM old WHERE s.id = old.id RETURNING old.challenge',
          [id],
        )
      )?.challenge ?? undefined,
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
    dropFirstLinks: () => postgres.query(`DELETE FROM accounts.link WHERE kind = 'first' AND used_at IS NULL`),

    passkeys: (personId: string) =>
      postgres.query<PasskeyRow>('SELECT * FROM accounts.passkey WHERE person_id = $1', [personId]),
    insertPasskey: (row: PasskeyRow & { at: Date }) =>
      postgres.query(
        'INSERT INTO accounts.passkey (id, person_id, public_key, counter, transports, created_at) VALUES ($1, $2, $3, $4, $5, $6)',
        [row.id, row.person_id, row.public_key, row.counter, row.transports, row.at],
      ),
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
      first<{ scopes: Permission[]; person: PersonRow }>(
        `UPDATE accounts.api_key k SET last_used_at = $2 FROM accounts.person p
         WHERE k.secret_hash = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2) AND p.id = k.person_id
         RETURNING k.scopes, to_jsonb(p) AS person`,
        [secretHash, now],
      ),
    revokeApiKey: async (id: string, personId: string, at: Date) =>
      (await first(
        'UPDATE accounts.api_key SET revoked_at = $3 WHERE id = $1 AND person_id = $2 AND revoked_at IS NULL RETURNING id',
        [id, personId, at],
      )) !== undefined,
  }
}
