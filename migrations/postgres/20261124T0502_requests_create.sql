-- Why: requests, releases, keys and executions: the switch. Costs nothing: new tables only.
CREATE SCHEMA requests;

CREATE TABLE requests.request (
  id text PRIMARY KEY,
  kind text NOT NULL,
  object_id text NOT NULL,
  title text NOT NULL,
  sub text NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'ready', 'live', 'halted', 'done', 'withdrawn')),
  requester text NOT NULL,
  release_hash text NOT NULL,
  -- Key kinds that the verdict on this release demands.
  needed text[] NOT NULL,
  cooling_off_hours int NOT NULL,
  verdict jsonb NOT NULL,
  facts jsonb NOT NULL,
  preflight jsonb NOT NULL DEFAULT '[]',
  preflight_at timestamptz,
  because text,
  opened_at timestamptz NOT NULL,
  released_at timestamptz NOT NULL,
  launched_at timestamptz,
  closed_at timestamptz
);
-- One open request for one thing.
CREATE UNIQUE INDEX request_open ON requests.request (kind, object_id) WHERE state IN ('waiting', 'ready', 'live');

-- What exactly a hash stands for: canonical JSON (RFC 8785), its SHA-256, what it covers and who edited any of it last.
CREATE TABLE requests.release (
  request_id text NOT NULL REFERENCES requests.request,
  hash text NOT NULL,
  canonical text NOT NULL,
  covers jsonb NOT NULL,
  editors text[] NOT NULL,
  made_at timestamptz NOT NULL,
  PRIMARY KEY (request_id, hash)
);

CREATE TABLE requests.key (
  id text PRIMARY KEY,
  request_id text NOT NULL,
  release_hash text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('marketing', 'it', 'protection')),
  person_id text NOT NULL,
  method text NOT NULL,
  condition text,
  given_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  voided_at timestamptz,
  void_because text,
  withdrawn_at timestamptz,
  FOREIGN KEY (request_id, release_hash) REFERENCES requests.release
);
-- Two keys are two people, and a slot holds one key.
CREATE UNIQUE INDEX key_slot ON requests.key (request_id, release_hash, kind) WHERE voided_at IS NULL AND withdrawn_at IS NULL;
CREATE UNIQUE INDEX key_person ON requests.key (request_id, release_hash, person_id) WHERE voided_at IS NULL AND withdrawn_at IS NULL;

-- Whoever asked for it or edited it last signs none; of the right side and role; enforced here too, so that an insert past the program fails.
CREATE FUNCTION requests.check_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM requests.request r WHERE r.id = NEW.request_id AND r.requester = NEW.person_id) THEN
    RAISE EXCEPTION 'the requester gives no key';
  END IF;
  IF EXISTS (SELECT 1 FROM requests.release v WHERE v.request_id = NEW.request_id AND v.hash = NEW.release_hash AND NEW.person_id = ANY (v.editors)) THEN
    RAISE EXCEPTION 'whoever edited it last gives no key';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM accounts.active_person p WHERE p.id = NEW.person_id AND (
    (NEW.kind IN ('marketing', 'it') AND p.side = NEW.kind AND 'approver' = ANY (p.roles)) OR (NEW.kind = 'protection' AND 'protection' = ANY (p.roles)))) THEN
    RAISE EXCEPTION 'this person cannot hold a key of this kind';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER key_is_allowed BEFORE INSERT ON requests.key FOR EACH ROW EXECUTE FUNCTION requests.check_key();

CREATE TABLE requests.execution (
  id text PRIMARY KEY,
  request_id text NOT NULL REFERENCES requests.request,
  release_hash text NOT NULL,
  launched_by text NOT NULL,
  at timestamptz NOT NULL,
  UNIQUE (request_id, release_hash)
);

CREATE TABLE requests.comment (id text PRIMARY KEY, request_id text NOT NULL REFERENCES requests.request, person_id text NOT NULL, side text NOT NULL, text text NOT NULL, at timestamptz NOT NULL);
CREATE INDEX comment_request ON requests.comment (request_id, at);
CREATE TABLE requests.history (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, request_id text NOT NULL REFERENCES requests.request, at timestamptz NOT NULL, by text NOT NULL, says text NOT NULL);
CREATE INDEX history_request ON requests.history (request_id, id);

-- Published: the releases that may act at this instant. Every needed key is given, not void, not withdrawn, not expired, and held by someone
-- who still could give it; it was launched, and not halted. The claim of every send joins this.
CREATE FUNCTION requests.live_release(as_of timestamptz) RETURNS TABLE (release_hash text, request_id text, kind text, object_id text) LANGUAGE sql STABLE AS $$
  SELECT e.release_hash, r.id, r.kind, r.object_id
  FROM requests.execution e
  JOIN requests.request r ON r.id = e.request_id AND r.state = 'live' AND r.release_hash = e.release_hash
  WHERE NOT EXISTS (
    SELECT 1 FROM unnest(r.needed) AS needed (kind)
    WHERE NOT EXISTS (
      SELECT 1 FROM requests.key k JOIN accounts.active_person p ON p.id = k.person_id
      WHERE k.request_id = r.id AND k.release_hash = e.release_hash AND k.kind = needed.kind
        AND k.voided_at IS NULL AND k.withdrawn_at IS NULL AND k.expires_at > as_of
        AND ((k.kind IN ('marketing', 'it') AND p.side = k.kind AND 'approver' = ANY (p.roles)) OR (k.kind = 'protection' AND 'protection' = ANY (p.roles)))))
$$;
