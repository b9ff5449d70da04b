//! Requests by endpoint: what the observer adds up (`observe::latency`), in sums over minutes, hours and days.
//!
//! One fold of a project runs at a time, under an advisory lock: it reads the sums that it is about to add to, adds in
//! Rust, because a digest of durations is nothing that SQL can add, and writes them back. So two servers cannot deadlock,
//! and nothing is lost between them.

use std::collections::{BTreeMap, HashMap};

use sqlx::PgConnection;

use super::error::StoreError;
use super::notes::Observed;
use super::pg_time::PgTime;
use crate::observe::latency::catalogue::Catalogue;
use crate::observe::latency::gather::{Key, Requests};
use crate::observe::latency::{Endpoint, Source, Tally};

/// Namespace of the advisory lock under which a project's endpoints are changed: "tmen".
const ENDPOINTS_LOCK: i32 = 0x746d_656e;

const KNOWN: &str = "SELECT id, source, host, method, path FROM endpoints WHERE project_id = $1";

const ADD: &str = "
    INSERT INTO endpoints (project_id, source, host, method, path)
    SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
    RETURNING id, source, host, method, path";

const SUMS: &str = "
    SELECT c.endpoint_id, c.span, c.at, c.requests, c.errors, c.client_errors, c.sum_us, c.max_us, ARRAY[c.durations] AS durations
    FROM unnest($2::integer[], $3::smallint[], $4::timestamptz[]) AS wanted (endpoint_id, span, at)
    JOIN endpoint_counts c ON c.project_id = $1 AND c.span = wanted.span AND c.at = wanted.at
                           AND c.endpoint_id = wanted.endpoint_id";

const KEEP: &str = "
    INSERT INTO endpoint_counts (project_id, endpoint_id, span, at, requests, errors, client_errors, sum_us, max_us, durations)
    SELECT $1, * FROM unnest($2::integer[], $3::smallint[], $4::timestamptz[], $5::bigint[], $6::bigint[], $7::bigint[],
                             $8::bigint[], $9::bigint[], $10::bytea[])
    ON CONFLICT (project_id, span, at, endpoint_id) DO UPDATE
    SET requests = excluded.requests, errors = excluded.errors, client_errors = excluded.client_errors,
        sum_us = excluded.sum_us, max_us = excluded.max_us, durations = excluded.durations";

/// Which sum: of what endpoint, over what, since when.
type Place = (i32, i16, PgTime);

/// An endpoint as it is stored.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct EndpointRow {
    pub(super) id: i32,
    source: String,
    host: String,
    method: String,
    path: String,
}

impl EndpointRow {
    pub(super) fn endpoint(self) -> Result<Endpoint, StoreError> {
        let source = Source::parse(&self.source).ok_or_else(|| unreadable("a source"))?;
        Ok(Endpoint {
            source,
            host: self.host,
            method: self.method,
            path: self.path,
        })
    }
}

/// Sums, with the durations of all rows that they are made of.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct SumRow {
    requests: i64,
    errors: i64,
    client_errors: i64,
    sum_us: i64,
    max_us: i64,
    durations: Vec<Vec<u8>>,
}

impl SumRow {
    pub(super) fn tally(self) -> Result<Tally, StoreError> {
        let mut tally = Tally {
            requests: self.requests.cast_unsigned(),
            errors: self.errors.cast_unsigned(),
            client_errors: self.client_errors.cast_unsigned(),
            sum_us: self.sum_us.cast_unsigned(),
            max_us: self.max_us.cast_unsigned(),
            ..Tally::default()
        };
        for bytes in &self.durations {
            let added = tally.durations.merge_bytes(bytes);
            added.ok_or_else(|| unreadable("durations"))?;
        }
        Ok(tally)
    }
}

#[derive(Debug, sqlx::FromRow)]
struct PlacedRow {
    endpoint_id: i32,
    span: i16,
    at: PgTime,
    #[sqlx(flatten)]
    sum: SumRow,
}

/// What a newer release wrote.
pub(super) fn unreadable(what: &str) -> StoreError {
    sqlx::Error::Decode(format!("{what} that this release does not know").into()).into()
}

