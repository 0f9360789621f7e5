-- Why: tables of other databases are read again and again, and nothing is lost or said twice. Costs nothing: new tables only; plan 120 bytes for each row that is pulled.
CREATE SCHEMA pulls;

CREATE TABLE pulls.pull (
  id text PRIMARY KEY,
  -- Stands for the id in pulls.row, where it is written once for each row.
  number integer GENERATED ALWAYS AS IDENTITY UNIQUE,
  source_id text NOT NULL,
  name text NOT NULL,
  connection jsonb NOT NULL,
  -- Encrypted; nobody reads it back.
  password text NOT NULL,
  -- What is read and what it means; null until it was chosen.
  plan jsonb,
  schedule text,
  promise_hours integer,
  paused boolean NOT NULL DEFAULT false,
  next_at timestamptz,
  -- From where the next run reads; null: from the beginning.
  mark jsonb,
  -- The moment that the last good run saw.
  fresh_at timestamptz,
  -- Rows are written down in numbered chunks before they are handed on. What has a number above the confirmed one, or one of the unsure, may or may not
  -- have been handed on: it is handed on again under the same message id.
  last_chunk bigint NOT NULL DEFAULT 0,
  confirmed_chunk bigint NOT NULL DEFAULT 0,
  unsure bigint[] NOT NULL DEFAULT '{}',
  runs_since_compare integer NOT NULL DEFAULT 0,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX pull_name ON pulls.pull (lower(name));
CREATE INDEX pull_due ON pulls.pull (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE pulls.run (
  id text PRIMARY KEY,
  pull_id text NOT NULL REFERENCES pulls.pull ON DELETE CASCADE,
  state text NOT NULL CHECK (state IN ('running', 'done', 'failed', 'cancelled')),
  whole boolean NOT NULL,
  counts jsonb NOT NULL,
  worst jsonb NOT NULL DEFAULT '[]',
  -- Which pass, and the place of the last row that is done.
  progress jsonb,
  -- From where the run after this one reads: of its first snapshot, also when it went on in another.
  mark jsonb,
  seen_at timestamptz,
  expected bigint,
  because text,
  started_by text NOT NULL,
  started_at timestamptz NOT NULL,
  finished_at timestamptz,
  reader text,
  held_until timestamptz
);
CREATE UNIQUE INDEX run_one_at_a_time ON pulls.run (pull_id) WHERE state = 'running';
CREATE INDEX run_newest ON pulls.run (pull_id, started_at DESC);

CREATE TABLE pulls.row (
  pull integer NOT NULL,
  -- Hashes of the key and of what the row says (null: it is gone), cut to the 128 bits of a uuid.
  key uuid NOT NULL,
  hash uuid,
  -- How often it changed: part of the message id, so that what was said before can be said again.
  generation integer NOT NULL,
  chunk bigint NOT NULL,
  -- Whom it is about, as type:value: what is said when the row is gone.
  who text NOT NULL,
  PRIMARY KEY (pull, key)
);

-- Keys that are in the table now, while they are compared with those that were.
CREATE TABLE pulls.present (
  run_id text NOT NULL,
  key uuid NOT NULL
);
CREATE INDEX present_key ON pulls.present (run_id, key);
