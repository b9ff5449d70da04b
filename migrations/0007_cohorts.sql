-- Cohorts that are kept: persons by what they did, or by a list.

CREATE TABLE cohorts (
    project_id integer     NOT NULL,
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    name       text        NOT NULL,
    definition jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, id)
);
COMMENT ON TABLE  cohorts            IS 'Sets of persons with a name, for filters and breakdowns.';
COMMENT ON COLUMN cohorts.project_id IS 'The project.';
COMMENT ON COLUMN cohorts.id         IS 'Number of the cohort.';
COMMENT ON COLUMN cohorts.name       IS 'Name for people; not unique.';
COMMENT ON COLUMN cohorts.definition IS 'What is to be so of its persons (server/src/query/ask/question/cohort.rs), looked at whenever it is asked for; null: the list in cohort_members.';
COMMENT ON COLUMN cohorts.created_at IS 'When it was made.';
COMMENT ON INDEX  cohorts_pkey       IS 'Finds a cohort by its number.';

CREATE TABLE cohort_members (
    project_id  integer NOT NULL,
    cohort_id   bigint  NOT NULL,
    identity_id bigint  NOT NULL,
    PRIMARY KEY (project_id, cohort_id, identity_id)
);
COMMENT ON TABLE  cohort_members             IS 'The list of a cohort without a definition. Identities and not persons, so that a merge rewrites nothing.';
COMMENT ON COLUMN cohort_members.project_id  IS 'The project.';
COMMENT ON COLUMN cohort_members.cohort_id   IS 'The cohort.';
COMMENT ON COLUMN cohort_members.identity_id IS 'One identity of a person in it.';
COMMENT ON INDEX  cohort_members_pkey        IS 'The list of a cohort; an identity is in it once.';
