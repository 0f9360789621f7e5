-- Why: what is known of each person. Traits hang on identifiers, so they follow every merge and unmerge; `profile` is their materialised sum. Costs nothing: new
-- tables only. Plan 1 kB for each person.
CREATE SCHEMA profiles;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE profiles.trait (
  identifier_id text NOT NULL,
  name text NOT NULL,
  value jsonb NOT NULL,
  -- Corrected time of the event that said it: a late event never overwrites a newer one.
  at timestamptz NOT NULL,
  source_id text NOT NULL,
  PRIMARY KEY (identifier_id, name)
);

CREATE TABLE profiles.profile (
  id text PRIMARY KEY,
  traits jsonb NOT NULL,
  name text NOT NULL,
  email text,
  phone text,
  time_zone text,
  locale text,
  first_seen_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  version bigint NOT NULL
);
CREATE INDEX profile_seen ON profiles.profile (last_seen_at DESC, id);
CREATE INDEX profile_email ON profiles.profile (email);
CREATE INDEX profile_search ON profiles.profile USING gin ((name || ' ' || coalesce(email, '') || ' ' || coalesce(phone, '')) gin_trgm_ops);

-- Fields that occur, with samples, for pickers and for their sensitivity.
CREATE TABLE profiles.field (name text PRIMARY KEY, type text NOT NULL, samples text[] NOT NULL, first_seen_at timestamptz NOT NULL);

-- How far the merges of identity were followed.
CREATE TABLE profiles.cursor (one boolean PRIMARY KEY DEFAULT true CHECK (one), merge_seq bigint NOT NULL);
INSERT INTO profiles.cursor (merge_seq) VALUES (0);

-- Published: where a person can be reached.
CREATE VIEW profiles.contact AS SELECT id AS profile_id, name, email, phone, time_zone, locale FROM profiles.profile;
