-- Why: other systems (a shop, a form, a payment service) call us when something happens, signed. Costs nothing: new tables only; bodies are kept within bounds.
CREATE SCHEMA webhooks;

CREATE TABLE webhooks.hook (
  id text PRIMARY KEY,
  source_id text NOT NULL,
  name text NOT NULL,
  scheme jsonb NOT NULL,
  -- Encrypted, the newest first, at most two; nobody reads them back.
  secrets jsonb NOT NULL DEFAULT '[]',
  -- json and not jsonb: people write it, and find it again in the order in which they wrote it.
  mapping json NOT NULL,
  version integer NOT NULL DEFAULT 1,
  promise_hours integer,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX hook_name ON webhooks.hook (lower(name));

CREATE TABLE webhooks.version (
  hook_id text NOT NULL REFERENCES webhooks.hook ON DELETE CASCADE,
  version integer NOT NULL,
  mapping json NOT NULL,
  made_by text NOT NULL,
  made_at timestamptz NOT NULL,
  PRIMARY KEY (hook_id, version)
);

CREATE TABLE webhooks.delivery (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hook_id text NOT NULL REFERENCES webhooks.hook ON DELETE CASCADE,
  -- The sender's own id of what it sends, or a hash of the body: the same again is known by it.
  key text NOT NULL,
  topic text NOT NULL,
  -- taken, or why it is put aside.
  state text NOT NULL CHECK (state IN ('taken', 'unverified', 'unmapped', 'unreadable', 'waiting')),
  because text,
  headers jsonb NOT NULL,
  -- As it came; null once it is not shown any more.
  body bytea,
  calls integer NOT NULL DEFAULT 0,
  received_at timestamptz NOT NULL
);
CREATE INDEX delivery_newest ON webhooks.delivery (hook_id, id DESC);
CREATE UNIQUE INDEX delivery_once ON webhooks.delivery (hook_id, key) WHERE state = 'taken';
CREATE INDEX delivery_aside ON webhooks.delivery (hook_id, state, id) WHERE state <> 'taken';

-- received = taken + unchanged + aside + rejected, for ever; the reason says which kind.
CREATE TABLE webhooks.count (
  hook_id text NOT NULL,
  hour timestamptz NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('taken', 'unchanged', 'aside', 'rejected')),
  reason text NOT NULL,
  deliveries bigint NOT NULL,
  calls bigint NOT NULL,
  PRIMARY KEY (hook_id, hour, outcome, reason)
);
