-- Why: how many test mails each person has had sent lately, so that a test cannot be used as a way to send. Costs nothing: a new table only; 120 bytes a test.
CREATE TABLE content.test_mail (account_id text NOT NULL, at timestamptz NOT NULL);
CREATE INDEX test_mail_account ON content.test_mail (account_id, at);
