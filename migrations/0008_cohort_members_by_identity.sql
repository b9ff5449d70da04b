CREATE INDEX cohort_members_by_identity ON cohort_members (project_id, identity_id);
COMMENT ON INDEX cohort_members_by_identity IS 'Takes an erased person off all lists.';
