-- Why: taps (Singer) and sources (Airbyte) of other people's making write messages; their records come in once and their state is kept back until then. Costs nothing: new tables only; plan 120 bytes for each record.
CREATE SCHEMA streams;

CREATE TABLE streams.stream (
  id text PRIMARY KEY,
  -- Stands for the id in streams.row, where it is written once for each record.
  number integer GENERATED ALWAYS AS IDENTITY UNIQUE,
  source_id text NOT NULL,
  name text NOT NULL,
  key jsonb NOT NULL,
  -- What its properties mean, guessed from their names until somebody decides.
  columns jsonb NOT NULL,
  decided_by text,
  left_out boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  UNIQUE (source_id, name)
);

-- Records are written down in numbered chunks before they are handed on; one number counts for all streams of a source. What has a number above the
-- confirmed one, or one of the unsure, may or may not have been handed on: it is handed on again under the same message id.
CREATE TABLE streams.feed (
  source_id text PRIMARY KEY,
  last_chunk bigint NOT NULL DEFAULT 0,
  confirmed_chunk bigint NOT NULL DEFAULT 0,
  unsure bigint[] NOT NULL DEFAULT '{}'
);

CREATE TABLE streams.run (
  id text PRIMARY KEY,
  source_id text NOT NULL,
  -- left: another run of the same source began before this one said that it ended.
  state text NOT NULL CHECK (state IN ('running', 'done', 'failed', 'left')),
  -- Lines that are done: the place from which the next are taken.
  lines bigint NOT NULL DEFAULT 0,
  counts jsonb NOT NULL,
  worst jsonb NOT NULL DEFAULT '[]',
  because text,
  started_by text NOT NULL,
  started_at timestamptz NOT NULL,
  heard_at timestamptz NOT NULL,
  finished_at timestamptz
);
CREATE UNIQUE INDEX stream_run_one_at_a_time ON streams.run (source_id) WHERE state = 'running';
CREATE INDEX stream_run_newest ON streams.run (started_at DESC);

CREATE TABLE streams.row (
  stream integer NOT NULL,
  -- Hashes of the key and of what the record says (null: it is gone), cut to the 128 bits of a uuid.
  key uuid NOT NULL,
  hash uuid,
  -- How often it changed: part of the message id, so that what was said before can be said again.
  generation integer NOT NULL,
  chunk bigint NOT NULL,
  -- Whom it is about, as type:value: what is said when the record is gone.
  who text NOT NULL,
  -- Of the whole stream, when the tap counts them.
  version bigint,
  PRIMARY KEY (stream, key)
);
