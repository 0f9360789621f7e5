-- profiles: the present state of each person beside the events, so that a segment over traits and events is one question.
CREATE TABLE IF NOT EXISTS profile (
  profile_id String,
  version UInt64,
  removed UInt8,
  traits JSON,
  email String,
  first_seen_at DateTime64(3, 'UTC'),
  last_seen_at DateTime64(3, 'UTC')
) ENGINE = ReplacingMergeTree(version) ORDER BY profile_id
SETTINGS non_replicated_deduplication_window = 10000;
