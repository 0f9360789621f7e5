-- Why: a table that was emptied, or lost more than half of its rows, must not say that everybody is gone before a person says so. Costs nothing.
ALTER TABLE pulls.run ADD COLUMN let_go boolean NOT NULL DEFAULT false;
-- It stopped with that question.
ALTER TABLE pulls.run ADD COLUMN asks_gone boolean NOT NULL DEFAULT false;
