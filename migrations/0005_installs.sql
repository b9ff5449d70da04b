-- What each install says of itself: the conservation law captured = stored + dropped + queued, and what is missing is lost.

-- fillfactor: a row is updated by every batch of its install; with a fifth of each page free the new version stays on the
-- page, and the index is not touched.
CREATE TABLE installs (
    project_id    integer     NOT NULL,
    install_id    text        NOT NULL,
    captured      bigint      NOT NULL,
    queued        bigint      NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    dropped       jsonb       NOT NULL,
    sdk           text,
    release       text,
    PRIMARY KEY (project_id, install_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE  installs               IS 'The counters of every install, as of the batch with the most captured events; of equal ones, that with the fewest queued.';
COMMENT ON COLUMN installs.project_id    IS 'The project.';
COMMENT ON COLUMN installs.install_id    IS 'The install, as it names itself.';
COMMENT ON COLUMN installs.captured      IS 'Events it ever captured; their numbers (events.seq) run from 1 to this.';
COMMENT ON COLUMN installs.queued        IS 'Events that were still on the device after that batch.';
COMMENT ON COLUMN installs.first_seen_at IS 'When the server received its first batch with counters.';
COMMENT ON COLUMN installs.last_seen_at  IS 'When the server received its latest batch with counters.';
COMMENT ON COLUMN installs.dropped       IS 'Events dropped for good, on the device or by the server: {reason: count}, counts from 1 up.';
COMMENT ON COLUMN installs.sdk           IS 'Name and version of the SDK; null if not said.';
COMMENT ON COLUMN installs.release       IS 'Version of the app; null if not said.';
COMMENT ON INDEX  installs_pkey          IS 'One row per install; every batch with counters finds it here.';
