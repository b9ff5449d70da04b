-- Who is told of what is broken, what is to be told, and what became of it.

CREATE TABLE alerts (
    project_id       integer     NOT NULL,
    id               bigint      GENERATED ALWAYS AS IDENTITY,
    name             text        NOT NULL,
    listens_to       jsonb       NOT NULL,
    channel          jsonb       NOT NULL,
    secret           text,
    old_secret       text,
    old_secret_until timestamptz,
    recover          boolean     NOT NULL,
    remind_every_minutes integer,
    enabled          boolean     NOT NULL,
    disabled_reason  text,
    silenced_until   timestamptz,
    created_at       timestamptz NOT NULL,
    created_by       text        NOT NULL,
    PRIMARY KEY (project_id, id)
);
COMMENT ON TABLE  alerts                  IS 'Who is told of problems, where.';
COMMENT ON COLUMN alerts.project_id       IS 'The project.';
COMMENT ON COLUMN alerts.id               IS 'Number of the alert.';
COMMENT ON COLUMN alerts.name             IS 'Name for people; not unique.';
COMMENT ON COLUMN alerts.listens_to       IS 'Which problems (server/src/observe/alerts/on.rs): kinds and a subject, or the threshold of a saved question.';
COMMENT ON COLUMN alerts.channel          IS 'Where to (server/src/observe/alerts/channel.rs): a webhook or e-mail addresses. A webhook''s URL often holds a secret, so answers show its host alone.';
COMMENT ON COLUMN alerts.secret           IS 'What signs a webhook: whsec_ and 32 random bytes in base64. It is needed as it is, so it is not hashed. Null for e-mail.';
COMMENT ON COLUMN alerts.old_secret       IS 'The one before a rotation, which signs beside it for a day; null without one.';
COMMENT ON COLUMN alerts.old_secret_until IS 'Until when it does.';
COMMENT ON COLUMN alerts.recover          IS 'Whether the end of a problem is told too.';
COMMENT ON COLUMN alerts.remind_every_minutes IS 'After how many minutes it is told again that a problem is still there, and again; null: never.';
COMMENT ON COLUMN alerts.enabled          IS 'Whether anything is told.';
COMMENT ON COLUMN alerts.disabled_reason  IS 'Why the server itself disabled it: the receiver answered 410 Gone. Null if it did not.';
COMMENT ON COLUMN alerts.silenced_until   IS 'Until when nothing is sent; what is still so then is told then. Null: not silenced.';
COMMENT ON COLUMN alerts.created_at       IS 'When it was made.';
COMMENT ON COLUMN alerts.created_by       IS 'Who made it: an e-mail address, or the number of a key.';
COMMENT ON INDEX  alerts_pkey             IS 'The alerts of a project, and one of them.';

