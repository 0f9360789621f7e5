-- collect: events over 32 KB are accepted and counted, because other products refuse them. `large` is no outcome: the event has one of its own.
-- Costs a short lock on outcome_count while its check is replaced (a few thousand rows).
ALTER TABLE collect.outcome_count DROP CONSTRAINT outcome_count_outcome_check;
ALTER TABLE collect.outcome_count ADD CONSTRAINT outcome_count_outcome_check
  CHECK (outcome IN ('stored', 'deduplicated', 'quarantined', 'rejected', 'replayed', 'large'));
