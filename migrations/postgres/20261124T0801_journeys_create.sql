-- Why: broadcasts, and the ledger with one row for each intended message. Costs nothing: new tables only; plan 400 bytes for each message.
CREATE SCHEMA journeys;

CREATE TABLE journeys.broadcast (
  id text PRIMARY KEY,
  name text NOT NULL,
  template_id text NOT NULL,
  segment_id text NOT NULL,
  sender_id text NOT NULL,
  topic_id text NOT NULL,
  -- NULL: as soon as it may.
  send_at timestamptz,
  version int NOT NULL DEFAULT 1,
  -- The most people that keys on it cover; moves only when the audience leaves its band.
  at_most int,
  state text NOT NULL CHECK (state IN ('draft', 'live', 'paused', 'halted', 'done')),
  because text,
  release_hash text,
  -- Members of the audience when it was planned; NULL until planning is complete.
  audience int,
  made_by text NOT NULL,
  changed_by text NOT NULL,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  launched_at timestamptz,
  planned_at timestamptz,
  finished_at timestamptz
);
CREATE INDEX broadcast_live ON journeys.broadcast (id) WHERE state = 'live';

CREATE TABLE journeys.message (
  id text PRIMARY KEY,
  -- broadcast | address: planning again, resuming and a second release of the same broadcast never make a second mail to one address.
  send_key text NOT NULL UNIQUE,
  broadcast_id text NOT NULL REFERENCES journeys.broadcast,
  release_hash text NOT NULL,
  profile_id text NOT NULL,
  address text,
  address_key text,
  topic_id text NOT NULL,
  tool_id text NOT NULL,
  -- HMAC over what is above: a row that planning did not write is not sent.
  seal text NOT NULL,
  state text NOT NULL CHECK (state IN ('planned', 'claimed', 'accepted', 'rejected', 'unknown', 'suppressed', 'no_consent', 'no_address', 'same_address', 'render_failed', 'refused', 'cancelled')),
  attempt int NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL,
  lease_owner text,
  lease_until timestamptz,
  smtp_code int,
  smtp_text text,
  reason text,
  changed_at timestamptz NOT NULL,
  UNIQUE (broadcast_id, profile_id)
);
CREATE INDEX message_due ON journeys.message (broadcast_id, next_at, id) WHERE state = 'planned';
CREATE INDEX message_claimed ON journeys.message (lease_owner) WHERE state = 'claimed';
CREATE INDEX message_state ON journeys.message (broadcast_id, state);
CREATE INDEX message_profile ON journeys.message (profile_id);

-- What happened to messages, on its way to the events; written with the state it tells of.
CREATE TABLE journeys.outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body jsonb NOT NULL);
