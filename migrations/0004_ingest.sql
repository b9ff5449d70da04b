-- What the writer remembers.

CREATE TABLE ingest_cursor (
    node_id    uuid        PRIMARY KEY,
    seq        bigint      NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  ingest_cursor            IS 'How far each node''s journal is stored. Moves in the transaction that stores the rows.';
COMMENT ON COLUMN ingest_cursor.node_id    IS 'The node, named by its journal.';
COMMENT ON COLUMN ingest_cursor.seq        IS 'Everything in its journal up to and including this record is stored.';
COMMENT ON COLUMN ingest_cursor.updated_at IS 'When it last moved.';
COMMENT ON INDEX  ingest_cursor_pkey       IS 'One row per node.';

CREATE TABLE dead_letters (
    project_id  integer     NOT NULL,
    event_id    uuid        NOT NULL,
    sqlstate    text,
    reason      text        NOT NULL,
    detail      text        NOT NULL,
    payload     bytea       NOT NULL,
    received_at timestamptz,
    failed_at   timestamptz NOT NULL DEFAULT now(),
    replayed_at timestamptz,
    PRIMARY KEY (project_id, event_id)
);
CREATE INDEX dead_letters_by_time ON dead_letters (project_id, failed_at, event_id);
COMMENT ON TABLE  dead_letters             IS 'Accepted events that the database refused: kept whole, listed and replayed with `trailmark deadletter`.';
COMMENT ON COLUMN dead_letters.project_id  IS 'The project; 0 if the payload cannot be read.';
COMMENT ON COLUMN dead_letters.event_id    IS 'The event; if the payload cannot be read, the first 16 bytes of its SHA-256.';
COMMENT ON COLUMN dead_letters.sqlstate    IS 'The database''s error code; null if the server refused it itself.';
COMMENT ON COLUMN dead_letters.reason      IS 'A stable word: dead_letter (refused by the database), unreadable (payload cannot be decoded).';
COMMENT ON COLUMN dead_letters.detail      IS 'The error for people.';
COMMENT ON COLUMN dead_letters.payload     IS 'A journal payload that holds this event alone (server/src/event.rs), or the unreadable payload.';
COMMENT ON COLUMN dead_letters.received_at IS 'When the server received it; null if the payload cannot be read.';
COMMENT ON COLUMN dead_letters.failed_at   IS 'When it was last refused.';
COMMENT ON COLUMN dead_letters.replayed_at IS 'When a replay stored it; null while it is missing from the events.';
COMMENT ON INDEX  dead_letters_pkey        IS 'One row per event, however often it is refused.';
COMMENT ON INDEX  dead_letters_by_time     IS 'Lists the refusals of a project, latest last.';
