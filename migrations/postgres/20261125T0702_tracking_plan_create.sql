-- tracking_plan: the data contract of each source, in versions that are never changed.
CREATE SCHEMA tracking_plan;

CREATE TABLE tracking_plan.version (
  source_id text NOT NULL,
  version integer NOT NULL,
  content jsonb NOT NULL,
  note text NOT NULL DEFAULT '',
  saved_at timestamptz NOT NULL,
  -- The account's id.
  saved_by text NOT NULL,
  PRIMARY KEY (source_id, version)
);

-- By which versions the batch that a journal has in hand is judged. When it comes again after a crash it is judged by the same ones: otherwise an event
-- that was stored could be put aside as well.
CREATE TABLE tracking_plan.judged (
  journal_id text PRIMARY KEY,
  token text NOT NULL,
  versions jsonb NOT NULL
);
