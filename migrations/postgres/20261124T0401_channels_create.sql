-- Why: who mails are from, the route that they take, and the inbox of the built-in mail catcher. Costs nothing: new tables only. The catcher keeps the newest
-- 50,000 mails (20 kB each, 1 GB); it is for trying out, not for an archive.
CREATE SCHEMA channels;

CREATE TABLE channels.sender (
  id text PRIMARY KEY,
  name text NOT NULL,
  address text NOT NULL UNIQUE,
  domain text NOT NULL,
  selector text NOT NULL,
  -- Sealed; bound to this row.
  private_key text NOT NULL,
  public_key text NOT NULL,
  version int NOT NULL DEFAULT 1,
  made_by text NOT NULL,
  created_at timestamptz NOT NULL
);

-- The one SMTP route of this installation is a tool in the register.
CREATE TABLE channels.route (id text PRIMARY KEY, tool_id text NOT NULL, created_at timestamptz NOT NULL);

CREATE TABLE channels.caught_mail (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  envelope_from text NOT NULL,
  envelope_to text NOT NULL,
  from_text text NOT NULL,
  subject text NOT NULL,
  raw bytea NOT NULL
);
CREATE INDEX caught_mail_to ON channels.caught_mail (envelope_to, id DESC);
