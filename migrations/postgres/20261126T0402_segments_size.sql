-- Why: how many people were in a segment, day by day, and when it was looked at last. Costs: a row of 60 bytes for each segment and day.
CREATE TABLE segments.size (
  segment_id text NOT NULL,
  day date NOT NULL,
  people bigint NOT NULL,
  entered bigint NOT NULL DEFAULT 0,
  gone bigint NOT NULL DEFAULT 0,
  looked_at timestamptz NOT NULL,
  PRIMARY KEY (segment_id, day)
);
