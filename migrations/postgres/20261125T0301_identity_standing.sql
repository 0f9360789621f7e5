-- Why: write keys of web sites and apps are public, so identity keeps how well an address is proven; and two known identifiers that are seen together are
-- counted. Costs: one pass over identifiers of web and app sources; a row for each pair of identifiers and source, about 150 bytes.
ALTER TABLE identity.identifier ADD COLUMN standing smallint NOT NULL DEFAULT 2;
UPDATE identity.identifier i SET standing = 1 FROM sources.source s WHERE s.id = i.source_id AND s.kind IN ('web', 'app');

-- Identifiers that came together: how often, by which source. `last_position` is where the journal was, so that a batch that comes again counts once.
CREATE TABLE identity.observation (
  a text NOT NULL,
  b text NOT NULL,
  source_id text NOT NULL,
  events bigint NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  last_position bigint NOT NULL,
  PRIMARY KEY (a, b, source_id)
);
CREATE INDEX observation_b ON identity.observation (b);

CREATE OR REPLACE VIEW identity.membership AS SELECT id AS identifier_id, type, value, profile_id, created_at, shared_at IS NOT NULL AS shared, standing FROM identity.identifier;
