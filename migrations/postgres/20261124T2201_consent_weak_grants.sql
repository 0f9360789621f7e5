-- Why: a grant from a page that anybody can post to, or without a date, must give way to any refusal, and topics that only such a page names are listed instead of
-- made. Costs nothing: one column with a constant default, one small table.
-- True for a grant that says yes only as long as nothing says no: of a public source, or without a time of its own.
ALTER TABLE consent.latest ADD COLUMN weak boolean NOT NULL DEFAULT false;

-- Topics that events named and that are none: shown to staff, who may make them. At most 50 names for each source; the rest counts under ''.
CREATE TABLE consent.unknown_topic (
  source_id text NOT NULL,
  topic_id text NOT NULL,
  name text NOT NULL,
  events bigint NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (source_id, topic_id)
);
