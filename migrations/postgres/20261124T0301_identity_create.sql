-- Why: who is who. Four append-only facts (identifier, edge, decision, merge); `identifier.profile_id` is their materialised result and can be computed
-- again from them. Costs nothing: new tables only. Plan 300 bytes for each identifier.
CREATE SCHEMA identity;

CREATE TABLE identity.profile (
  id text PRIMARY KEY,
  created_at timestamptz NOT NULL,
  -- Where it went when it turned out to be the same person; null while it stands.
  merged_into text
);

CREATE TABLE identity.identifier (
  id text PRIMARY KEY,
  type text NOT NULL,
  value text NOT NULL,
  profile_id text NOT NULL,
  created_at timestamptz NOT NULL,
  -- Seen with two people: from then on it joins nobody.
  shared_at timestamptz,
  source_id text NOT NULL,
  UNIQUE (type, value)
);
CREATE INDEX identifier_profile ON identity.identifier (profile_id);

-- Two identifiers that came in one event: the first proof of it.
CREATE TABLE identity.edge (
  a text NOT NULL,
  b text NOT NULL,
  rule text NOT NULL,
  source_id text NOT NULL,
  message_id text NOT NULL,
  at timestamptz NOT NULL,
  cut_at timestamptz,
  PRIMARY KEY (a, b, rule)
);
CREATE INDEX edge_b ON identity.edge (b);

-- What was decided against the obvious: an identifier demoted because it would have joined two people, one found to be shared, an alias refused.
CREATE TABLE identity.decision (
  id text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('demote', 'share', 'refuse', 'split', 'join')),
  identifiers text[] NOT NULL,
  because text NOT NULL,
  source_id text NOT NULL,
  message_id text NOT NULL,
  at timestamptz NOT NULL
);
CREATE INDEX decision_identifiers ON identity.decision USING gin (identifiers);

-- Profiles that became one, in order. Whoever keeps a copy (profiles, ClickHouse) reads on from where it was.
CREATE TABLE identity.merge (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, from_profile text NOT NULL, into_profile text NOT NULL, at timestamptz NOT NULL, told boolean NOT NULL DEFAULT false);
CREATE INDEX merge_untold ON identity.merge (seq) WHERE NOT told;

-- Published: which identifiers make up a profile.
CREATE VIEW identity.membership AS SELECT id AS identifier_id, type, value, profile_id, created_at, shared_at IS NOT NULL AS shared FROM identity.identifier;
