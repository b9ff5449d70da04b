-- Errors by what they have in common (server/src/observe/errors). All of it is made from $exception events in the
-- background, and none of it is looked at when events are stored.

CREATE TABLE issue_numbers (
    project_id integer NOT NULL,
    last       integer NOT NULL,
    PRIMARY KEY (project_id)
);
COMMENT ON TABLE  issue_numbers            IS 'The last number that an issue of each project was given: a number is never used again.';
COMMENT ON COLUMN issue_numbers.project_id IS 'The project.';
COMMENT ON COLUMN issue_numbers.last       IS 'The number.';
COMMENT ON INDEX  issue_numbers_pkey       IS 'One row per project.';

-- fillfactor: a busy issue is updated every second; with a fifth of each page free the new version stays on the page, and no
-- index is touched, for no index has a column that an event changes, but for a state's.
CREATE TABLE issues (
    project_id    integer     NOT NULL,
    number        integer     NOT NULL,
    algorithm     smallint    NOT NULL,
    handled       boolean     NOT NULL,
    events        bigint      NOT NULL,
    first_seen    timestamptz NOT NULL,
    last_seen     timestamptz NOT NULL,
    state_at      timestamptz NOT NULL,
    resolved_at   timestamptz,
    first_event   uuid        NOT NULL,
    key           bytea       NOT NULL CHECK (length(key) = 32),
    state         text        NOT NULL CHECK (state IN ('new', 'ongoing', 'escalating', 'regressed', 'resolved', 'ignored')),
    level         text        NOT NULL CHECK (level IN ('warning', 'error', 'fatal')),
    kind          text        NOT NULL,
    title         text        NOT NULL,
    culprit       text        NOT NULL,
    first_release text,
    last_release  text,
    resolved_by   text,
    resolved_in   text,
    newest_events uuid[]      NOT NULL,
    PRIMARY KEY (project_id, number)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX issues_by_key ON issues (project_id, key);
CREATE INDEX issues_by_state ON issues (project_id, state, state_at);
COMMENT ON TABLE  issues               IS 'Errors that are one, as observe/errors/group.rs has it: at most 10,000 of a project.';
COMMENT ON COLUMN issues.project_id    IS 'The project.';
COMMENT ON COLUMN issues.number        IS 'Number of the issue within its project.';
COMMENT ON COLUMN issues.algorithm     IS 'Version of the rules by which it was grouped.';
COMMENT ON COLUMN issues.handled       IS 'Whether the app had caught every one of its events.';
COMMENT ON COLUMN issues.events        IS 'How many events it has had, those that are erased or no longer kept included.';
COMMENT ON COLUMN issues.first_seen    IS 'The earliest timestamp of its events.';
COMMENT ON COLUMN issues.last_seen     IS 'The latest.';
COMMENT ON COLUMN issues.state_at      IS 'Since when its state is so: when the server received the event, when the event happened that made it regressed, or when somebody said so.';
COMMENT ON COLUMN issues.resolved_at   IS 'When it was resolved last; kept when it is regressed.';
COMMENT ON COLUMN issues.first_event   IS 'Its event with the least id; it may be erased.';
COMMENT ON COLUMN issues.key           IS 'SHA-256 of the algorithm''s version and the text of the group.';
COMMENT ON COLUMN issues.state         IS 'What it is (observe/errors/state.rs).';
COMMENT ON COLUMN issues.level         IS 'The worst level of its events.';
COMMENT ON COLUMN issues.kind          IS 'The error''s type.';
COMMENT ON COLUMN issues.title         IS 'The first line of what its first event said.';
COMMENT ON COLUMN issues.culprit       IS 'Where in the app''s code it was thrown; empty if that is not known.';
COMMENT ON COLUMN issues.first_release IS 'The release of its earliest event; null if it did not say.';
COMMENT ON COLUMN issues.last_release  IS 'The release of its latest event; null if it did not say.';
COMMENT ON COLUMN issues.resolved_by   IS 'Who resolved it: an e-mail address, or a key''s number.';
COMMENT ON COLUMN issues.resolved_in   IS 'The release in which it is resolved; null: in all.';
COMMENT ON COLUMN issues.newest_events IS 'Its events with the greatest ids, at most 10, the greatest first; some may be erased.';
COMMENT ON INDEX  issues_pkey          IS 'Finds an issue by its number.';
COMMENT ON INDEX  issues_by_key        IS 'Finds the issue of an error; keeps one row per group.';
COMMENT ON INDEX  issues_by_state      IS 'What is new, what came back, and what has been so for a week.';

CREATE TABLE issue_quarters (
    project_id integer     NOT NULL,
    issue      integer     NOT NULL,
    quarter    timestamptz NOT NULL,
    events     bigint      NOT NULL,
    PRIMARY KEY (project_id, issue, quarter)
) WITH (fillfactor = 80);
CREATE INDEX issue_quarters_by_time ON issue_quarters (project_id, quarter, issue);
COMMENT ON TABLE  issue_quarters            IS 'Events of each issue by quarter-hours, for 30 days.';
COMMENT ON COLUMN issue_quarters.project_id IS 'The project.';
COMMENT ON COLUMN issue_quarters.issue      IS 'The issue; 0: all of the project''s together that are neither ignored nor warnings.';
COMMENT ON COLUMN issue_quarters.quarter    IS 'When the quarter-hour begins.';
COMMENT ON COLUMN issue_quarters.events     IS 'Events whose timestamp is in it.';
COMMENT ON INDEX  issue_quarters_pkey       IS 'The course of an issue; one row per issue and quarter.';
COMMENT ON INDEX  issue_quarters_by_time    IS 'What happens now, and what is no longer kept. It has no counts, so that counting does not touch it.';

CREATE TABLE issue_people (
    project_id  integer     NOT NULL,
    issue       integer     NOT NULL,
    identity_id bigint      NOT NULL,
    first_seen  timestamptz NOT NULL,
    last_seen   timestamptz NOT NULL,
    PRIMARY KEY (project_id, identity_id, issue)
);
CREATE INDEX issue_people_by_issue ON issue_people (project_id, issue, last_seen) INCLUDE (identity_id);
COMMENT ON TABLE  issue_people             IS 'Whom an issue has met in the last 90 days. Identities and not persons, so that a merge rewrites nothing.';
COMMENT ON COLUMN issue_people.project_id  IS 'The project.';
COMMENT ON COLUMN issue_people.issue       IS 'The issue.';
COMMENT ON COLUMN issue_people.identity_id IS 'Whose event it was.';
COMMENT ON COLUMN issue_people.first_seen  IS 'The earliest timestamp of these events.';
COMMENT ON COLUMN issue_people.last_seen   IS 'The latest.';
COMMENT ON INDEX  issue_people_pkey        IS 'Takes an erased person out; one row per issue and identity.';
COMMENT ON INDEX  issue_people_by_issue    IS 'How many people, and how many lately, as an index-only scan.';

CREATE TABLE issue_releases (
    project_id integer     NOT NULL,
    issue      integer     NOT NULL,
    release    text        NOT NULL,
    events     bigint      NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen  timestamptz NOT NULL,
    PRIMARY KEY (project_id, issue, release)
) WITH (fillfactor = 80);
COMMENT ON TABLE  issue_releases            IS 'The releases in which an issue was seen, some 200 at most.';
COMMENT ON COLUMN issue_releases.project_id IS 'The project.';
COMMENT ON COLUMN issue_releases.issue      IS 'The issue.';
COMMENT ON COLUMN issue_releases.release    IS 'Version of the app.';
COMMENT ON COLUMN issue_releases.events     IS 'Events of the issue in it.';
COMMENT ON COLUMN issue_releases.first_seen IS 'The earliest timestamp of these events.';
COMMENT ON COLUMN issue_releases.last_seen  IS 'The latest.';
COMMENT ON INDEX  issue_releases_pkey       IS 'The releases of an issue; one row each.';
