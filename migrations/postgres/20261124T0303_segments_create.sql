-- Why: segments and their versions; a version never changes, because keys are on it. Costs nothing: new tables only.
CREATE SCHEMA segments;

CREATE TABLE segments.segment (id text PRIMARY KEY, name text NOT NULL, version int NOT NULL, archived_at timestamptz, created_at timestamptz NOT NULL);
CREATE UNIQUE INDEX segment_name ON segments.segment (lower(name)) WHERE archived_at IS NULL;
CREATE TABLE segments.version (
  segment_id text NOT NULL REFERENCES segments.segment,
  version int NOT NULL,
  name text NOT NULL,
  definition jsonb NOT NULL,
  made_by text NOT NULL,
  made_at timestamptz NOT NULL,
  PRIMARY KEY (segment_id, version)
);
