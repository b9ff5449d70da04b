//! Reads of the sums of endpoints.

use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use trailmark_protocol::{Timestamp, names};

use super::endpoints::{EndpointRow, SumRow, unreadable};
use super::error::StoreError;
use super::pg_time::PgTime;
use crate::observe::latency::cover::Piece;
use crate::observe::latency::endpoint::UNREADABLE;
use crate::observe::latency::judge::Recent;
use crate::observe::latency::{Endpoint, Source, Tally, Usual};

/// Sums over the pieces of a time, and what is usual; endpoints with fewer than `$5` requests are left out.
const TOTALS: &str = "
    WITH summed AS (
        SELECT endpoint_id, sum(requests)::bigint AS requests, sum(errors)::bigint AS errors,
               sum(client_errors)::bigint AS client_errors, least(sum(sum_us), 9223372036854775807)::bigint AS sum_us,
               max(max_us) AS max_us, array_agg(durations) AS durations
        FROM unnest($2::smallint[], $3::timestamptz[], $4::timestamptz[]) AS piece (span, since, until)
        JOIN endpoint_counts c ON c.project_id = $1 AND c.span = piece.span AND c.at >= piece.since AND c.at < piece.until
        GROUP BY endpoint_id HAVING sum(requests) >= $5)
    SELECT e.id, e.source, e.host, e.method, e.path, s.requests, s.errors, s.client_errors, s.sum_us, s.max_us, s.durations,
           u.requests AS usual_requests, u.timed, u.p95_us, u.error_rate, u.slow_share
    FROM summed s JOIN endpoints e ON e.project_id = $1 AND e.id = s.endpoint_id
    LEFT JOIN endpoint_usual u ON u.project_id = $1 AND u.endpoint_id = s.endpoint_id
    WHERE $6::text IS NULL OR e.source = $6";

/// Sums of some endpoints, by a length of time that the spans of one kind make up.
const SERIES: &str = "
    SELECT at, sum(requests)::bigint AS requests, sum(errors)::bigint AS errors, sum(client_errors)::bigint AS client_errors,
           least(sum(sum_us), 9223372036854775807)::bigint AS sum_us, max(max_us) AS max_us, array_agg(durations) AS durations
    FROM (SELECT date_bin($6::bigint * interval '1 microsecond', c.at, '2000-01-01Z') AS at, requests, errors, client_errors,
                 sum_us, max_us, durations
          FROM unnest($2::integer[]) AS wanted (id)
          JOIN endpoint_counts c ON c.project_id = $1 AND c.endpoint_id = wanted.id AND c.span = $3 AND c.at >= $4 AND c.at < $5) c
    GROUP BY at ORDER BY at";

/// The same of all endpoints together, by who tells of them.
const STRIP: &str = "
    SELECT source, at, sum(requests)::bigint AS requests, sum(errors)::bigint AS errors,
           sum(client_errors)::bigint AS client_errors, least(sum(sum_us), 9223372036854775807)::bigint AS sum_us,
           max(max_us) AS max_us, array_agg(durations) AS durations
    FROM (SELECT e.source, date_bin($5::bigint * interval '1 microsecond', c.at, '2000-01-01Z') AS at, requests, errors,
                 client_errors, sum_us, max_us, durations
          FROM endpoint_counts c JOIN endpoints e ON e.project_id = $1 AND e.id = c.endpoint_id
          WHERE c.project_id = $1 AND c.span = $2 AND c.at >= $3 AND c.at < $4 AND e.path <> $6) c
    GROUP BY source, at ORDER BY source, at";

const EACH: &str = "
    SELECT endpoint_id, at, requests, errors, client_errors, sum_us, max_us, ARRAY[durations] AS durations
    FROM unnest($2::integer[]) AS wanted (id)
    JOIN endpoint_counts c ON c.project_id = $1 AND c.endpoint_id = wanted.id AND c.span = $3 AND c.at >= $4 AND c.at < $5
    ORDER BY endpoint_id, at";

const MATCHING: &str = "
    SELECT id, source, host, method, path FROM endpoints
    WHERE project_id = $1 AND method = $2 AND path = $3 AND ($4::text IS NULL OR source = $4) AND ($5::text IS NULL OR host = $5)";

/// Newest first, through `events_by_name`.
const REQUESTS: &str = "
    SELECT i.person_id, e.properties
    FROM (SELECT identity_id, properties FROM events
          WHERE project_id = $1 AND timestamp >= $2 AND timestamp < $3
            AND event_name_id = (SELECT id FROM event_names WHERE project_id = $1 AND name = $4)
          ORDER BY timestamp DESC LIMIT $5) e
    JOIN identities i ON i.project_id = $1 AND i.id = e.identity_id";

#[derive(Debug, sqlx::FromRow)]
struct TotalRow {
    #[sqlx(flatten)]
    endpoint: EndpointRow,
    #[sqlx(flatten)]
    sum: SumRow,
    usual_requests: Option<i64>,
    timed: Option<i64>,
    p95_us: Option<i64>,
    error_rate: Option<f64>,
    slow_share: Option<f64>,
}

