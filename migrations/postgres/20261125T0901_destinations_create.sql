-- Why: destinations of events, each with its contract, what became of deliveries and what could not be delivered. Costs nothing: new tables only;
-- plan 1 kB for each dead letter, kept for 30 days.
CREATE SCHEMA destinations;

CREATE TABLE destinations.destination (
  id text PRIMARY KEY,
  name text NOT NULL,
  kind text NOT NULL,
  tool_id text NOT NULL,
  -- Of the kind's form, without secrets.
  settings jsonb NOT NULL,
  -- Name of a secret to what is in force of it, newest first: [{"sealed": "v1.…", "until": instant or null}].
  secrets jsonb NOT NULL DEFAULT '{}',
  secrets_version int NOT NULL DEFAULT 1,
  -- What may leave: sources, events, fields, purpose, frequency.
  contract jsonb NOT NULL,
  version int NOT NULL DEFAULT 1,
  state text NOT NULL CHECK (state IN ('draft', 'live', 'paused', 'halted')),
  because text,
  release_hash text,
  -- Events that arrived before the first launch do not leave.
  begins_at timestamptz,
  -- Since when every try failed; NULL when the last one did not.
  failing_since timestamptz,
  last_delivered_at timestamptz,
  delivered bigint NOT NULL DEFAULT 0,
  -- Waited longer than events are kept for delivery.
  expired bigint NOT NULL DEFAULT 0,
  made_by text NOT NULL,
  changed_by text NOT NULL,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX destination_name ON destinations.destination (lower(name));

-- Everything of a journal before this position has an end: delivered, or a dead letter.
CREATE TABLE destinations.cursor (
  destination_id text NOT NULL REFERENCES destinations.destination,
  journal_id text NOT NULL,
  position bigint NOT NULL,
  PRIMARY KEY (destination_id, journal_id)
);

CREATE TABLE destinations.hour (
  destination_id text NOT NULL REFERENCES destinations.destination,
  hour timestamptz NOT NULL,
  delivered bigint NOT NULL DEFAULT 0,
  failed bigint NOT NULL DEFAULT 0,
  dead bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (destination_id, hour)
);

CREATE TABLE destinations.failure (
  destination_id text NOT NULL REFERENCES destinations.destination,
  reason text NOT NULL,
  times bigint NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (destination_id, reason)
);

-- Fields that events had and the contract does not name: they stayed here.
CREATE TABLE destinations.dropped (
  destination_id text NOT NULL REFERENCES destinations.destination,
  field text NOT NULL,
  events bigint NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (destination_id, field)
);

-- Since when an event is tried in vain, so that a restart does not begin its patience anew. A handful of rows for each destination.
CREATE TABLE destinations.trying (
  destination_id text NOT NULL REFERENCES destinations.destination,
  journal_id text NOT NULL,
  position bigint NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (destination_id, journal_id, position)
);

CREATE TABLE destinations.dead_letter (
  id text PRIMARY KEY,
  destination_id text NOT NULL REFERENCES destinations.destination,
  journal_id text NOT NULL,
  position bigint NOT NULL,
  event_key text NOT NULL,
  type text NOT NULL,
  name text NOT NULL,
  received_at timestamptz NOT NULL,
  -- The event as it was kept for delivery; the contract is applied when it leaves.
  body text NOT NULL,
  reason text NOT NULL,
  at timestamptz NOT NULL,
  -- 'again': somebody asked for another try.
  state text NOT NULL CHECK (state IN ('dead', 'again')),
  UNIQUE (destination_id, journal_id, position)
);
CREATE INDEX dead_letter_again ON destinations.dead_letter (destination_id, journal_id, position) WHERE state = 'again';
CREATE INDEX dead_letter_at ON destinations.dead_letter (at);
