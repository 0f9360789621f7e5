-- Why: what is parked without a known write key is bounded for each network it came from, so that junk from one does not fill the shelf for all.
-- Costs nothing: a default without a rewrite. What is parked already counts for the empty network until it is a day old.
ALTER TABLE collect.parked ADD COLUMN network text NOT NULL DEFAULT '';
