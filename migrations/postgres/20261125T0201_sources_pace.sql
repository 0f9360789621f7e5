-- Why: a write key of a web site is public, so each source has a limit on how fast it may send; null has none. Costs nothing: a default without a rewrite.
-- Existing sources get the default; raise it on the page of the source when a batch job of yours sends more than 50,000 events in ten seconds.
ALTER TABLE sources.source ADD COLUMN events_per_second integer DEFAULT 5000 CHECK (events_per_second > 0);
UPDATE sources.source SET events_per_second = NULL WHERE kind = 'internal';
