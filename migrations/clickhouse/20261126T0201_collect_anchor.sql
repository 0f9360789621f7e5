-- collect: the identifier that an event hangs on, so that it follows that identifier when people are told apart. 0: it was stored before, or names nobody.
ALTER TABLE event ADD COLUMN IF NOT EXISTS anchor UInt64 DEFAULT 0 AFTER profile_id;
