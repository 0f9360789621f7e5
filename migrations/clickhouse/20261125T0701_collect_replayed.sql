-- collect: which quarantined events were replayed, so that they are not counted as put aside any more. Costs nothing: a column with a default.
-- A row of quarantined is known by (journal_id, position); rows from before have an empty journal_id.
ALTER TABLE quarantined ADD COLUMN IF NOT EXISTS journal_id String DEFAULT '';

CREATE TABLE IF NOT EXISTS replayed (
  journal_id String,
  position UInt64,
  at DateTime64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY (journal_id, position)
TTL toDateTime(at) + INTERVAL 100 DAY
SETTINGS non_replicated_deduplication_window = 10000;
