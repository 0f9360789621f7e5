-- Why: how a file of a source is read and what its columns mean is kept when it is read in, and laid over the next file that looks the same. Costs nothing: one
-- small table and three columns with constant defaults.
CREATE TABLE imports.mapping (
  source_id text NOT NULL,
  -- A hash of the kind of file and the set of its columns' names as they were found.
  shape text NOT NULL,
  format jsonb NOT NULL,
  -- Name, type and meaning of each column; no cell of any file.
  columns jsonb NOT NULL,
  saved_at timestamptz NOT NULL,
  saved_by text NOT NULL,
  PRIMARY KEY (source_id, shape)
);
ALTER TABLE imports.import
  ADD COLUMN shape text NOT NULL DEFAULT '',
  -- The mapping that was laid over this file when it came.
  ADD COLUMN mapped_at timestamptz,
  ADD COLUMN mapped_by text;
