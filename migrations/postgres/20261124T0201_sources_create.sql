-- sources: where events come from, each with a public write key. Small table, held in memory by every server.
-- Cost: none on an empty database.
CREATE SCHEMA sources;

CREATE TABLE sources.source (
  id text PRIMARY KEY,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  kind text NOT NULL CHECK (kind IN ('web', 'server', 'app', 'crm', 'newsletter', 'internal')),
  write_key text NOT NULL UNIQUE,
  tool_id text,
  enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX source_name ON sources.source (lower(name));
-- Interlock itself: message events. One, always.
CREATE UNIQUE INDEX source_internal ON sources.source (kind) WHERE kind = 'internal';
