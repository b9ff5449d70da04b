-- Columnar segments beside the events (DESIGN §5): rows are the truth, segments are derived and can always be made anew.

CREATE TABLE segment_frontiers (
    project_id    integer     PRIMARY KEY,
    closed_before timestamptz NOT NULL,
    sealed_before timestamptz NOT NULL,
    CHECK (sealed_before <= closed_before)
);
COMMENT ON TABLE  segment_frontiers               IS 'How far the segments of a project reach; a project without a row has none.';
COMMENT ON COLUMN segment_frontiers.project_id    IS 'The project.';
COMMENT ON COLUMN segment_frontiers.closed_before IS 'The writer marks every event that it stores with an earlier timestamp in late_events. Moves under the lock that writers share.';
COMMENT ON COLUMN segment_frontiers.sealed_before IS 'Events with an earlier timestamp are in segments, in late_events, or in a week that is stale; later ones are read as rows.';
COMMENT ON INDEX  segment_frontiers_pkey          IS 'One row per project.';

CREATE SEQUENCE segment_versions AS bigint;
COMMENT ON SEQUENCE segment_versions IS 'Numbers of what segments hold: the same number means the same bytes, so a server may keep them.';

CREATE TABLE segments (
    project_id    integer     NOT NULL,
    event_name_id integer     NOT NULL,
    week          integer     NOT NULL,
    version       bigint      NOT NULL DEFAULT nextval('segment_versions'),
    sealed_at     timestamptz NOT NULL,
    events        bigint      NOT NULL,
    stale         text,
    bytes         bytea,
    PRIMARY KEY (project_id, event_name_id, week),
    CHECK ((stale IS NULL) = (bytes IS NOT NULL))
) WITH (fillfactor = 80);
-- Bit-packed numbers do not compress further, and a value that is not compressed is read without a copy.
ALTER TABLE segments ALTER COLUMN bytes SET STORAGE EXTERNAL;
ALTER SEQUENCE segment_versions OWNED BY segments.version;
CREATE INDEX segments_stale ON segments (project_id, week) WHERE stale IS NOT NULL;
COMMENT ON TABLE  segments               IS 'One row for each project, event name and week with sealed events: the same events as the rows, a few bytes each.';
COMMENT ON COLUMN segments.project_id    IS 'The project.';
COMMENT ON COLUMN segments.event_name_id IS 'Name of the events, in event_names.';
COMMENT ON COLUMN segments.week          IS 'Week of their timestamp (UTC, from Monday): weeks since the one that holds 1970-01-01.';
COMMENT ON COLUMN segments.version       IS 'Another number whenever anything of it changes.';
COMMENT ON COLUMN segments.sealed_at     IS 'When it was last made.';
COMMENT ON COLUMN segments.events        IS 'How many events it holds; of a stale one, how many it held.';
COMMENT ON COLUMN segments.stale         IS 'Why it cannot be used and is to be made anew from the rows, which answer in its place: corrupt, retention, rebuild; null: it can.';
COMMENT ON COLUMN segments.bytes         IS 'Its bytes (server/segments/src/segment.rs); null while it is stale.';
COMMENT ON INDEX  segments_pkey          IS 'The segments of a question.';
COMMENT ON INDEX  segments_stale         IS 'What is to be made anew.';

CREATE TABLE late_events (
    project_id    integer     NOT NULL,
    event_name_id integer     NOT NULL,
    timestamp     timestamptz NOT NULL,
    event_id      uuid        NOT NULL,
    identity_id   bigint      NOT NULL,
    seq           bigint,
    PRIMARY KEY (project_id, event_name_id, timestamp, event_id)
);
COMMENT ON TABLE  late_events               IS 'Events that came when their time was sealed already, until they are folded into its segment.';
COMMENT ON COLUMN late_events.project_id    IS 'The project.';
COMMENT ON COLUMN late_events.event_name_id IS 'As in events.';
COMMENT ON COLUMN late_events.timestamp     IS 'As in events.';
COMMENT ON COLUMN late_events.event_id      IS 'Its id in events.';
COMMENT ON COLUMN late_events.identity_id   IS 'As in events.';
COMMENT ON COLUMN late_events.seq           IS 'As in events.';
COMMENT ON INDEX  late_events_pkey          IS 'The late events of a name and a stretch; each once.';

CREATE TABLE promoted_properties (
    project_id  integer     NOT NULL,
    property    text        NOT NULL,
    promoted_at timestamptz NOT NULL,
    promoted_by text        NOT NULL,
    PRIMARY KEY (project_id, property)
);
COMMENT ON TABLE  promoted_properties             IS 'Properties of events that segments have columns of.';
COMMENT ON COLUMN promoted_properties.project_id  IS 'The project.';
COMMENT ON COLUMN promoted_properties.property    IS 'Its name, or $context. and a path into the circumstances.';
COMMENT ON COLUMN promoted_properties.promoted_at IS 'Since when.';
COMMENT ON COLUMN promoted_properties.promoted_by IS 'By whom: an e-mail address, the number of a key, or "use" if questions asked for it often.';
COMMENT ON INDEX  promoted_properties_pkey        IS 'One row for each property.';

CREATE TABLE property_uses (
    project_id integer NOT NULL,
    property   text    NOT NULL,
    day        date    NOT NULL,
    uses       bigint  NOT NULL,
    PRIMARY KEY (project_id, property, day)
);
COMMENT ON TABLE  property_uses            IS 'How often questions filtered or broke down by a property; kept for 30 days, to know which deserve a column.';
COMMENT ON COLUMN property_uses.project_id IS 'The project.';
COMMENT ON COLUMN property_uses.property   IS 'As in promoted_properties.';
COMMENT ON COLUMN property_uses.day        IS 'The day, in UTC.';
COMMENT ON COLUMN property_uses.uses       IS 'How many questions.';
COMMENT ON INDEX  property_uses_pkey       IS 'One row for each property and day.';

-- Whoever mirrors who is whom asks for what has changed since the oldest transaction that was running when it last asked.
ALTER TABLE identities ADD COLUMN changed_xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX identities_by_change ON identities (project_id, changed_xid) INCLUDE (id, person_id);
COMMENT ON COLUMN identities.changed_xid IS 'The transaction that made it or last changed its person.';
COMMENT ON INDEX  identities_by_change   IS 'What has changed since: the mirrors of the servers.';

CREATE FUNCTION identities_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_xid := pg_current_xact_id();
    RETURN NEW;
END $$;
COMMENT ON FUNCTION identities_changed() IS 'Notes which transaction changed the person of an identity.';
CREATE TRIGGER identities_changed BEFORE UPDATE OF person_id ON identities
    FOR EACH ROW WHEN (OLD.person_id IS DISTINCT FROM NEW.person_id) EXECUTE FUNCTION identities_changed();
COMMENT ON TRIGGER identities_changed ON identities IS 'Whoever changes a person cannot forget it.';
