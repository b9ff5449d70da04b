-- How many events of each install are stored, counted as they are stored, so that nobody counts a million rows to learn it,
-- and what retention takes away does not look lost.

-- fillfactor: as of installs, a row is updated by every batch of its install.
CREATE TABLE installs_stored (
    project_id integer NOT NULL,
    install_id text    NOT NULL,
    stored     bigint  NOT NULL,
    PRIMARY KEY (project_id, install_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE  installs_stored            IS 'How many events each install has got stored: counted in the transaction that stores them, less what was erased. Retention takes nothing off.';
COMMENT ON COLUMN installs_stored.project_id IS 'The project.';
COMMENT ON COLUMN installs_stored.install_id IS 'The install, as it names itself.';
COMMENT ON COLUMN installs_stored.stored     IS 'Its events ever stored and not erased.';
COMMENT ON INDEX  installs_stored_pkey       IS 'One row per install; every write that stores events of it finds it here.';

INSERT INTO installs_stored (project_id, install_id, stored)
SELECT project_id, install_id, count(*) FROM events WHERE install_id IS NOT NULL GROUP BY project_id, install_id;
