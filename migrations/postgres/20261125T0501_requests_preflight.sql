-- Why: a preflight belongs to the release that it looked at; a template that changed since was not looked at. Costs nothing: one empty column.
-- Open requests are looked at again before they launch.
ALTER TABLE requests.request ADD COLUMN preflight_release text;
