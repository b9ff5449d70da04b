-- Requests by endpoint: how many, how many failed, how long they took (server/src/observe/latency). Sums of `$request`
-- events over minutes, hours and days, kept equal to the events by the job that takes up the writer's notes.

CREATE TABLE endpoints (
    project_id integer NOT NULL,
    id         integer GENERATED ALWAYS AS IDENTITY,
    source     text    NOT NULL CHECK (source IN ('gateway', 'server', 'client')),
    host       text    NOT NULL,
    method     text    NOT NULL,
    path       text    NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX endpoints_by_name ON endpoints (project_id, source, host, method, path);
COMMENT ON TABLE  endpoints            IS 'Endpoints that requests were told of; at most 2,000 of a project (server/src/observe/latency/catalogue.rs).';
COMMENT ON COLUMN endpoints.project_id IS 'The project.';
COMMENT ON COLUMN endpoints.id         IS 'Number of the endpoint.';
COMMENT ON COLUMN endpoints.source     IS 'Who tells of it: the gateway, a server of what it answered, a client of what it asked for.';
COMMENT ON COLUMN endpoints.host       IS 'Where a client asked; else empty.';
COMMENT ON COLUMN endpoints.method     IS 'GET, POST, …; empty for what stands for many.';
COMMENT ON COLUMN endpoints.path       IS 'The path with names in place of what differs, as /users/:id; (other) and (unreadable) stand for many.';
COMMENT ON INDEX  endpoints_pkey       IS 'From number to endpoint.';
COMMENT ON INDEX  endpoints_by_name    IS 'From endpoint to number; keeps one row per endpoint.';

-- fillfactor: the rows of the running minute, hour and day are updated again and again; with a third of each page free the
-- new version stays on the page, and no index is touched. Columns are ordered by alignment.
CREATE TABLE endpoint_counts (
    project_id    integer     NOT NULL,
    endpoint_id   integer     NOT NULL,
    at            timestamptz NOT NULL,
    requests      bigint      NOT NULL,
    errors        bigint      NOT NULL,
    client_errors bigint      NOT NULL,
    sum_us        bigint      NOT NULL,
    max_us        bigint      NOT NULL,
    span          smallint    NOT NULL CHECK (span IN (0, 1, 2)),
    durations     bytea       NOT NULL,
    PRIMARY KEY (project_id, span, at, endpoint_id)
) WITH (fillfactor = 66);
CREATE INDEX endpoint_counts_by_endpoint ON endpoint_counts (project_id, endpoint_id, span, at);
COMMENT ON TABLE  endpoint_counts                IS 'Requests of each endpoint, added up over each minute (kept 3 days), hour and day (400 days) in UTC.';
COMMENT ON COLUMN endpoint_counts.project_id     IS 'The project.';
COMMENT ON COLUMN endpoint_counts.endpoint_id    IS 'The endpoint.';
COMMENT ON COLUMN endpoint_counts.at             IS 'Beginning of the minute, hour or day.';
COMMENT ON COLUMN endpoint_counts.requests       IS 'How many.';
COMMENT ON COLUMN endpoint_counts.errors         IS 'Of these, without an answer or with a status of 500 and more.';
COMMENT ON COLUMN endpoint_counts.client_errors  IS 'Of these, with a status of 400 to 499, or given up by who asked.';
COMMENT ON COLUMN endpoint_counts.sum_us         IS 'How long those took together that say it, in microseconds.';
COMMENT ON COLUMN endpoint_counts.max_us         IS 'The longest, in microseconds.';
COMMENT ON COLUMN endpoint_counts.span           IS '0: a minute. 1: an hour. 2: a day.';
COMMENT ON COLUMN endpoint_counts.durations      IS 'How long each took, as counts by bucket (server/src/observe/latency/durations.rs).';
COMMENT ON INDEX  endpoint_counts_pkey           IS 'All endpoints over a time: lists, detectors, and what is to be forgotten.';
COMMENT ON INDEX  endpoint_counts_by_endpoint    IS 'One endpoint over a time.';

CREATE TABLE endpoint_usual (
    project_id  integer          NOT NULL,
    endpoint_id integer          NOT NULL,
    until_at    timestamptz      NOT NULL,
    requests    bigint           NOT NULL,
    timed       bigint           NOT NULL,
    p95_us      bigint           NOT NULL,
    error_rate  double precision NOT NULL,
    slow_share  double precision NOT NULL,
    PRIMARY KEY (project_id, endpoint_id)
);
COMMENT ON TABLE  endpoint_usual             IS 'What each endpoint is usually like, by 24 hours (server/src/observe/latency/usual.rs); made anew every quarter of an hour.';
COMMENT ON COLUMN endpoint_usual.project_id  IS 'The project.';
COMMENT ON COLUMN endpoint_usual.endpoint_id IS 'The endpoint.';
COMMENT ON COLUMN endpoint_usual.until_at    IS 'The end of these 24 hours.';
COMMENT ON COLUMN endpoint_usual.requests    IS 'Requests that say so.';
COMMENT ON COLUMN endpoint_usual.timed       IS 'Requests that say how long they took.';
COMMENT ON COLUMN endpoint_usual.p95_us      IS 'What 95 of 100 of them do not exceed, in microseconds.';
COMMENT ON COLUMN endpoint_usual.error_rate  IS 'Errors of requests, from 0 to 1.';
COMMENT ON COLUMN endpoint_usual.slow_share  IS 'How many of them take longer than twice that, from 0 to 1.';
COMMENT ON INDEX  endpoint_usual_pkey        IS 'One row per endpoint, for lists and detectors.';