/// Adds requests to the sums of their endpoints. `events` are `$request`s of the project, each given once; at most 2,000,
/// which take 50 ms without optimisation. Locks the project's endpoints until the transaction ends: who folds for several projects in one
/// transaction does so in the order of their numbers.
///
/// # Errors
/// What stands in the way.
pub async fn fold(connection: &mut PgConnection, project_id: i32, events: &[Observed]) -> Result<(), StoreError> {
    let requests = Requests::of(events);
    if requests.is_empty() {
        return Ok(());
    }
    lock(connection, project_id).await?;
    let mut numbers = known(connection, project_id).await?;
    let mut catalogue = Catalogue::of(numbers.keys().filter(|known| !known.stands_for_many()).cloned());
    let placed = requests.placed(&mut catalogue);
    add_new(connection, project_id, &placed, &mut numbers).await?;
    let mut sums = BTreeMap::<Place, Tally>::new();
    for ((endpoint, span, at), tally) in placed {
        let id = numbers.get(&endpoint).copied().unwrap_or_default();
        sums.insert((id, span.number(), PgTime(at)), tally);
    }
    add_stored(connection, project_id, &mut sums).await?;
    keep(connection, project_id, &sums).await
}

/// Locks a project's endpoints until the transaction ends.
pub(super) async fn lock(connection: &mut PgConnection, project_id: i32) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
        .bind(ENDPOINTS_LOCK)
        .bind(project_id)
        .execute(connection)
        .await?;
    Ok(())
}

async fn known(connection: &mut PgConnection, project_id: i32) -> Result<HashMap<Endpoint, i32>, StoreError> {
    let rows: Vec<EndpointRow> = sqlx::query_as(KNOWN).bind(project_id).fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| Ok((row.id, row.endpoint()?)))
        .map(|row| row.map(|(id, known)| (known, id)))
        .collect()
}

/// Gives the endpoints numbers that have none.
async fn add_new(
    connection: &mut PgConnection,
    project_id: i32,
    placed: &BTreeMap<Key, Tally>,
    numbers: &mut HashMap<Endpoint, i32>,
) -> Result<(), StoreError> {
    let mut new: Vec<&Endpoint> = placed
        .keys()
        .map(|key| &key.0)
        .filter(|one| !numbers.contains_key(one))
        .collect();
    new.dedup();
    if new.is_empty() {
        return Ok(());
    }
    let rows: Vec<EndpointRow> = sqlx::query_as(ADD)
        .bind(project_id)
        .bind(new.iter().map(|new| new.source.as_str()).collect::<Vec<_>>())
        .bind(new.iter().map(|new| new.host.as_str()).collect::<Vec<_>>())
        .bind(new.iter().map(|new| new.method.as_str()).collect::<Vec<_>>())
        .bind(new.iter().map(|new| new.path.as_str()).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    for row in rows {
        let id = row.id;
        numbers.insert(row.endpoint()?, id);
    }
    Ok(())
}

/// Adds what is stored of these sums already.
async fn add_stored(
    connection: &mut PgConnection,
    project_id: i32,
    sums: &mut BTreeMap<Place, Tally>,
) -> Result<(), StoreError> {
    let stored: Vec<PlacedRow> = sqlx::query_as(SUMS)
        .bind(project_id)
        .bind(sums.keys().map(|place| place.0).collect::<Vec<_>>())
        .bind(sums.keys().map(|place| place.1).collect::<Vec<_>>())
        .bind(sums.keys().map(|place| place.2).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    for row in stored {
        let place = (row.endpoint_id, row.span, row.at);
        let stored = row.sum.tally()?;
        sums.entry(place).or_default().add(&stored);
    }
    Ok(())
}

async fn keep(connection: &mut PgConnection, project_id: i32, sums: &BTreeMap<Place, Tally>) -> Result<(), StoreError> {
    let column = |of: fn(&Tally) -> u64| sums.values().map(|sum| of(sum).cast_signed()).collect::<Vec<_>>();
    sqlx::query(KEEP)
        .bind(project_id)
        .bind(sums.keys().map(|place| place.0).collect::<Vec<_>>())
        .bind(sums.keys().map(|place| place.1).collect::<Vec<_>>())
        .bind(sums.keys().map(|place| place.2).collect::<Vec<_>>())
        .bind(column(|sum| sum.requests))
        .bind(column(|sum| sum.errors))
        .bind(column(|sum| sum.client_errors))
        .bind(column(|sum| sum.sum_us))
        .bind(column(|sum| sum.max_us))
        .bind(sums.values().map(|sum| sum.durations.to_bytes()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
