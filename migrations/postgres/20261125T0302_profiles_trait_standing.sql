-- Why: what a web site or an app says of names and addresses never overwrites what a trusted source said. Costs: one pass over traits of web and app sources.
ALTER TABLE profiles.trait ADD COLUMN standing smallint NOT NULL DEFAULT 2;
UPDATE profiles.trait t SET standing = 1 FROM sources.source s WHERE s.id = t.source_id AND s.kind IN ('web', 'app');
