-- Dimension tables of the events, and who is whom (DESIGN §4.4). Links and aliases only ever grow; persons are a pure
-- function of them, materialised in identities.person_id. No foreign keys: a check per event row costs more than the row.

CREATE TABLE event_names (
    project_id integer NOT NULL,
    id         integer GENERATED ALWAYS AS IDENTITY,
    name       text    NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX event_names_by_name ON event_names (project_id, name) INCLUDE (id);
COMMENT ON TABLE  event_names            IS 'Every event name seen, as a number, so that an index entry of an event is narrow.';
COMMENT ON COLUMN event_names.project_id IS 'The project.';
COMMENT ON COLUMN event_names.id         IS 'Number of the name.';
COMMENT ON COLUMN event_names.name       IS 'The name as sent.';
COMMENT ON INDEX  event_names_pkey       IS 'From number to name, when events are read.';
COMMENT ON INDEX  event_names_by_name    IS 'From name to number, index-only, when events are written; keeps one row per name.';

CREATE SEQUENCE identity_ids AS bigint;
COMMENT ON SEQUENCE identity_ids IS 'Numbers of identities, drawn by the insert itself because id and person_id start out equal.';

CREATE TABLE identities (
    project_id    integer     NOT NULL,
    kind          smallint    NOT NULL CHECK (kind IN (0, 1)),
    id            bigint      NOT NULL DEFAULT nextval('identity_ids'),
    person_id     bigint      NOT NULL,
    first_seen_at timestamptz NOT NULL,
    external_id   text        NOT NULL,
    PRIMARY KEY (project_id, id)
);
ALTER SEQUENCE identity_ids OWNED BY identities.id;
CREATE UNIQUE INDEX identities_by_external_id ON identities (project_id, kind, external_id) INCLUDE (id);
CREATE INDEX identities_by_person ON identities (project_id, person_id);
COMMENT ON TABLE  identities               IS 'Every anonymous_id and user_id seen, as a number, and the person it resolves to.';
COMMENT ON COLUMN identities.project_id    IS 'The project.';
COMMENT ON COLUMN identities.kind          IS '0: an anonymous_id (a device). 1: a user_id (given by the app).';
COMMENT ON COLUMN identities.id            IS 'Number of the identity.';
COMMENT ON COLUMN identities.person_id     IS 'The person. Of users: the least identity id of the users joined by aliases. Of a device: its owner''s person, or itself.';
COMMENT ON COLUMN identities.first_seen_at IS 'When the server received the event that brought it.';
COMMENT ON COLUMN identities.external_id   IS 'The id as sent.';
COMMENT ON INDEX  identities_pkey           IS 'From number to identity and person: the join of every query.';
COMMENT ON INDEX  identities_by_external_id IS 'From id to number, index-only, when events are written; keeps one row per id.';
COMMENT ON INDEX  identities_by_person      IS 'All identities of a person: profile pages, and merging two persons.';

CREATE TABLE links (
    project_id            integer     NOT NULL,
    event_id              uuid        NOT NULL,
    anonymous_identity_id bigint      NOT NULL,
    user_identity_id      bigint      NOT NULL,
    at                    timestamptz NOT NULL,
    PRIMARY KEY (project_id, event_id)
);
CREATE INDEX links_by_device ON links (project_id, anonymous_identity_id, at, event_id) INCLUDE (user_identity_id);
COMMENT ON TABLE  links                       IS 'Growing set: an $identify said that this device is used by this user.';
COMMENT ON COLUMN links.project_id            IS 'The project.';
COMMENT ON COLUMN links.event_id              IS 'The event that said so.';
COMMENT ON COLUMN links.anonymous_identity_id IS 'The device.';
COMMENT ON COLUMN links.user_identity_id      IS 'The user.';
COMMENT ON COLUMN links.at                    IS 'The timestamp of the event. The earliest (at, event_id) of a device decides its owner.';
COMMENT ON INDEX  links_pkey                  IS 'A link is applied once, however often its event arrives.';
COMMENT ON INDEX  links_by_device             IS 'The owner of a device is the first entry.';

CREATE TABLE aliases (
    project_id      integer     NOT NULL,
    event_id        uuid        NOT NULL,
    user_identity_a bigint      NOT NULL,
    user_identity_b bigint      NOT NULL,
    at              timestamptz NOT NULL,
    PRIMARY KEY (project_id, event_id)
);
CREATE INDEX aliases_by_a ON aliases (project_id, user_identity_a);
CREATE INDEX aliases_by_b ON aliases (project_id, user_identity_b);
COMMENT ON TABLE  aliases                 IS 'Growing set: an $alias said that these two users are one person.';
COMMENT ON COLUMN aliases.project_id      IS 'The project.';
COMMENT ON COLUMN aliases.event_id        IS 'The event that said so.';
COMMENT ON COLUMN aliases.user_identity_a IS 'The user of the event.';
COMMENT ON COLUMN aliases.user_identity_b IS 'The other user. The edge has no direction.';
COMMENT ON COLUMN aliases.at              IS 'The timestamp of the event.';
COMMENT ON INDEX  aliases_pkey            IS 'An alias is applied once, however often its event arrives.';
COMMENT ON INDEX  aliases_by_a            IS 'Walks the component of a user.';
COMMENT ON INDEX  aliases_by_b            IS 'Walks the component of a user, from the other end.';

CREATE TABLE person_properties (
    project_id  integer     NOT NULL,
    identity_id bigint      NOT NULL,
    key         text        NOT NULL,
    op          text        NOT NULL CHECK (op IN ('set', 'set_once')),
    at          timestamptz NOT NULL,
    event_id    uuid        NOT NULL,
    value       jsonb       NOT NULL,
    PRIMARY KEY (project_id, identity_id, key, op)
);
COMMENT ON TABLE  person_properties             IS 'Registers per identity, combined over a person''s identities when read, so that a merge rewrites nothing. set beats set_once.';
COMMENT ON COLUMN person_properties.project_id  IS 'The project.';
COMMENT ON COLUMN person_properties.identity_id IS 'The identity of the event that wrote it.';
COMMENT ON COLUMN person_properties.key         IS 'Name of the property.';
COMMENT ON COLUMN person_properties.op          IS 'set: the greatest (at, event_id) wins. set_once: the least.';
COMMENT ON COLUMN person_properties.at          IS 'The timestamp of the event that won.';
COMMENT ON COLUMN person_properties.event_id    IS 'The event that won; breaks ties of at.';
COMMENT ON COLUMN person_properties.value       IS 'The value.';
COMMENT ON INDEX  person_properties_pkey        IS 'All registers of an identity; one row per register.';
