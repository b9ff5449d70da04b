-- What is done in the background, and what it leaves: jobs, the notes that the writer leaves for them, counts of events, what
-- is broken, and the servers themselves.

CREATE TABLE jobs (
    name           text        PRIMARY KEY,
    due_at         timestamptz NOT NULL,
    lease_until    timestamptz,
    lease_token    uuid,
    runner         uuid,
    started_at     timestamptz,
    finished_at    timestamptz,
    took_ms        integer,
    error          text,
    failed_at      timestamptz,
    runs           bigint      NOT NULL DEFAULT 0,
    failures       bigint      NOT NULL DEFAULT 0,
    failed_in_a_row integer    NOT NULL DEFAULT 0,
    CHECK ((lease_until IS NULL) = (lease_token IS NULL))
);
COMMENT ON TABLE  jobs                 IS 'What is done in the background (server/src/jobs), a row for each kind: who does it now, and how it went.';
COMMENT ON COLUMN jobs.name            IS 'Which.';
COMMENT ON COLUMN jobs.due_at          IS 'When it is to run next. In the past: as soon as a server has time.';
COMMENT ON COLUMN jobs.lease_until     IS 'A server is at it and has to say so again before this; null while nobody is. After it another server may begin.';
COMMENT ON COLUMN jobs.lease_token     IS 'Of this run: only who has it may end or prolong it.';
COMMENT ON COLUMN jobs.runner          IS 'The server of the latest run, named by its journal.';
COMMENT ON COLUMN jobs.started_at      IS 'When the latest run began.';
COMMENT ON COLUMN jobs.finished_at     IS 'When a run last ended, well or not.';
COMMENT ON COLUMN jobs.took_ms         IS 'How long that run took, in milliseconds.';
COMMENT ON COLUMN jobs.error           IS 'Why the latest run failed; null if it did not.';
COMMENT ON COLUMN jobs.failed_at       IS 'When a run last failed.';
COMMENT ON COLUMN jobs.runs            IS 'Runs that ended.';
COMMENT ON COLUMN jobs.failures        IS 'Of these, those that failed.';
COMMENT ON COLUMN jobs.failed_in_a_row IS 'Failures since the last run that went well.';
COMMENT ON INDEX  jobs_pkey            IS 'One row for each kind of job.';

CREATE TABLE job_runs (
    job        text        NOT NULL,
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    started_at timestamptz NOT NULL,
    took_ms    integer     NOT NULL,
    runner     uuid        NOT NULL,
    done       bigint      NOT NULL,
    error      text,
    PRIMARY KEY (job, id)
);
COMMENT ON TABLE  job_runs            IS 'Runs that did something or failed; kept for a week, the newest of each job longer.';
COMMENT ON COLUMN job_runs.job        IS 'Which job.';
COMMENT ON COLUMN job_runs.id         IS 'Number of the run.';
COMMENT ON COLUMN job_runs.started_at IS 'When it began.';
COMMENT ON COLUMN job_runs.took_ms    IS 'How long it took, in milliseconds.';
COMMENT ON COLUMN job_runs.runner     IS 'The server, named by its journal.';
COMMENT ON COLUMN job_runs.done       IS 'How much it did, in whatever the job counts.';
COMMENT ON COLUMN job_runs.error      IS 'Why it failed; null if it did not.';
COMMENT ON INDEX  job_runs_pkey       IS 'The runs of a job, in their order.';

