-- Why: a row that was put aside counts as put aside also when its run goes on after a stop. Costs nothing: one column with a constant default.
ALTER TABLE imports.last_row ADD COLUMN aside boolean NOT NULL DEFAULT false;
