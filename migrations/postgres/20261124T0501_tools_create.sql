-- Why: the register of tools and how they hang together. Costs nothing: new tables only.
CREATE SCHEMA tools;

CREATE TABLE tools.tool (
  id text PRIMARY KEY,
  name text NOT NULL,
  vendor text NOT NULL,
  capability text NOT NULL,
  status text NOT NULL CHECK (status IN ('proposed', 'live', 'retired')),
  owner_marketing text,
  owner_it text,
  ends_on date,
  cost_minor bigint,
  currency text NOT NULL DEFAULT 'EUR',
  personal_fields text[] NOT NULL,
  region text NOT NULL,
  registered boolean NOT NULL,
  evidence text,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX tool_name ON tools.tool (lower(name)) WHERE status <> 'retired';

CREATE TABLE tools.integration (
  id text PRIMARY KEY,
  from_tool text NOT NULL REFERENCES tools.tool,
  to_tool text NOT NULL REFERENCES tools.tool,
  fields text[] NOT NULL,
  purpose text NOT NULL,
  agreed boolean NOT NULL,
  UNIQUE (from_tool, to_tool, purpose)
);

-- Published: what can carry something now. The claim of every send asks this view.
CREATE VIEW tools.usable AS
  SELECT id, ends_on FROM tools.tool WHERE registered AND status = 'live' AND owner_marketing IS NOT NULL AND owner_it IS NOT NULL;
