-- Why: when somebody was seen last changes with every event, what they are searched by hardly ever. In one row each event wrote the trigrams anew.
-- Costs: one pass over profiles.
CREATE TABLE profiles.searchable (profile_id text PRIMARY KEY, words text NOT NULL);
INSERT INTO profiles.searchable SELECT id, name || ' ' || coalesce(email, '') || ' ' || coalesce(phone, '') FROM profiles.profile;
DROP INDEX profiles.profile_search;
CREATE INDEX searchable_words ON profiles.searchable USING gin (words gin_trgm_ops);
