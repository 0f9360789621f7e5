-- Why: whoever became part of a profile that itself becomes part of another is found by it, with every merge. Costs: one pass over profiles.
CREATE INDEX profile_merged_into ON identity.profile (merged_into) WHERE merged_into IS NOT NULL;
