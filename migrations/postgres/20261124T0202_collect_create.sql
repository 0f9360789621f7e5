-- collect: counts of what became of events, and bodies that came with an unknown write key.
-- Cost: none on an empty database. `outcome_count` grows by a few rows per source and hour.
CREATE SCHEMA collect;

-- How far each journal is counted. Moved in the transaction that adds the counts, so that a batch that comes again after a
-- crash is not counted twice.
CREATE TABLE collect.counted (
  journal_id text PRIMARY KEY,
  first_position bigint NOT NULL,
  position bigint NOT NULL
);

CREATE TABLE collect.outcome_count (
  source_id text NOT NULL,
  hour timestamptz NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('stored', 'deduplicated', 'quarantined', 'rejected')),
  reason text NOT NULL DEFAULT '',
  events bigint NOT NULL,
  -- Requests that were turned away never entered the journal: they are counted, but not from a position.
  journalled boolean NOT NULL,
  PRIMARY KEY (hour, source_id, outcome, reason, journalled)
);

CREATE TABLE collect.parked (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  write_key text NOT NULL,
  path text NOT NULL,
  query_text text NOT NULL,
  user_agent text NOT NULL,
  body bytea NOT NULL,
  received_at timestamptz NOT NULL
);
CREATE INDEX parked_received ON collect.parked (received_at);
CREATE INDEX parked_key ON collect.parked (write_key);
