-- Why: one row for each file that is read in. Costs nothing: new tables only.
CREATE SCHEMA imports;

CREATE TABLE imports.import (
  id text PRIMARY KEY,
  source_id text NOT NULL,
  file_name text NOT NULL,
  bytes bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('uploaded', 'checking', 'checked', 'running', 'done', 'cancelled', 'failed')),
  format jsonb NOT NULL,
  columns jsonb NOT NULL,
  counts jsonb,
  worst jsonb NOT NULL DEFAULT '[]',
  bytes_read bigint NOT NULL DEFAULT 0,
  because text,
  started_by text NOT NULL,
  created_at timestamptz NOT NULL,
  finished_at timestamptz
);
CREATE INDEX import_newest ON imports.import (created_at DESC);
