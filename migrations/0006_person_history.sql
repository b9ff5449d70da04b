-- Who was whom when, and who is nobody any more: changes of persons, aliases taken back, and erasures.

CREATE TABLE person_changes (
    project_id     integer     NOT NULL,
    id             bigint      GENERATED ALWAYS AS IDENTITY,
    at             timestamptz NOT NULL DEFAULT now(),
    kind           text        NOT NULL CHECK (kind IN ('link', 'move', 'merge', 'split')),
    event_id       uuid        NOT NULL,
    identity_id    bigint      NOT NULL,
    from_person_id bigint      NOT NULL,
    to_person_id   bigint      NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX person_changes_by_from ON person_changes (project_id, from_person_id);
CREATE INDEX person_changes_by_to ON person_changes (project_id, to_person_id);
COMMENT ON TABLE  person_changes                IS 'Every change of identities.person_id after its first value, in the transaction that makes it. Which changes there are depends on the order of arrival, what they lead to does not.';
COMMENT ON COLUMN person_changes.project_id     IS 'The project.';
COMMENT ON COLUMN person_changes.id             IS 'Number of the change.';
COMMENT ON COLUMN person_changes.at             IS 'When the server made it.';
COMMENT ON COLUMN person_changes.kind           IS 'link: a device got its first owner. move: a link that happened earlier gave it another. merge: a person became part of another. split: a part of a person became one of its own.';
COMMENT ON COLUMN person_changes.event_id       IS 'The $identify or $alias that caused it; of a split, the alias that was withdrawn or refused.';
COMMENT ON COLUMN person_changes.identity_id    IS 'What went: the device, or the least user of the part.';
COMMENT ON COLUMN person_changes.from_person_id IS 'The person before.';
COMMENT ON COLUMN person_changes.to_person_id   IS 'The person after.';
COMMENT ON INDEX  person_changes_pkey           IS 'In the order of time.';
COMMENT ON INDEX  person_changes_by_from        IS 'What a person lost. Numbers of persons are numbers of identities, so this also finds what an identity went through.';
COMMENT ON INDEX  person_changes_by_to          IS 'What a person gained.';

ALTER TABLE aliases ADD COLUMN withdrawn_at timestamptz, ADD COLUMN refused boolean NOT NULL DEFAULT false;
COMMENT ON TABLE  aliases              IS 'Growing set: an $alias said that these two users are one person. One that was withdrawn stays, and says so.';
COMMENT ON COLUMN aliases.withdrawn_at IS 'When somebody with a secret key took it back; null while it counts.';
COMMENT ON COLUMN aliases.refused      IS 'It would have made a person of too many users (server/src/identity/persons.rs), so it joins nobody. Follows from the set, like a person.';

CREATE INDEX links_by_user ON links (project_id, user_identity_id);
COMMENT ON INDEX links_by_user IS 'The devices that a user identified on: explaining and erasing a person.';

CREATE TABLE erasures (
    project_id   integer     NOT NULL,
    id           bigint      GENERATED ALWAYS AS IDENTITY,
    erased_at    timestamptz NOT NULL,
    done_at      timestamptz,
    events       bigint      NOT NULL DEFAULT 0,
    identities   bigint      NOT NULL DEFAULT 0,
    links        bigint      NOT NULL DEFAULT 0,
    aliases      bigint      NOT NULL DEFAULT 0,
    properties   bigint      NOT NULL DEFAULT 0,
    dead_letters bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX erasures_unfinished ON erasures (project_id, id) WHERE done_at IS NULL;
COMMENT ON TABLE  erasures              IS 'Persons that were erased. Within a project they begin one after the other, so a greater number is a later erasure.';
COMMENT ON COLUMN erasures.project_id   IS 'The project.';
COMMENT ON COLUMN erasures.id           IS 'Number of the erasure.';
COMMENT ON COLUMN erasures.erased_at    IS 'What these ids did before this time is refused from now on.';
COMMENT ON COLUMN erasures.done_at      IS 'When the last of its events was gone; null while they are being removed.';
COMMENT ON COLUMN erasures.events       IS 'Events removed so far.';
COMMENT ON COLUMN erasures.identities   IS 'Identities removed.';
COMMENT ON COLUMN erasures.links        IS 'Links removed.';
COMMENT ON COLUMN erasures.aliases      IS 'Aliases removed.';
COMMENT ON COLUMN erasures.properties   IS 'Person properties removed so far.';
COMMENT ON COLUMN erasures.dead_letters IS 'Dead letters removed so far.';
COMMENT ON INDEX  erasures_pkey         IS 'The newest erasure of a project: whether a server''s tombstones are up to date.';
COMMENT ON INDEX  erasures_unfinished   IS 'What is to be gone on with after a crash.';

CREATE TABLE tombstones (
    project_id  integer NOT NULL,
    erasure_id  bigint  NOT NULL,
    identity_id bigint  NOT NULL,
    id_hash     bytea   NOT NULL CHECK (length(id_hash) = 16),
    PRIMARY KEY (project_id, erasure_id, identity_id)
);
CREATE INDEX tombstones_by_hash ON tombstones (project_id, id_hash);
COMMENT ON TABLE  tombstones             IS 'What is left of an erased identity: enough to refuse what it did before, not enough to name it.';
COMMENT ON COLUMN tombstones.project_id  IS 'The project.';
COMMENT ON COLUMN tombstones.erasure_id  IS 'The erasure.';
COMMENT ON COLUMN tombstones.identity_id IS 'The number that it had; never used again.';
COMMENT ON COLUMN tombstones.id_hash     IS 'The first 16 bytes of the SHA-256 of project (4 bytes), kind (2 bytes) and id (server/src/identity/erasure.rs).';
COMMENT ON INDEX  tombstones_pkey        IS 'The identities of an erasure; what was erased since a server last looked.';
COMMENT ON INDEX  tombstones_by_hash     IS 'Whether an id was erased.';

CREATE TABLE erasure_requests (
    project_id         integer     NOT NULL,
    event_id           uuid        NOT NULL,
    requested_at       timestamptz NOT NULL,
    device_identity_id bigint,
    user_identity_id   bigint,
    dismissed_at       timestamptz,
    erasure_id         bigint,
    PRIMARY KEY (project_id, event_id)
);
CREATE INDEX erasure_requests_pending ON erasure_requests (project_id, requested_at, event_id)
    WHERE dismissed_at IS NULL AND erasure_id IS NULL;
COMMENT ON TABLE  erasure_requests                    IS '$erase events: requests of persons to be erased. A write key is public, so nothing is erased before an operator says so.';
COMMENT ON COLUMN erasure_requests.project_id         IS 'The project.';
COMMENT ON COLUMN erasure_requests.event_id           IS 'The $erase event.';
COMMENT ON COLUMN erasure_requests.requested_at       IS 'When the server received it.';
COMMENT ON COLUMN erasure_requests.device_identity_id IS 'The anonymous_id that it came with.';
COMMENT ON COLUMN erasure_requests.user_identity_id   IS 'The user_id that it claims.';
COMMENT ON COLUMN erasure_requests.dismissed_at       IS 'When an operator decided against it.';
COMMENT ON COLUMN erasure_requests.erasure_id         IS 'The erasure of the last of its identities.';
COMMENT ON INDEX  erasure_requests_pkey               IS 'One request per event.';
COMMENT ON INDEX  erasure_requests_pending            IS 'What waits for an operator, oldest first.';

CREATE TABLE erased_events (
    project_id integer NOT NULL,
    event_id   uuid    NOT NULL,
    PRIMARY KEY (project_id, event_id)
);
COMMENT ON TABLE  erased_events            IS 'Accepted events that the writer dropped for a tombstone: each is counted once, however often it comes.';
COMMENT ON COLUMN erased_events.project_id IS 'The project.';
COMMENT ON COLUMN erased_events.event_id   IS 'The event.';
COMMENT ON INDEX  erased_events_pkey       IS 'One row per event.';

CREATE TABLE erased_by_install (
    project_id integer NOT NULL,
    install_id text    NOT NULL,
    events     bigint  NOT NULL,
    PRIMARY KEY (project_id, install_id)
);
COMMENT ON TABLE  erased_by_install            IS 'What became of accepted events that are not stored: they were erased, not lost (the delivery report).';
COMMENT ON COLUMN erased_by_install.project_id IS 'The project.';
COMMENT ON COLUMN erased_by_install.install_id IS 'The install.';
COMMENT ON COLUMN erased_by_install.events     IS 'Events of it that were removed, or dropped after they had been accepted, because a person was erased.';
COMMENT ON INDEX  erased_by_install_pkey       IS 'One row per install.';
