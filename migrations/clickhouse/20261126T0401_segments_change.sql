-- segments: who came into a segment and who left it, when that was seen. Who is in it now is the last row of each person. One insert a look, so that a look that was cut off is made good
-- by the next one.
CREATE TABLE IF NOT EXISTS segment_change (
  segment_id LowCardinality(String),
  profile_id String,
  at DateTime64(3, 'UTC'),
  entered UInt8,
  INDEX change_profile profile_id TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree ORDER BY (segment_id, profile_id, at)
SETTINGS non_replicated_deduplication_window = 1000;
