-- segments: who a mail of a topic may go to now, beside profiles and events, so that a condition on consent is part of one question. A copy: consent in PostgreSQL is
-- the truth, and whoever asks about consent first brings this up to date. One row for each person and topic.
CREATE TABLE IF NOT EXISTS mailable (
  topic LowCardinality(String),
  profile_id String,
  version UInt64,
  removed UInt8
) ENGINE = ReplacingMergeTree(version) ORDER BY (topic, profile_id)
SETTINGS non_replicated_deduplication_window = 10000;
