-- Projects and the keys that open them. Small and read-mostly: on Citus these two are reference tables.

CREATE TABLE projects (
    id         integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  projects            IS 'One product whose events are kept apart from all others. Every other key starts with its id.';
COMMENT ON COLUMN projects.id         IS 'Number of the project, from 1; 0 stands for "no project" in dead_letters.';
COMMENT ON COLUMN projects.name       IS 'Name for people; not unique.';
COMMENT ON COLUMN projects.created_at IS 'When it was made.';
COMMENT ON INDEX  projects_pkey       IS 'Finds a project by its id.';

CREATE TABLE api_keys (
    project_id   integer     NOT NULL REFERENCES projects (id),
    id           integer     GENERATED ALWAYS AS IDENTITY,
    kind         text        NOT NULL CHECK (kind IN ('write', 'secret')),
    key_hash     bytea       NOT NULL CHECK (length(key_hash) = 32),
    hint         text        NOT NULL,
    name         text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at   timestamptz,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (key_hash);
COMMENT ON TABLE  api_keys              IS 'Keys. Only a hash is kept: a key is shown once, when it is made.';
COMMENT ON COLUMN api_keys.project_id   IS 'The project it opens.';
COMMENT ON COLUMN api_keys.id           IS 'Number of the key, for revoking it.';
COMMENT ON COLUMN api_keys.kind         IS 'write: public, may only send events. secret: may read and administer.';
COMMENT ON COLUMN api_keys.key_hash     IS 'SHA-256 of the whole key. A key is 256 random bits, so a slow hash would add nothing.';
COMMENT ON COLUMN api_keys.hint         IS 'Its prefix and last four characters, so that people can tell keys apart.';
COMMENT ON COLUMN api_keys.name         IS 'Name for people; not unique.';
COMMENT ON COLUMN api_keys.created_at   IS 'When it was made.';
COMMENT ON COLUMN api_keys.last_used_at IS 'About when it was last used; null if never.';
COMMENT ON COLUMN api_keys.revoked_at   IS 'When it was revoked; null while it opens.';
COMMENT ON INDEX  api_keys_pkey         IS 'Lists and revokes the keys of a project.';
COMMENT ON INDEX  api_keys_by_hash      IS 'Authentication: looks a key up by its hash.';
