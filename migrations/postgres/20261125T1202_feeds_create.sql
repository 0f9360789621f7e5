-- Why: what a company publishes (RSS, Atom, JSON Feed, an export of WordPress) is known here, so that events about its pages can be told by title, author and category. Costs nothing: new tables only.
CREATE SCHEMA feeds;

CREATE TABLE feeds.feed (
  id text PRIMARY KEY,
  source_id text NOT NULL,
  name text NOT NULL,
  -- Null: it is handed in as a file.
  url text,
  schedule text,
  promise_hours integer,
  paused boolean NOT NULL DEFAULT false,
  next_at timestamptz,
  format text,
  title text,
  -- What the server said of the version that we have.
  etag text,
  last_modified text,
  fresh_at timestamptz,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX feed_name ON feeds.feed (lower(name));
CREATE INDEX feed_due ON feeds.feed (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE feeds.reading (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  feed_id text NOT NULL REFERENCES feeds.feed ON DELETE CASCADE,
  state text NOT NULL CHECK (state IN ('done', 'unmodified', 'failed')),
  -- items = stored + changed + unchanged + rejected; gone stands beside.
  counts jsonb NOT NULL,
  because text,
  rejected jsonb NOT NULL DEFAULT '[]',
  started_by text NOT NULL,
  at timestamptz NOT NULL
);
CREATE INDEX reading_newest ON feeds.reading (feed_id, id DESC);

CREATE TABLE feeds.item (
  feed_id text NOT NULL REFERENCES feeds.feed ON DELETE CASCADE,
  -- The feed's own id of it.
  key text NOT NULL,
  hash text NOT NULL,
  url text,
  title text NOT NULL,
  author text,
  categories text[] NOT NULL,
  summary text NOT NULL,
  image text,
  published_at timestamptz,
  updated_at timestamptz,
  first_seen_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  versions integer NOT NULL DEFAULT 1,
  gone_at timestamptz,
  PRIMARY KEY (feed_id, key)
);
CREATE INDEX item_newest ON feeds.item (feed_id, published_at DESC NULLS LAST);

-- Published: what is there now, for whoever tells events by the page they are about (by url) or fills a mail with the newest.
CREATE VIEW feeds.content_item AS
  SELECT i.feed_id, f.source_id, i.key, i.url, i.title, i.author, i.categories, i.summary, i.image, i.published_at, i.changed_at
    FROM feeds.item AS i JOIN feeds.feed AS f ON f.id = i.feed_id WHERE i.gone_at IS NULL;
