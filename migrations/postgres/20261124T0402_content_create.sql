-- Why: mail templates and their versions; a version never changes and is compiled once, because keys are on its hash. Costs nothing: new tables only.
CREATE SCHEMA content;

CREATE TABLE content.template (id text PRIMARY KEY, name text NOT NULL, version int NOT NULL, archived_at timestamptz, created_at timestamptz NOT NULL);
CREATE UNIQUE INDEX template_name ON content.template (lower(name)) WHERE archived_at IS NULL;
CREATE TABLE content.version (
  template_id text NOT NULL REFERENCES content.template,
  version int NOT NULL,
  name text NOT NULL,
  body jsonb NOT NULL,
  compiled jsonb NOT NULL,
  hash text NOT NULL,
  made_by text NOT NULL,
  made_at timestamptz NOT NULL,
  PRIMARY KEY (template_id, version)
);
