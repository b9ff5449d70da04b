-- Uptime: what is asked from outside whether it is well, what came of it, and when it was down.

CREATE TABLE monitors (
    project_id            integer     NOT NULL,
    id                    bigint      GENERATED ALWAYS AS IDENTITY,
    name                  text        NOT NULL,
    target                jsonb       NOT NULL,
    interval_s            integer     NOT NULL,
    timeout_ms            integer     NOT NULL,
    created_at            timestamptz NOT NULL,
    state                 text        NOT NULL CHECK (state IN ('unknown', 'up', 'failing', 'down', 'paused')),
    since                 timestamptz NOT NULL,
    failures              integer     NOT NULL,
    due_at                timestamptz NOT NULL,
    claim                 uuid,
    checked_at            timestamptz,
    took_ms               integer,
    error_kind            text,
    error                 text,
    certificate_not_after timestamptz,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX monitors_due ON monitors (due_at) WHERE state <> 'paused';
COMMENT ON TABLE  monitors                       IS 'What is asked from outside, again and again, whether it is well.';
COMMENT ON COLUMN monitors.project_id            IS 'The project.';
COMMENT ON COLUMN monitors.id                    IS 'Number of the monitor.';
COMMENT ON COLUMN monitors.name                  IS 'Name for people; not unique.';
COMMENT ON COLUMN monitors.target                IS 'What is asked and which answer is expected: server/src/observe/uptime/target.rs. Its header values may be secrets.';
COMMENT ON COLUMN monitors.interval_s            IS 'Seconds from one check to the next.';
COMMENT ON COLUMN monitors.timeout_ms            IS 'How long a check may take, in milliseconds.';
COMMENT ON COLUMN monitors.created_at            IS 'When it was made.';
COMMENT ON COLUMN monitors.state                 IS 'What is known: unknown (not checked yet), up, failing (one failure, which may be a hiccup), down, paused.';
COMMENT ON COLUMN monitors.since                 IS 'Since when it is so. Of one that is failing or down: when the first of its failed checks began.';
COMMENT ON COLUMN monitors.failures              IS 'Checks that failed since the last that did not.';
COMMENT ON COLUMN monitors.due_at                IS 'When it is checked next. While it is being checked: when whoever does so is given up.';
COMMENT ON COLUMN monitors.claim                 IS 'Whose check is under way: only who knows this may write its result. Null: nobody''s.';
COMMENT ON COLUMN monitors.checked_at            IS 'When the last check began; null before the first.';
COMMENT ON COLUMN monitors.took_ms               IS 'How long the last check took, in milliseconds.';
COMMENT ON COLUMN monitors.error_kind            IS 'Why the last check failed, for programs; null if it did not.';
COMMENT ON COLUMN monitors.error                 IS 'Why the last check failed, for people.';
COMMENT ON COLUMN monitors.certificate_not_after IS 'When the certificate that was last seen ends; null without TLS.';
COMMENT ON INDEX  monitors_pkey                  IS 'Finds a monitor by its number.';
COMMENT ON INDEX  monitors_due                   IS 'Who is checked next, in any project.';

CREATE TABLE monitor_checks (
    project_id integer     NOT NULL,
    monitor_id bigint      NOT NULL,
    minute     timestamptz NOT NULL,
    checks     integer     NOT NULL,
    failures   integer     NOT NULL,
    sum_ms     bigint      NOT NULL,
    min_ms     integer,
    max_ms     integer,
    last_error text,
    PRIMARY KEY (project_id, monitor_id, minute)
);
CREATE INDEX monitor_checks_by_minute ON monitor_checks (minute);
COMMENT ON TABLE  monitor_checks            IS 'What came of the checks of a minute; kept for a week.';
COMMENT ON COLUMN monitor_checks.project_id IS 'The project.';
COMMENT ON COLUMN monitor_checks.monitor_id IS 'The monitor.';
COMMENT ON COLUMN monitor_checks.minute     IS 'The minute in which they began.';
COMMENT ON COLUMN monitor_checks.checks     IS 'How many.';
COMMENT ON COLUMN monitor_checks.failures   IS 'How many of them failed.';
COMMENT ON COLUMN monitor_checks.sum_ms     IS 'How long those took together that did not fail, in milliseconds.';
COMMENT ON COLUMN monitor_checks.min_ms     IS 'How long the quickest of those took; null if there was none.';
COMMENT ON COLUMN monitor_checks.max_ms     IS 'How long the slowest of those took; null if there was none.';
COMMENT ON COLUMN monitor_checks.last_error IS 'Why the last that failed did so.';
COMMENT ON INDEX  monitor_checks_pkey       IS 'The minutes of a monitor.';
COMMENT ON INDEX  monitor_checks_by_minute  IS 'The minutes that are to become hours, and those to be forgotten.';

CREATE TABLE monitor_hours (
    project_id integer     NOT NULL,
    monitor_id bigint      NOT NULL,
    hour       timestamptz NOT NULL,
    checks     integer     NOT NULL,
    failures   integer     NOT NULL,
    sum_ms     bigint      NOT NULL,
    min_ms     integer,
    max_ms     integer,
    PRIMARY KEY (project_id, monitor_id, hour)
);
CREATE INDEX monitor_hours_by_hour ON monitor_hours (hour);
COMMENT ON TABLE  monitor_hours            IS 'The minutes of monitor_checks, by the hour that they are in; kept for 400 days.';
COMMENT ON COLUMN monitor_hours.project_id IS 'The project.';
COMMENT ON COLUMN monitor_hours.monitor_id IS 'The monitor.';
COMMENT ON COLUMN monitor_hours.hour       IS 'The hour in which the checks began.';
COMMENT ON COLUMN monitor_hours.checks     IS 'How many.';
COMMENT ON COLUMN monitor_hours.failures   IS 'How many of them failed.';
COMMENT ON COLUMN monitor_hours.sum_ms     IS 'How long those took together that did not fail, in milliseconds.';
COMMENT ON COLUMN monitor_hours.min_ms     IS 'How long the quickest of those took; null if there was none.';
COMMENT ON COLUMN monitor_hours.max_ms     IS 'How long the slowest of those took; null if there was none.';
COMMENT ON INDEX  monitor_hours_pkey       IS 'The hours of a monitor.';
COMMENT ON INDEX  monitor_hours_by_hour    IS 'The last hour there is, and those to be forgotten.';

CREATE TABLE incidents (
    project_id    integer     NOT NULL,
    id            bigint      GENERATED ALWAYS AS IDENTITY,
    monitor_id    bigint      NOT NULL,
    started_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    ended_by      text        CHECK (ended_by IN ('recovered', 'paused', 'changed')),
    cause_kind    text        NOT NULL,
    cause         text        NOT NULL,
    failed_checks integer     NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX incidents_open ON incidents (project_id, monitor_id) WHERE ended_at IS NULL;
CREATE INDEX incidents_by_monitor ON incidents (project_id, monitor_id, id);
CREATE INDEX incidents_by_end ON incidents (ended_at);
COMMENT ON TABLE  incidents               IS 'When a monitor was down.';
COMMENT ON COLUMN incidents.project_id    IS 'The project.';
COMMENT ON COLUMN incidents.id            IS 'Number of the incident.';
COMMENT ON COLUMN incidents.monitor_id    IS 'The monitor.';
COMMENT ON COLUMN incidents.started_at    IS 'When the first check that failed began.';
COMMENT ON COLUMN incidents.ended_at      IS 'When the first check that did not fail began, or the monitor was paused or changed; null while it lasts.';
COMMENT ON COLUMN incidents.ended_by      IS 'What ended it: recovered, paused or changed; null while it lasts.';
COMMENT ON COLUMN incidents.cause_kind    IS 'Why the check failed that made it an incident, for programs.';
COMMENT ON COLUMN incidents.cause         IS 'The same for people.';
COMMENT ON COLUMN incidents.failed_checks IS 'How many checks failed in it.';
COMMENT ON INDEX  incidents_pkey          IS 'The incidents of a project, newest last.';
COMMENT ON INDEX  incidents_open          IS 'A monitor is down once at a time; finds what lasts.';
COMMENT ON INDEX  incidents_by_monitor    IS 'The incidents of a monitor, newest last.';
COMMENT ON INDEX  incidents_by_end        IS 'Those to be forgotten.';
