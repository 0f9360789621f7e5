-- collect: every event, once, as it came; and what was put aside.
-- The token window makes a repeated batch a no-op (spec/engines.md 1e).
CREATE TABLE IF NOT EXISTS event (
  source_id LowCardinality(String),
  message_id String,
  type LowCardinality(String),
  name LowCardinality(String),
  user_id String,
  anonymous_id String,
  previous_id String,
  group_id String,
  -- A cache of what identity said when the event was stored; corrected at read (identity's resolvedProfile).
  profile_id String,
  external_ids Array(Tuple(type String, value String)),
  time DateTime64(3, 'UTC'),
  original_time DateTime64(3, 'UTC'),
  sent_at DateTime64(3, 'UTC'),
  received_at DateTime64(3, 'UTC'),
  clamped UInt8,
  traits JSON,
  properties JSON,
  context JSON,
  -- Of the record in the journal.
  position UInt64
) ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (name, profile_id, time)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS quarantined (
  source_id LowCardinality(String),
  reason LowCardinality(String),
  because String,
  type LowCardinality(String),
  name String,
  message_id String,
  received_at DateTime64(3, 'UTC'),
  position UInt64,
  -- What came with the event and its bytes, enough to take it in again.
  envelope String,
  raw String,
  replayable UInt8
) ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (source_id, reason, received_at)
TTL toDateTime(received_at) + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000;
