-- Why: what this machine takes is measured and kept, and what is expected of an audience is said by somebody. Costs nothing: new tables only, 200 bytes for each
-- measurement.
CREATE SCHEMA capacity;

CREATE TABLE capacity.measurement (
  id text PRIMARY KEY,
  measured_at timestamptz NOT NULL,
  measured_by text NOT NULL,
  cores integer NOT NULL,
  model text NOT NULL,
  -- Events a second that were acknowledged: one a request, and 100 a request.
  per_second double precision NOT NULL,
  p99_ms double precision NOT NULL,
  batch_per_second double precision NOT NULL,
  flushes_per_second double precision NOT NULL,
  -- The smallest durable write.
  flush_ms double precision NOT NULL
);
CREATE INDEX measurement_at ON capacity.measurement (measured_at);

-- One row at most: none means that ours stand.
CREATE TABLE capacity.assumption (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  opened double precision NOT NULL,
  clicked double precision NOT NULL,
  pages_per_click double precision NOT NULL,
  changed_by text NOT NULL,
  changed_at timestamptz NOT NULL
);