CREATE TABLE notes (
    project_id integer     NOT NULL,
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    names      integer[]   NOT NULL,
    minutes    bigint[]    NOT NULL,
    counts     integer[]   NOT NULL,
    exceptions uuid[]      NOT NULL,
    requests   uuid[]      NOT NULL,
    attempts   smallint    NOT NULL DEFAULT 0,
    error      text,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX notes_waiting ON notes (id) WHERE attempts < 5;
COMMENT ON TABLE  notes            IS 'What a write brought, for those who look at events in the background: a row for each project of a write, in its transaction, until a job has taken it up.';
COMMENT ON COLUMN notes.project_id IS 'The project.';
COMMENT ON COLUMN notes.id         IS 'Number of the note.';
COMMENT ON COLUMN notes.names      IS 'Names of the events, in event_names: one element for each name and minute.';
COMMENT ON COLUMN notes.minutes    IS 'Beside each name: minutes since 1970 of the events'' timestamp.';
COMMENT ON COLUMN notes.counts     IS 'Beside both: how many events.';
COMMENT ON COLUMN notes.exceptions IS 'The $exception events.';
COMMENT ON COLUMN notes.requests   IS 'The $request events.';
COMMENT ON COLUMN notes.attempts   IS 'How often taking it up has failed. With five it is left alone.';
COMMENT ON COLUMN notes.error      IS 'Why, the last time.';
COMMENT ON INDEX  notes_pkey       IS 'Finds a note.';
COMMENT ON INDEX  notes_waiting    IS 'What waits, oldest first.';

CREATE TABLE event_minutes (
    project_id    integer     NOT NULL,
    minute        timestamptz NOT NULL,
    event_name_id integer     NOT NULL,
    events        bigint      NOT NULL,
    PRIMARY KEY (project_id, minute, event_name_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE  event_minutes               IS 'Events by minute and name, from the notes; kept for nine days.';
COMMENT ON COLUMN event_minutes.project_id    IS 'The project.';
COMMENT ON COLUMN event_minutes.minute        IS 'The minute of their timestamp.';
COMMENT ON COLUMN event_minutes.event_name_id IS 'Their name, in event_names.';
COMMENT ON COLUMN event_minutes.events        IS 'How many.';
COMMENT ON INDEX  event_minutes_pkey          IS 'A stretch of time; one row for each minute and name.';

CREATE TABLE event_hours (
    project_id    integer     NOT NULL,
    event_name_id integer     NOT NULL,
    hour          timestamptz NOT NULL,
    events        bigint      NOT NULL,
    PRIMARY KEY (project_id, event_name_id, hour)
) WITH (fillfactor = 80);
CREATE INDEX event_hours_by_time ON event_hours (project_id, hour);
COMMENT ON TABLE  event_hours               IS 'Events by hour and name, from the notes; kept as long as the events.';
COMMENT ON COLUMN event_hours.project_id    IS 'The project.';
COMMENT ON COLUMN event_hours.event_name_id IS 'Their name, in event_names.';
COMMENT ON COLUMN event_hours.hour          IS 'The hour of their timestamp.';
COMMENT ON COLUMN event_hours.events        IS 'How many.';
COMMENT ON INDEX  event_hours_pkey          IS 'The history of a name; one row for each hour and name.';
COMMENT ON INDEX  event_hours_by_time       IS 'Which days have changed; what is to be forgotten.';

CREATE TABLE event_rhythms (
    project_id    integer     NOT NULL,
    event_name_id integer     NOT NULL,
    longest_s     integer     NOT NULL,
    learnt_at     timestamptz NOT NULL,
    PRIMARY KEY (project_id, event_name_id)
);
COMMENT ON TABLE  event_rhythms               IS 'How long events that come every day are silent at the most: what "stopped" is compared with.';
COMMENT ON COLUMN event_rhythms.project_id    IS 'The project.';
COMMENT ON COLUMN event_rhythms.event_name_id IS 'The name, in event_names.';
COMMENT ON COLUMN event_rhythms.longest_s     IS 'The longest time without one in the week before it was learnt, in seconds.';
COMMENT ON COLUMN event_rhythms.learnt_at     IS 'When it was learnt.';
COMMENT ON INDEX  event_rhythms_pkey          IS 'One row for each name.';

CREATE TABLE usage_days (
    project_id      integer     NOT NULL,
    day             date        NOT NULL,
    events          bigint      NOT NULL,
    persons         bigint      NOT NULL,
    counted         bigint      NOT NULL,
    sessions        bigint,
    sessions_open   bigint,
    session_seconds bigint,
    counted_sessions bigint,
    PRIMARY KEY (project_id, day)
);
COMMENT ON TABLE  usage_days                  IS 'What a project used on a day (UTC). A day is counted again when late events have come for it.';
COMMENT ON COLUMN usage_days.project_id       IS 'The project.';
COMMENT ON COLUMN usage_days.day              IS 'The day of the events'' timestamp, in UTC.';
COMMENT ON COLUMN usage_days.events           IS 'Events.';
COMMENT ON COLUMN usage_days.persons          IS 'Persons with events, as of when it was counted.';
COMMENT ON COLUMN usage_days.counted          IS 'The sum of event_hours of the day when it was counted: another sum means that it is to be counted again.';
COMMENT ON COLUMN usage_days.sessions         IS 'Sessions that began on the day; null until they were looked at.';
COMMENT ON COLUMN usage_days.sessions_open    IS 'Of these, those that were not over when they were looked at: a session is over 30 minutes after its last event.';
COMMENT ON COLUMN usage_days.session_seconds  IS 'How long those that are over took together, in seconds.';
COMMENT ON COLUMN usage_days.counted_sessions IS 'The sum of event_hours of the day when its sessions were looked at.';
COMMENT ON INDEX  usage_days_pkey             IS 'One row for each day.';

CREATE TABLE refused_minutes (
    project_id integer     NOT NULL,
    minute     timestamptz NOT NULL,
    what       text        NOT NULL CHECK (what IN ('event', 'request')),
    reason     text        NOT NULL,
    refused    bigint      NOT NULL,
    PRIMARY KEY (project_id, minute, what, reason)
);
COMMENT ON TABLE  refused_minutes            IS 'What the ingest has refused, by reason; kept for 30 days.';
COMMENT ON COLUMN refused_minutes.project_id IS 'The project.';
COMMENT ON COLUMN refused_minutes.minute     IS 'When it was refused.';
COMMENT ON COLUMN refused_minutes.what       IS 'event: one of a batch, with the reason of its verdict. request: a whole request, with the code of its problem.';
COMMENT ON COLUMN refused_minutes.reason     IS 'Why: a stable word.';
COMMENT ON COLUMN refused_minutes.refused    IS 'How many.';
COMMENT ON INDEX  refused_minutes_pkey       IS 'A stretch of time; one row for each minute and reason.';

CREATE TABLE nodes (
    id              uuid        PRIMARY KEY,
    started_at      timestamptz NOT NULL,
    seen_at         timestamptz NOT NULL,
    version         text        NOT NULL,
    listen          text        NOT NULL,
    backlog_records bigint      NOT NULL,
    backlog_bytes   bigint      NOT NULL,
    oldest_ms       bigint      NOT NULL,
    poisoned        boolean     NOT NULL,
    writer_error    text
);
COMMENT ON TABLE  nodes                 IS 'The servers of this database, as each tells of itself every ten seconds.';
COMMENT ON COLUMN nodes.id              IS 'The server, named by its journal.';
COMMENT ON COLUMN nodes.started_at      IS 'When it was started.';
COMMENT ON COLUMN nodes.seen_at         IS 'When it last told.';
COMMENT ON COLUMN nodes.version         IS 'Which release it runs.';
COMMENT ON COLUMN nodes.listen          IS 'Where it listens.';
COMMENT ON COLUMN nodes.backlog_records IS 'Batches in its journal that are not stored.';
COMMENT ON COLUMN nodes.backlog_bytes   IS 'Their bytes.';
COMMENT ON COLUMN nodes.oldest_ms       IS 'For how long the oldest of them has waited, in milliseconds; 0 if none waits.';
COMMENT ON COLUMN nodes.poisoned        IS 'Whether its journal has failed and takes nothing until a restart.';
COMMENT ON COLUMN nodes.writer_error    IS 'Why its writer does not get on; null while it does.';
COMMENT ON INDEX  nodes_pkey            IS 'One row for each server.';

CREATE TABLE problems (
    project_id    integer     NOT NULL,
    id            bigint      GENERATED ALWAYS AS IDENTITY,
    kind          text        NOT NULL,
    subject       text        NOT NULL,
    what          text        NOT NULL,
    since         timestamptz NOT NULL,
    people        bigint,
    compared_with text,
    evidence      text        NOT NULL,
    opened_at     timestamptz NOT NULL,
    seen_at       timestamptz NOT NULL,
    closed_at     timestamptz,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX problems_open ON problems (project_id, kind, subject) WHERE closed_at IS NULL;
CREATE INDEX problems_by_time ON problems (project_id, opened_at DESC);
COMMENT ON TABLE  problems               IS 'What is broken, and was: one row for each time that a detector found something, until it no longer does.';
COMMENT ON COLUMN problems.project_id    IS 'The project.';
COMMENT ON COLUMN problems.id            IS 'Number of the problem.';
COMMENT ON COLUMN problems.kind          IS 'What kind of thing is broken (server/src/observe/problem.rs).';
COMMENT ON COLUMN problems.subject       IS 'Which one: the number of an issue or a monitor, an endpoint, a name.';
COMMENT ON COLUMN problems.what          IS 'What is broken, for people.';
COMMENT ON COLUMN problems.since         IS 'Since when, as far as is known.';
COMMENT ON COLUMN problems.people        IS 'How many people it has met; null if that cannot be known.';
COMMENT ON COLUMN problems.compared_with IS 'What it is compared with, for people.';
COMMENT ON COLUMN problems.evidence      IS 'Path of the API where the evidence is.';
COMMENT ON COLUMN problems.opened_at     IS 'When a detector first found it.';
COMMENT ON COLUMN problems.seen_at       IS 'When a detector last found it.';
COMMENT ON COLUMN problems.closed_at     IS 'When it was no longer found; null while it lasts.';
COMMENT ON INDEX  problems_pkey          IS 'Finds a problem.';
COMMENT ON INDEX  problems_open          IS 'What is broken now; a thing is broken once at a time.';
COMMENT ON INDEX  problems_by_time       IS 'What was broken, newest first.';

CREATE TABLE saved_queries (
    project_id integer     NOT NULL,
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    name       text        NOT NULL,
    question   jsonb       NOT NULL,
    watched    boolean     NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text        NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, id)
);
COMMENT ON TABLE  saved_queries            IS 'Questions that are kept, to be asked again, watched, or shown on a dashboard.';
COMMENT ON COLUMN saved_queries.project_id IS 'The project.';
COMMENT ON COLUMN saved_queries.id         IS 'Number of the question.';
COMMENT ON COLUMN saved_queries.name       IS 'Name for people; not unique.';
COMMENT ON COLUMN saved_queries.question   IS 'The question, with every default in it (docs/query.md).';
COMMENT ON COLUMN saved_queries.watched    IS 'Of a funnel: whether it is a problem when fewer people get through than the week before.';
COMMENT ON COLUMN saved_queries.created_at IS 'When it was saved.';
COMMENT ON COLUMN saved_queries.created_by IS 'Who saved it: an e-mail address, or the number of a key.';
COMMENT ON COLUMN saved_queries.changed_at IS 'When it was last changed.';
COMMENT ON INDEX  saved_queries_pkey       IS 'Finds a question by its number.';

CREATE TABLE watched_values (
    project_id integer     NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('funnel', 'threshold')),
    subject    bigint      NOT NULL,
    found      jsonb,
    looked_at  timestamptz NOT NULL,
    PRIMARY KEY (project_id, kind, subject)
);
COMMENT ON TABLE  watched_values            IS 'What was last found out about questions that are watched: they are asked rarely, detectors look often.';
COMMENT ON COLUMN watched_values.project_id IS 'The project.';
COMMENT ON COLUMN watched_values.kind       IS 'funnel: a watched question of saved_queries. threshold: an alert with a threshold.';
COMMENT ON COLUMN watched_values.subject    IS 'Number of the question, or of the alert.';
COMMENT ON COLUMN watched_values.found      IS 'The problem, as a detector tells it; null if there is none.';
COMMENT ON COLUMN watched_values.looked_at  IS 'When the question was last asked.';
COMMENT ON INDEX  watched_values_pkey       IS 'One row for each question or alert.';
