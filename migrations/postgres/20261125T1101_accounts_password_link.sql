-- A third kind of one-time link: a new password for somebody who is here. Costs the check of a small table.
ALTER TABLE accounts.link DROP CONSTRAINT link_kind_check;
ALTER TABLE accounts.link ADD CONSTRAINT link_kind_check CHECK (kind IN ('first', 'invitation', 'password'));
