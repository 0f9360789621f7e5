-- collect: replays of what was put aside. Costs a short lock on outcome_count while its check is replaced (a few thousand rows).
-- `replayed` is no outcome of an event: it is the place in the journal that a replay took. The event itself moves from quarantined to its new outcome.
ALTER TABLE collect.outcome_count DROP CONSTRAINT outcome_count_outcome_check;
ALTER TABLE collect.outcome_count ADD CONSTRAINT outcome_count_outcome_check
  CHECK (outcome IN ('stored', 'deduplicated', 'quarantined', 'rejected', 'replayed'));

CREATE TABLE collect.replay (
  id text PRIMARY KEY,
  -- What was chosen: {sourceId, reason, type, name}, each optional.
  chosen jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('checking', 'checked', 'running', 'done', 'cancelled', 'failed')),
  -- Only what was put aside before this place of this journal: what a replay puts aside again does not come round.
  journal_id text NOT NULL,
  before_position bigint NOT NULL,
  -- The last row that was looked at or sent.
  at_journal text NOT NULL DEFAULT '',
  at_position bigint NOT NULL DEFAULT -1,
  matched bigint NOT NULL,
  looked bigint NOT NULL DEFAULT 0,
  -- Of the check: {pass, duplicate, untold, fails: {reason: {events, samples}}}.
  found jsonb,
  started_by text NOT NULL,
  because text,
  created_at timestamptz NOT NULL,
  finished_at timestamptz
);
CREATE INDEX replay_created ON collect.replay (created_at DESC);

-- Who replayed a row of the quarantine: the first place in the journal that takes it, for good. A second replay of the same row changes nothing.
CREATE TABLE collect.replayed (
  journal_id text NOT NULL,
  position bigint NOT NULL,
  by_journal text NOT NULL,
  by_position bigint NOT NULL,
  replay_id text NOT NULL,
  -- What became of it; null while it is on its way.
  outcome text,
  reason text,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (journal_id, position)
);
CREATE INDEX replayed_by ON collect.replayed (replay_id, outcome, reason);
CREATE INDEX replayed_at ON collect.replayed (at);
