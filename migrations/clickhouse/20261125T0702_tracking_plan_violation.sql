-- tracking_plan: violations, added up per batch, event, property, rule, library and minute, with at most three samples each. Kept for 90 days.
CREATE TABLE IF NOT EXISTS violation (
  source_id LowCardinality(String),
  type LowCardinality(String),
  name String,
  property String,
  rule LowCardinality(String),
  -- Of the client library (context.library), as it calls itself.
  library LowCardinality(String),
  library_version LowCardinality(String),
  plan_version UInt32,
  mode LowCardinality(String),
  events UInt32,
  -- Shortened; of sensitive properties only their form.
  samples Array(String),
  at DateTime64(3, 'UTC')
) ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (source_id, type, name, property, rule, at)
TTL toDateTime(at) + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000;
