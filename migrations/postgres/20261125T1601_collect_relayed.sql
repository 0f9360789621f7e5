-- collect: how far the journal of each node that only takes events in was taken over, so that a batch that is sent twice is taken once.
CREATE TABLE collect.relayed (
  journal_id text PRIMARY KEY,
  position bigint NOT NULL,
  taken_at timestamptz NOT NULL
);
