-- What the team keeps beside its questions: dashboards of them, links that show them to others, and notes on the time line.

CREATE TABLE dashboards (
    project_id integer     NOT NULL,
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text        NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, id)
);
COMMENT ON TABLE  dashboards            IS 'Saved questions that are looked at together.';
COMMENT ON COLUMN dashboards.project_id IS 'The project.';
COMMENT ON COLUMN dashboards.id         IS 'Number of the dashboard.';
COMMENT ON COLUMN dashboards.name       IS 'Name for people; not unique.';
COMMENT ON COLUMN dashboards.created_at IS 'When it was made.';
COMMENT ON COLUMN dashboards.created_by IS 'Who made it: an e-mail address, or the number of a key.';
COMMENT ON COLUMN dashboards.changed_at IS 'When it was last changed.';
COMMENT ON INDEX  dashboards_pkey       IS 'Finds a dashboard by its number.';

CREATE TABLE dashboard_tiles (
    project_id   integer  NOT NULL,
    dashboard    bigint   NOT NULL,
    place        smallint NOT NULL,
    saved_query  bigint   NOT NULL,
    view         text     NOT NULL CHECK (view IN ('chart', 'table')),
    wide         boolean  NOT NULL,
    PRIMARY KEY (project_id, dashboard, place),
    FOREIGN KEY (project_id, dashboard) REFERENCES dashboards (project_id, id) ON DELETE CASCADE,
    FOREIGN KEY (project_id, saved_query) REFERENCES saved_queries (project_id, id) ON DELETE CASCADE
);
CREATE INDEX dashboard_tiles_by_query ON dashboard_tiles (project_id, saved_query);
COMMENT ON TABLE  dashboard_tiles             IS 'Which saved questions a dashboard shows, and how.';
COMMENT ON COLUMN dashboard_tiles.project_id  IS 'The project.';
COMMENT ON COLUMN dashboard_tiles.dashboard   IS 'Number of the dashboard.';
COMMENT ON COLUMN dashboard_tiles.place       IS 'Its place, from 0.';
COMMENT ON COLUMN dashboard_tiles.saved_query IS 'Number of the question; deleting that takes its tiles away.';
COMMENT ON COLUMN dashboard_tiles.view        IS 'chart or table.';
COMMENT ON COLUMN dashboard_tiles.wide        IS 'Whether it takes the whole width.';
COMMENT ON INDEX  dashboard_tiles_pkey        IS 'The tiles of a dashboard, in their order.';
COMMENT ON INDEX  dashboard_tiles_by_query    IS 'Which tiles go with a question.';

CREATE TABLE shares (
    project_id  integer     NOT NULL,
    id          bigint      GENERATED ALWAYS AS IDENTITY,
    token_hash  bytea       NOT NULL,
    dashboard   bigint,
    saved_query bigint,
    created_at  timestamptz NOT NULL,
    created_by  text        NOT NULL,
    expires_at  timestamptz,
    PRIMARY KEY (project_id, id),
    CHECK ((dashboard IS NULL) <> (saved_query IS NULL)),
    FOREIGN KEY (project_id, dashboard) REFERENCES dashboards (project_id, id) ON DELETE CASCADE,
    FOREIGN KEY (project_id, saved_query) REFERENCES saved_queries (project_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX shares_by_token ON shares (token_hash);
COMMENT ON TABLE  shares             IS 'Links that show one dashboard or one question, read-only, to whoever has the link.';
COMMENT ON COLUMN shares.project_id  IS 'The project.';
COMMENT ON COLUMN shares.id          IS 'Number of the link.';
COMMENT ON COLUMN shares.token_hash  IS 'SHA-256 of the link''s token; the token itself is shown once.';
COMMENT ON COLUMN shares.dashboard   IS 'The dashboard that it shows, or null.';
COMMENT ON COLUMN shares.saved_query IS 'The question that it shows, or null.';
COMMENT ON COLUMN shares.created_at  IS 'When it was made.';
COMMENT ON COLUMN shares.created_by  IS 'Who made it: an e-mail address, or the number of a key.';
COMMENT ON COLUMN shares.expires_at  IS 'When it stops working; null for never.';
COMMENT ON INDEX  shares_pkey        IS 'Finds a link by its number.';
COMMENT ON INDEX  shares_by_token    IS 'Finds what a token opens.';

CREATE TABLE annotations (
    project_id integer     NOT NULL,
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    at         timestamptz NOT NULL,
    text       text        NOT NULL,
    created_by text        NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX annotations_by_time ON annotations (project_id, at);
COMMENT ON TABLE  annotations            IS 'What the team notes on the time line: a release, a campaign.';
COMMENT ON COLUMN annotations.project_id IS 'The project.';
COMMENT ON COLUMN annotations.id         IS 'Number of the note.';
COMMENT ON COLUMN annotations.at         IS 'When that was.';
COMMENT ON COLUMN annotations.text       IS 'What it was.';
COMMENT ON COLUMN annotations.created_by IS 'Who wrote it: an e-mail address, or the number of a key.';
COMMENT ON INDEX  annotations_pkey       IS 'Finds a note by its number.';
COMMENT ON INDEX  annotations_by_time    IS 'The notes of a range of time.';
