-- Why: identifiers are numbered, and when somebody was seen hangs on the identifier as traits do, so it follows every merge and what undoes one. Costs: one pass over
-- traits; a row of 60 bytes for each identifier that events hang on.
ALTER TABLE profiles.trait ADD COLUMN identifier_no bigint;
UPDATE profiles.trait t SET identifier_no = i.no FROM identity.identifier i WHERE i.id = t.identifier_id;
DELETE FROM profiles.trait WHERE identifier_no IS NULL;
ALTER TABLE profiles.trait DROP CONSTRAINT trait_pkey, DROP COLUMN identifier_id, ADD PRIMARY KEY (identifier_no, name);
ALTER TABLE identity.identifier DROP COLUMN id;

CREATE TABLE profiles.seen (identifier_no bigint PRIMARY KEY, first_at timestamptz NOT NULL, last_at timestamptz NOT NULL);
INSERT INTO profiles.seen SELECT i.no, p.first_seen_at, p.last_seen_at FROM profiles.profile p JOIN identity.identifier i ON i.born_as = p.id ON CONFLICT DO NOTHING;

-- What identity resolved is followed by the number in its list, which starts anew.
ALTER TABLE profiles.cursor RENAME COLUMN merge_seq TO resolution_seq;
UPDATE profiles.cursor SET resolution_seq = 0;
