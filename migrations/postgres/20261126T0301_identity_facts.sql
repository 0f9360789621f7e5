-- Why: a merge can be undone, and the order in which events arrive does not matter. Everything that was seen together is kept (observation), what people decided has two
-- sides, what counts for nothing says why (refusal), and who became part of whom is a list (resolution). Identifiers are numbered, so that memory holds 20 million
-- of them. Costs: one pass over each table of this schema; about 150 bytes more for each pair of identifiers.
DROP VIEW identity.membership;

ALTER TABLE identity.identifier ADD COLUMN no bigint;
UPDATE identity.identifier i SET no = n.no FROM (SELECT id, row_number() OVER (ORDER BY id) AS no FROM identity.identifier) n WHERE n.id = i.id;
ALTER TABLE identity.identifier DROP CONSTRAINT identifier_pkey, ALTER COLUMN no SET NOT NULL, ADD PRIMARY KEY (no);
-- The profile id that came into being with this identifier. A person's id is that of one of their identifiers.
ALTER TABLE identity.identifier ADD COLUMN born_as text;
UPDATE identity.identifier i SET born_as = i.profile_id FROM (SELECT profile_id, min(no) AS no FROM identity.identifier GROUP BY profile_id) f WHERE f.no = i.no;
CREATE INDEX identifier_born ON identity.identifier (born_as);
-- The identifier at whose person a shared address stays.
ALTER TABLE identity.identifier ADD COLUMN home bigint;

CREATE TABLE identity.seen (
  a bigint NOT NULL,
  b bigint NOT NULL,
  source_id text NOT NULL,
  -- How well that source proved it: one source can say the same with and without a user id.
  standing smallint NOT NULL,
  -- Of the first event that said it.
  rule text NOT NULL,
  message_id text NOT NULL,
  events bigint NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  last_position bigint NOT NULL,
  PRIMARY KEY (a, b, source_id, standing)
);
INSERT INTO identity.seen
  SELECT a.no, b.no, o.source_id, least(a.standing, b.standing), coalesce(e.rule, 'in one event'), coalesce(e.message_id, ''), o.events, o.first_at, o.last_at, o.last_position
    FROM identity.observation o JOIN identity.identifier a ON a.id = o.a JOIN identity.identifier b ON b.id = o.b
    LEFT JOIN LATERAL (SELECT * FROM identity.edge e WHERE e.a = o.a AND e.b = o.b ORDER BY e.at LIMIT 1) e ON true;
INSERT INTO identity.seen
  SELECT DISTINCT ON (a.no, b.no, e.source_id) a.no, b.no, e.source_id, least(a.standing, b.standing), e.rule, e.message_id, 1, e.at, e.at, -1
    FROM identity.edge e JOIN identity.identifier a ON a.id = e.a JOIN identity.identifier b ON b.id = e.b WHERE e.cut_at IS NULL
    ORDER BY a.no, b.no, e.source_id, e.at ON CONFLICT DO NOTHING;
DROP TABLE identity.edge, identity.observation;
ALTER TABLE identity.seen RENAME TO observation;
ALTER INDEX identity.seen_pkey RENAME TO observation_pkey;
CREATE INDEX observation_b ON identity.observation (b);

-- Pairs that count for nothing now, and why.
CREATE TABLE identity.refusal (a bigint NOT NULL, b bigint NOT NULL, because text NOT NULL, since timestamptz NOT NULL, PRIMARY KEY (a, b));
CREATE INDEX refusal_b ON identity.refusal (b);

ALTER TABLE identity.decision ADD COLUMN numbers bigint[] NOT NULL DEFAULT '{}';
UPDATE identity.decision d SET numbers = ARRAY(SELECT i.no FROM identity.identifier i WHERE i.id = ANY (d.identifiers));
DROP INDEX identity.decision_identifiers;
ALTER TABLE identity.decision DROP COLUMN identifiers;
ALTER TABLE identity.decision RENAME COLUMN numbers TO identifiers;
-- The other side: whom they were told apart from, or joined with. And who decided, when it was a person.
ALTER TABLE identity.decision ADD COLUMN others bigint[] NOT NULL DEFAULT '{}', ADD COLUMN decided_by text;
CREATE INDEX decision_identifiers ON identity.decision USING gin ((identifiers || others));

-- What became part of what, in order: a whole profile (identifier_no is null), or one identifier alone. Whoever keeps a copy (profiles, ClickHouse) reads on.
CREATE TABLE identity.resolution (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  identifier_no bigint,
  from_profile text NOT NULL,
  to_profile text NOT NULL,
  at timestamptz NOT NULL,
  told boolean NOT NULL DEFAULT false
);
CREATE INDEX resolution_untold ON identity.resolution (seq) WHERE NOT told;
CREATE INDEX resolution_to ON identity.resolution (to_profile);
INSERT INTO identity.resolution (from_profile, to_profile, at, told) SELECT from_profile, into_profile, at, told FROM identity.merge ORDER BY seq;
DROP TABLE identity.merge;

-- Published: which identifiers make up a profile. What hangs on one that is `lodged` (shared, with a person who is not alone in having it) is not theirs alone.
CREATE VIEW identity.membership AS
  SELECT no AS identifier_no, type, value, profile_id, created_at, shared_at IS NOT NULL AS shared, home IS NOT NULL AS lodged, standing FROM identity.identifier;

-- Who used a shared device when: from `since` on its events without a user id are the holder's (a user id, or the device itself). Worked out from the events.
CREATE TABLE identity.turn (device bigint NOT NULL, since timestamptz NOT NULL, holder bigint NOT NULL, PRIMARY KEY (device, since));
CREATE INDEX turn_holder ON identity.turn (holder);
CREATE TABLE identity.turns_due (device bigint PRIMARY KEY);
