-- identity: where events of a profile belong that became part of another. Small; read with every question about people (resolvedProfile), so that
-- a merge reaches every figure at once without rewriting an event.
CREATE TABLE IF NOT EXISTS profile_override (
  from_profile String,
  to_profile String,
  version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY from_profile
SETTINGS non_replicated_deduplication_window = 10000;
