-- Why: who works here, how they prove it, what they may do. Costs nothing: new tables only.
CREATE SCHEMA accounts;

CREATE TABLE accounts.person (
  id text PRIMARY KEY,
  email text NOT NULL UNIQUE,
  name text NOT NULL,
  side text NOT NULL CHECK (side IN ('marketing', 'it')),
  roles text[] NOT NULL CHECK (cardinality(roles) > 0),
  password text NOT NULL,
  totp text,
  -- The last time step that was used: a code works once (RFC 6238 section 5.2).
  totp_step bigint NOT NULL DEFAULT 0,
  disabled_at timestamptz,
  created_at timestamptz NOT NULL
);

CREATE TABLE accounts.session (
  id text PRIMARY KEY,
  token_hash text NOT NULL UNIQUE,
  person_id text NOT NULL REFERENCES accounts.person ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL,
  stepped_up_at timestamptz,
  step_up_method text,
  challenge text
);
CREATE INDEX session_person ON accounts.session (person_id);

CREATE TABLE accounts.link (
  token_hash text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('first', 'invitation')),
  email text,
  side text,
  roles text[],
  made_by text,
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);

CREATE TABLE accounts.passkey (
  id text PRIMARY KEY,
  person_id text NOT NULL REFERENCES accounts.person ON DELETE CASCADE,
  public_key text NOT NULL,
  counter bigint NOT NULL,
  transports text[] NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE accounts.api_key (
  id text PRIMARY KEY,
  person_id text NOT NULL REFERENCES accounts.person ON DELETE CASCADE,
  name text NOT NULL,
  secret_hash text NOT NULL UNIQUE,
  prefix text NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);

-- Published: who can hold a key now. The claim of every send asks this view, so that a disabled person's key stops counting at once.
CREATE VIEW accounts.active_person AS SELECT id, side, roles FROM accounts.person WHERE disabled_at IS NULL;
-- Published: what people are called, for pages that hold ids.
CREATE VIEW accounts.named_person AS SELECT id, name FROM accounts.person;
