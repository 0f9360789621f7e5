-- collect: events that came under the message id of another one and said something else. The first won; what the second said is kept here for 90 days.
-- Costs nothing on an ordinary day: only senders that use a message id twice make rows.
CREATE TABLE IF NOT EXISTS conflict (
  source_id LowCardinality(String),
  message_id String,
  journal_id LowCardinality(String),
  -- Of the second in the journal; `won` is the place of the first.
  position UInt64,
  won UInt64,
  -- What differs: paths such as properties.total.
  differs Array(String),
  received_at DateTime64(3, 'UTC'),
  -- Of the second, at most 8 KiB.
  raw String CODEC(ZSTD(3))
) ENGINE = MergeTree
ORDER BY (source_id, message_id, position)
TTL toDateTime(received_at) + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000;
