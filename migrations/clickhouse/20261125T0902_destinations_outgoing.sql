-- destinations: events that some destination wants, in the order of their journal, kept for seven days. A copy, because the table of events is
-- sorted for questions about people and cannot be read by position. One part for each batch (no partitions): a reader that sees a position has
-- seen all before it.
CREATE TABLE IF NOT EXISTS outgoing (
  journal_id LowCardinality(String),
  position UInt64,
  source_id LowCardinality(String),
  type LowCardinality(String),
  name String,
  received_at DateTime64(3, 'UTC'),
  -- The event as JSON, with the profile that it was resolved to.
  body String CODEC(ZSTD(3))
) ENGINE = MergeTree
ORDER BY (journal_id, position)
SETTINGS non_replicated_deduplication_window = 10000;
