-- Why: files come again and again by themselves, each is taken once, and a question is kept until somebody answers it. Costs nothing: new tables only; taking 300
-- bytes for each file, seen 150 bytes for each file that lies in a folder.
CREATE SCHEMA standing_imports;

CREATE TABLE standing_imports.standing (
  id text PRIMARY KEY,
  source_id text NOT NULL,
  name text NOT NULL,
  -- A folder with a pattern, or an address with a user; never a secret.
  place jsonb NOT NULL,
  -- Encrypted; nobody reads it back.
  secret text,
  schedule text,
  promise_hours integer,
  paused boolean NOT NULL DEFAULT false,
  next_at timestamptz,
  -- When to look again because a file may still be written.
  again_at timestamptz,
  again_by text,
  -- The time of the newest file that was read to its end.
  fresh_at timestamptz,
  -- What the server said of the file that was read last: with it, it says whether there is a newer one.
  etag text,
  last_modified text,
  looked_at timestamptz,
  look_failed boolean NOT NULL DEFAULT false,
  look_says text,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX standing_name ON standing_imports.standing (lower(name));

CREATE TABLE standing_imports.taking (
  id text PRIMARY KEY,
  standing_id text NOT NULL REFERENCES standing_imports.standing ON DELETE CASCADE,
  -- SHA-256 of the whole file: what has been taken is not taken again, whatever its name.
  hash text NOT NULL,
  file_name text NOT NULL,
  bytes bigint NOT NULL,
  -- In a folder: which file it is, so that no other is moved to done/.
  mark text,
  modified_at timestamptz NOT NULL,
  import_id text,
  state text NOT NULL CHECK (state IN ('open', 'read', 'left', 'refused')),
  -- Which columns are new and which are gone, when that has to be asked.
  asks jsonb,
  because text,
  counts jsonb,
  taken_by text NOT NULL,
  taken_at timestamptz NOT NULL,
  settled_at timestamptz,
  UNIQUE (standing_id, hash)
);
-- Files are read in their order: the next one waits until this one is read or left out.
CREATE UNIQUE INDEX taking_one_at_a_time ON standing_imports.taking (standing_id) WHERE state = 'open';
CREATE INDEX taking_newest ON standing_imports.taking (standing_id, taken_at DESC);

-- What lay in the folder at the last look. A file is taken when it did not change between two looks.
CREATE TABLE standing_imports.seen (
  standing_id text NOT NULL REFERENCES standing_imports.standing ON DELETE CASCADE,
  name text NOT NULL,
  mark text NOT NULL,
  since timestamptz NOT NULL,
  -- It was read to its end: nothing is to be done about it until it changes.
  taken boolean NOT NULL DEFAULT false,
  PRIMARY KEY (standing_id, name)
);