CREATE TABLE alert_messages (
    project_id       integer     NOT NULL,
    id               uuid        NOT NULL,
    alert_id         bigint      NOT NULL,
    problem_id       bigint,
    transition       text        NOT NULL CHECK (transition IN ('opened', 'closed', 'reminder', 'test')),
    turn             bigint      NOT NULL DEFAULT 0,
    recipient        text        NOT NULL,
    follows          uuid,
    kind             text,
    subject          text,
    what             text        NOT NULL,
    since            timestamptz NOT NULL,
    people           bigint,
    compared_with    text,
    evidence         text        NOT NULL,
    closed_at        timestamptz,
    created_at       timestamptz NOT NULL,
    not_before       timestamptz NOT NULL,
    due_at           timestamptz NOT NULL,
    state            text        NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead', 'withdrawn')),
    attempts         integer     NOT NULL DEFAULT 0,
    first_attempt_at timestamptz,
    leased_until     timestamptz,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX alert_messages_once       ON alert_messages (project_id, alert_id, problem_id, transition, turn, recipient);
CREATE INDEX        alert_messages_by_problem ON alert_messages (project_id, problem_id);
CREATE INDEX        alert_messages_openings   ON alert_messages (project_id, kind, subject, not_before) WHERE transition = 'opened';
CREATE INDEX        alert_messages_by_alert   ON alert_messages (project_id, alert_id, id);
CREATE INDEX        alert_messages_waiting    ON alert_messages (project_id, alert_id, due_at, id) WHERE state = 'waiting';
CREATE INDEX        alert_messages_leased     ON alert_messages (project_id, alert_id) WHERE state = 'waiting' AND leased_until IS NOT NULL;
CREATE INDEX        alert_messages_dead       ON alert_messages (project_id, alert_id) WHERE state = 'dead';
CREATE INDEX        alert_messages_due        ON alert_messages (due_at) WHERE state = 'waiting';
CREATE INDEX        alert_messages_by_age     ON alert_messages (created_at);
COMMENT ON TABLE  alert_messages                  IS 'What is to be told, and was: written in the transaction that opens or closes the problem, sent later. One row for each recipient.';
COMMENT ON COLUMN alert_messages.project_id       IS 'The project.';
COMMENT ON COLUMN alert_messages.id               IS 'UUIDv7. The receiver gets the same with every attempt, in webhook-id or Message-ID, and can drop doubles.';
COMMENT ON COLUMN alert_messages.alert_id         IS 'The alert.';
COMMENT ON COLUMN alert_messages.problem_id       IS 'The problem; null for a test.';
COMMENT ON COLUMN alert_messages.transition       IS 'What happened: the problem opened, closed, or is still there (reminder); or somebody tries the alert (test).';
COMMENT ON COLUMN alert_messages.turn             IS 'Which reminder; 0 for the others.';
COMMENT ON COLUMN alert_messages.recipient        IS 'The e-mail address; empty for a webhook.';
COMMENT ON COLUMN alert_messages.follows          IS 'The message that told the same recipient of the opening: mails become a thread. Null for the opening itself.';
COMMENT ON COLUMN alert_messages.kind             IS 'Kind of the problem (observe::Kind); null for a test.';
COMMENT ON COLUMN alert_messages.subject          IS 'Which one of its kind; null for a test.';
COMMENT ON COLUMN alert_messages.what             IS 'What is broken, for a person.';
COMMENT ON COLUMN alert_messages.since            IS 'Since when.';
COMMENT ON COLUMN alert_messages.people           IS 'How many people it has met; null where that cannot be known.';
COMMENT ON COLUMN alert_messages.compared_with    IS 'What it is compared with; null if with nothing.';
COMMENT ON COLUMN alert_messages.evidence         IS 'Path of the API to the evidence.';
COMMENT ON COLUMN alert_messages.closed_at        IS 'When the problem ended; null while it had not.';
COMMENT ON COLUMN alert_messages.created_at       IS 'When it was written.';
COMMENT ON COLUMN alert_messages.not_before       IS 'When it was to be told at the earliest: later than created_at where a problem flaps.';
COMMENT ON COLUMN alert_messages.due_at           IS 'When the next attempt is due.';
COMMENT ON COLUMN alert_messages.state            IS 'waiting: for its first or next attempt. delivered: the receiver took it. dead: given up. withdrawn: there was nothing to tell any more, or nobody.';
COMMENT ON COLUMN alert_messages.attempts         IS 'Attempts that were begun. The number of an attempt is its token: only the latest may write how it ended.';
COMMENT ON COLUMN alert_messages.first_attempt_at IS 'When the first was begun, since somebody last asked to try again; null before it.';
COMMENT ON COLUMN alert_messages.leased_until     IS 'Until when the attempt under way is given time; null without one. A server that died leaves it to run out.';
COMMENT ON INDEX  alert_messages_pkey             IS 'One message.';
COMMENT ON INDEX  alert_messages_once             IS 'Nothing is told twice.';
COMMENT ON INDEX  alert_messages_by_problem       IS 'Who was told of a problem, when it closes.';
COMMENT ON INDEX  alert_messages_openings         IS 'Whether a problem flaps: when the same was last opened.';
COMMENT ON INDEX  alert_messages_by_alert         IS 'The delivery log of an alert, newest first.';
COMMENT ON INDEX  alert_messages_waiting          IS 'What of an alert is to be sent next, and how much waits.';
COMMENT ON INDEX  alert_messages_leased           IS 'Whether something of an alert is on its way.';
COMMENT ON INDEX  alert_messages_dead             IS 'How much was given up.';
COMMENT ON INDEX  alert_messages_due              IS 'Whether anything is to be sent at all.';
COMMENT ON INDEX  alert_messages_by_age           IS 'Forgets the oldest.';

CREATE TABLE alert_attempts (
    project_id integer     NOT NULL,
    message_id uuid        NOT NULL,
    attempt    integer     NOT NULL,
    started_at timestamptz NOT NULL,
    delivered  boolean,
    status     integer,
    error      text,
    took_ms    bigint,
    body       text,
    PRIMARY KEY (project_id, message_id, attempt)
);
CREATE INDEX alert_attempts_by_age ON alert_attempts (started_at);
COMMENT ON TABLE  alert_attempts            IS 'Delivery log: every attempt to send a message.';
COMMENT ON COLUMN alert_attempts.project_id IS 'The project.';
COMMENT ON COLUMN alert_attempts.message_id IS 'The message.';
COMMENT ON COLUMN alert_attempts.attempt    IS 'Its how-manieth attempt, from 1.';
COMMENT ON COLUMN alert_attempts.started_at IS 'When it was begun.';
COMMENT ON COLUMN alert_attempts.delivered  IS 'Whether the receiver took the message; null: under way, or its server died.';
COMMENT ON COLUMN alert_attempts.status     IS 'The receiver''s status, of HTTP or SMTP; null if there was none.';
COMMENT ON COLUMN alert_attempts.error      IS 'Why it was not delivered, for a person; null if it was.';
COMMENT ON COLUMN alert_attempts.took_ms    IS 'How long it took, in milliseconds.';
COMMENT ON COLUMN alert_attempts.body       IS 'How the answer begins, made safe to show; null without one.';
COMMENT ON INDEX  alert_attempts_pkey       IS 'The attempts of a message, and the place where one writes how it ended.';
COMMENT ON INDEX  alert_attempts_by_age     IS 'Forgets the oldest.';
