-- Why: who may be mailed about what, and who must not be. Costs nothing: new tables only; plan 300 bytes for each consent record.
CREATE SCHEMA consent;

CREATE TABLE consent.topic (
  -- A short name that stays: it is part of unsubscribe links and List-Id.
  id text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  name text NOT NULL,
  description text NOT NULL,
  -- The words that people agree to. Every version ever used stays in consent.wording.
  wording text NOT NULL,
  -- Shown on the preference page. A topic that came in with an event is not, until somebody described it.
  listed boolean NOT NULL,
  created_at timestamptz NOT NULL
);
INSERT INTO consent.topic VALUES
  ('news', 'News and offers', 'New products, events and offers, a few times a month.', 'Yes, send me news and offers by e-mail. I can stop this at any time.', true, '2026-11-24T00:00:00Z');

CREATE TABLE consent.wording (hash text PRIMARY KEY, text text NOT NULL, first_used_at timestamptz NOT NULL);

-- The proof: append only. The address is a keyed hash, so the log holds no personal value.
CREATE TABLE consent.record (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  address_key text NOT NULL,
  channel text NOT NULL,
  topic_id text NOT NULL REFERENCES consent.topic,
  state text NOT NULL CHECK (state IN ('granted', 'denied', 'withdrawn')),
  basis text NOT NULL,
  wording_hash text REFERENCES consent.wording,
  source text NOT NULL,
  -- When the person decided; recorded_at is when we heard of it.
  at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  proof text,
  -- What it came from (source and message id, or the deed): the same thing heard twice is one record.
  origin text NOT NULL UNIQUE
);
CREATE INDEX record_address ON consent.record (address_key, id DESC);
CREATE FUNCTION consent.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a consent record is written once and never changed';
END $$;
-- DELETE stays possible for erasure, which the audit log records.
CREATE TRIGGER record_is_final BEFORE UPDATE OR TRUNCATE ON consent.record FOR EACH STATEMENT EXECUTE FUNCTION consent.refuse();

-- What holds now, kept in the transaction of each record so that the claim of a send asks one row.
CREATE TABLE consent.latest (
  address_key text NOT NULL,
  channel text NOT NULL,
  topic_id text NOT NULL,
  state text NOT NULL,
  at timestamptz NOT NULL,
  record_id bigint NOT NULL,
  PRIMARY KEY (address_key, channel, topic_id)
);

-- Keyed by address, not by person: merging, deleting and importing people again never brings an address back.
CREATE TABLE consent.suppression (
  address_key text NOT NULL,
  channel text NOT NULL,
  -- '*' nothing at all · 'marketing' no marketing of any topic · else the id of one topic.
  scope text NOT NULL,
  reason text NOT NULL CHECK (reason IN ('unsubscribed', 'bounced', 'complained', 'by hand')),
  source text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (address_key, channel, scope)
);

-- Published: the claim of every send joins these two.
CREATE VIEW consent.mailable_topic AS SELECT address_key, topic_id, state FROM consent.latest WHERE channel = 'email';
CREATE VIEW consent.suppressed AS SELECT address_key, channel, scope FROM consent.suppression;
