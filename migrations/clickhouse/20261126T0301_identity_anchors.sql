-- identity: where events of an identifier belong since an instant of theirs, when its person was taken apart: an identifier told apart (since 1970), or a device that people used in turns
-- (a row for each turn). An empty profile takes an earlier row back. Small; read with every question about people (resolvedProfile).
CREATE TABLE IF NOT EXISTS anchor_override (
  anchor UInt64,
  since DateTime64(3, 'UTC'),
  to_profile String,
  version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (anchor, since)
SETTINGS non_replicated_deduplication_window = 10000;
