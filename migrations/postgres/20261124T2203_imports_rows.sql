-- Why: a row is compared with the last row of the same identifier, so that Paris → Lyon → Paris ends in Paris; a run survives the process that does it; files are
-- deleted. Costs nothing: constant defaults and one new table; plan 150 bytes for each row of the files that are read again and again.
ALTER TABLE imports.import
  -- Which run of this file: rows that it wrote before a stop count as written by it.
  ADD COLUMN run integer NOT NULL DEFAULT 0,
  -- Who reads it now, and until when that is believed without a sign of life.
  ADD COLUMN reader text,
  ADD COLUMN held_until timestamptz,
  ADD COLUMN file_removed_at timestamptz;

CREATE TABLE imports.last_row (
  source_id text NOT NULL,
  -- A hash of what identifies the row.
  key text NOT NULL,
  -- Rows of one file with the same key are counted from 0.
  nth integer NOT NULL,
  -- Of everything that the row says.
  hash text NOT NULL,
  -- How often it changed: part of the message id, so that what was said before can be said again.
  generation integer NOT NULL,
  run text NOT NULL,
  PRIMARY KEY (source_id, key, nth)
);
