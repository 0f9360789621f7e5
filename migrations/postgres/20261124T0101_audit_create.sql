-- Why: the hash-chained audit log. Costs nothing: new tables only. Entries are never updated or deleted; plan 400 bytes for each.
CREATE SCHEMA audit;

CREATE TABLE audit.entry (
  seq bigint PRIMARY KEY,
  at timestamptz NOT NULL,
  actor_kind text NOT NULL,
  actor_id text NOT NULL,
  deed text NOT NULL,
  object_kind text NOT NULL,
  object_id text NOT NULL,
  body text NOT NULL,
  previous text NOT NULL,
  hash text NOT NULL
);
CREATE INDEX entry_object ON audit.entry (object_kind, object_id, seq DESC);

CREATE TABLE audit.head (one boolean PRIMARY KEY DEFAULT true CHECK (one), seq bigint NOT NULL, hash text NOT NULL);
INSERT INTO audit.head (seq, hash) VALUES (0, repeat('0', 64));

CREATE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is written once and never changed';
END $$;
CREATE TRIGGER entry_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.entry FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