impl TotalRow {
    fn total(self) -> Result<Recent, StoreError> {
        let usual = || {
            Some(Usual {
                requests: self.usual_requests?.cast_unsigned(),
                error_rate: self.error_rate?,
                timed: self.timed?.cast_unsigned(),
                p95_us: self.p95_us?.cast_unsigned(),
                slow_share: self.slow_share?,
            })
        };
        Ok(Recent {
            usual: usual(),
            id: self.endpoint.id,
            endpoint: self.endpoint.endpoint()?,
            window: self.sum.tally()?,
        })
    }
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct PointRow {
    at: PgTime,
    #[sqlx(flatten)]
    sum: SumRow,
}

impl PointRow {
    pub(super) fn point(self) -> Result<(Timestamp, Tally), StoreError> {
        Ok((self.at.0, self.sum.tally()?))
    }
}

#[derive(Debug, sqlx::FromRow)]
struct StripRow {
    source: String,
    #[sqlx(flatten)]
    point: PointRow,
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct EachRow {
    endpoint_id: i32,
    #[sqlx(flatten)]
    point: PointRow,
}

impl EachRow {
    pub(super) fn sum(self) -> Result<(i32, Timestamp, Tally), StoreError> {
        let (at, tally) = self.point.point()?;
        Ok((self.endpoint_id, at, tally))
    }
}

/// Endpoints with at least `least` requests over the pieces of a time, perhaps of one side only, in no order.
///
/// # Errors
/// What stands in the way.
pub async fn totals(
    connection: &mut PgConnection,
    project_id: i32,
    pieces: &[Piece],
    least: i64,
    source: Option<Source>,
) -> Result<Vec<Recent>, StoreError> {
    let rows: Vec<TotalRow> = sqlx::query_as(TOTALS)
        .bind(project_id)
        .bind(pieces.iter().map(|piece| piece.0.number()).collect::<Vec<_>>())
        .bind(pieces.iter().map(|piece| PgTime(piece.1)).collect::<Vec<_>>())
        .bind(pieces.iter().map(|piece| PgTime(piece.2)).collect::<Vec<_>>())
        .bind(least)
        .bind(source.map(Source::as_str))
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(TotalRow::total).collect()
}

/// Endpoints of a method and a path, perhaps of one side or one host only.
///
/// # Errors
/// What stands in the way.
pub async fn matching(
    connection: &mut PgConnection,
    project_id: i32,
    (method, path): (&str, &str),
    (source, host): (Option<Source>, Option<&str>),
) -> Result<Vec<(i32, Endpoint)>, StoreError> {
    let rows: Vec<EndpointRow> = sqlx::query_as(MATCHING)
        .bind(project_id)
        .bind(method)
        .bind(path)
        .bind(source.map(Source::as_str))
        .bind(host)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(|row| Ok((row.id, row.endpoint()?))).collect()
}

/// What endpoints answered together from `from` to `to`, by `step_us` microseconds, which `span`s make up, in the order of
/// time. Steps without a request are left out.
///
/// # Errors
/// What stands in the way.
pub async fn over_time(
    connection: &mut PgConnection,
    project_id: i32,
    endpoints: &[i32],
    (span, from, to): Piece,
    step_us: i64,
) -> Result<Vec<(Timestamp, Tally)>, StoreError> {
    let rows: Vec<PointRow> = sqlx::query_as(SERIES)
        .bind(project_id)
        .bind(endpoints)
        .bind(span.number())
        .bind(PgTime(from))
        .bind(PgTime(to))
        .bind(step_us)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(PointRow::point).collect()
}

/// What all endpoints of a project answered together, by who tells of it and by `step_us` microseconds, in the order of
/// time. The same request may be told by all three.
///
/// # Errors
/// What stands in the way.
pub async fn strip(
    connection: &mut PgConnection,
    project_id: i32,
    (span, from, to): Piece,
    step_us: i64,
) -> Result<Vec<(Source, Timestamp, Tally)>, StoreError> {
    let rows: Vec<StripRow> = sqlx::query_as(STRIP)
        .bind(project_id)
        .bind(span.number())
        .bind(PgTime(from))
        .bind(PgTime(to))
        .bind(step_us)
        .bind(UNREADABLE)
        .fetch_all(connection)
        .await?;
    let point = |row: StripRow| {
        let source = Source::parse(&row.source).ok_or_else(|| unreadable("a source"))?;
        let (at, tally) = row.point.point()?;
        Ok((source, at, tally))
    };
    rows.into_iter().map(point).collect()
}

/// The sums of some endpoints over each span of a time, each endpoint's together and in the order of time.
///
/// # Errors
/// What stands in the way.
pub async fn each(
    connection: &mut PgConnection,
    project_id: i32,
    endpoints: &[i32],
    (span, from, to): Piece,
) -> Result<Vec<(i32, Timestamp, Tally)>, StoreError> {
    let rows: Vec<EachRow> = sqlx::query_as(EACH)
        .bind(project_id)
        .bind(endpoints)
        .bind(span.number())
        .bind(PgTime(from))
        .bind(PgTime(to))
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(EachRow::sum).collect()
}

/// The newest `limit` requests from `from` to `to`: whose, and what is known of each.
///
/// # Errors
/// What stands in the way.
pub async fn requests(
    connection: &mut PgConnection,
    project_id: i32,
    (from, to): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<(i64, Option<Value>)>, StoreError> {
    let rows: Vec<(i64, Option<Json<Value>>)> = sqlx::query_as(REQUESTS)
        .bind(project_id)
        .bind(PgTime(from))
        .bind(PgTime(to))
        .bind(names::REQUEST)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(person, properties)| (person, properties.map(|properties| properties.0)))
        .collect())
}
