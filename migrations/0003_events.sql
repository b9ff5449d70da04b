-- The events (DESIGN §4.3, §4.5). A UUIDv7 sorts by its time, so a range of ids is a range of time, and the key needs no
-- second column to be partitioned: the same event always meets its own key. Partitions of an ISO week each are made by
-- server/src/store/weeks.rs. Columns are ordered by alignment: eight-byte ones follow two of four, so no row has a hole.

CREATE TABLE events (
    project_id            integer     NOT NULL,
    event_name_id         integer     NOT NULL,
    identity_id           bigint      NOT NULL,
    anonymous_identity_id bigint,
    timestamp             timestamptz NOT NULL,
    received_at           timestamptz NOT NULL,
    client_timestamp      timestamptz NOT NULL,
    seq                   bigint,
    id                    uuid        NOT NULL,
    install_id            text,
    session_id            text,
    properties            jsonb,
    context               jsonb,
    PRIMARY KEY (project_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX events_by_name ON events (project_id, event_name_id, timestamp) INCLUDE (identity_id);
CREATE INDEX events_by_identity ON events (project_id, identity_id, timestamp);
COMMENT ON TABLE  events                       IS 'What happened: one row per event, never changed.';
COMMENT ON COLUMN events.project_id            IS 'The project.';
COMMENT ON COLUMN events.event_name_id         IS 'Its name, in event_names.';
COMMENT ON COLUMN events.identity_id           IS 'Whose it is, in identities: the user if the event has a user_id, else the device.';
COMMENT ON COLUMN events.anonymous_identity_id IS 'The device, if the event has both a user_id and an anonymous_id.';
COMMENT ON COLUMN events.timestamp             IS 'When it happened: the client''s time, corrected for a plausible clock skew.';
COMMENT ON COLUMN events.received_at           IS 'When the server received it.';
COMMENT ON COLUMN events.client_timestamp      IS 'When it happened by the client''s clock, as sent.';
COMMENT ON COLUMN events.seq                   IS 'Its number within the install: a gap is a lost event.';
COMMENT ON COLUMN events.id                    IS 'UUIDv7 made by the client at capture; the same on every retry.';
COMMENT ON COLUMN events.install_id            IS 'The install that sent it.';
COMMENT ON COLUMN events.session_id            IS 'The session it belongs to.';
COMMENT ON COLUMN events.properties            IS 'What is known about it.';
COMMENT ON COLUMN events.context               IS 'The circumstances: app, system, screen, locale.';
COMMENT ON INDEX  events_pkey                  IS 'Exactly once: a second copy of an event is refused here, for ever.';
COMMENT ON INDEX  events_by_name               IS 'Trends, funnels and retention, as index-only scans.';
COMMENT ON INDEX  events_by_identity           IS 'The timeline of a person.';

-- 0.02: an append-only table is vacuumed after 2 % of new rows instead of 20 %, which keeps index-only scans index-only.
CREATE TABLE events_default PARTITION OF events DEFAULT WITH (autovacuum_vacuum_insert_scale_factor = 0.02);
COMMENT ON TABLE events_default IS 'Events whose id has an absurd time: before 2010, or more than eight weeks after it was received.';
