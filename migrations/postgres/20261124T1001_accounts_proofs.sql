-- Why: a challenge is for one purpose and for five minutes; a first second factor needs a fresh password; others may ask since when somebody approves. Costs nothing: nullable columns, and one UPDATE of the people who approve.
ALTER TABLE accounts.session
  ADD COLUMN challenge_for text CHECK (challenge_for IN ('totp-enrol', 'passkey-enrol', 'step-up')),
  ADD COLUMN challenge_until timestamptz,
  ADD COLUMN password_proved_at timestamptz;

-- Since when, without a break, this person holds the role of an approver or of protection on this side, enabled; null for everybody else.
ALTER TABLE accounts.person ADD COLUMN approver_since timestamptz;
UPDATE accounts.person SET approver_since = created_at WHERE roles && '{approver,protection}' AND disabled_at IS NULL;

CREATE OR REPLACE VIEW accounts.active_person AS SELECT id, side, roles, approver_since FROM accounts.person WHERE disabled_at IS NULL;
