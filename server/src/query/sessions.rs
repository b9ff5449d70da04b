//! Sessions, those that began last first.
//!
//! There is no table of sessions: they are made of the events of a stretch. A list walks back from the newest stretch, a
//! day at first, twice as long each time, until its page is full. A session lasts a day at most, so the events of a day
//! before and after are read with each: a session is never cut.

use serde::Serialize;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::error::QueryError;
use super::identity::resolve;
use super::names;
use super::params::{TimeRange, storable};
use super::persons::{self, Face};
use super::snapshot::Snapshot;
use super::time::At;
use crate::store::PgTime;

/// A day in microseconds: the first stretch, and the longest that a session lasts (`SESSION_MAX` of the SDKs).
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// `$2` to `$3` is the stretch whose events are read, `$6` to `$7` that in which sessions begin.
const SESSIONS: &str = "
    WITH points AS (
        SELECT id, name FROM event_names WHERE project_id = $1 AND name = ANY ('{$pageview,$screen}')),
    sessions AS (
        SELECT e.session_id, min(e.timestamp) AS started_at, max(e.timestamp) AS ended_at, count(*) AS events,
               array_agg(e.identity_id ORDER BY e.timestamp, e.seq, e.id) AS whose,
               array_agg(CASE point.name WHEN '$pageview' THEN e.properties ->> '$pathname'
                                         WHEN '$screen' THEN e.properties ->> '$screen_name' END
                         ORDER BY e.timestamp, e.seq, e.id) FILTER (WHERE point.id IS NOT NULL) AS seen
        FROM events e LEFT JOIN points point ON point.id = e.event_name_id
        WHERE e.project_id = $1 AND e.session_id IS NOT NULL AND e.timestamp >= $2 AND e.timestamp < $3
          AND ($4::integer[] IS NULL OR e.event_name_id = ANY ($4))
          AND ($5::bigint[] IS NULL OR e.identity_id = ANY ($5))
        GROUP BY e.session_id)
    SELECT s.session_id, s.started_at, s.ended_at, s.events, extract(epoch FROM s.ended_at - s.started_at)::float8 AS seconds,
           i.person_id, s.seen[1] AS first_page, s.seen[cardinality(s.seen)] AS last_page
    FROM sessions s JOIN identities i ON i.project_id = $1 AND i.id = s.whose[cardinality(s.whose)]
    WHERE s.started_at >= $6 AND s.started_at < $7 AND (s.started_at, s.session_id) < ($8, $9)
    ORDER BY s.started_at DESC, s.session_id DESC LIMIT $10";

/// A stretch of use.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Session {
    /// Its id, as the SDK made it.
    pub session_id: String,
    /// Whose its last event is.
    pub person: Option<Face>,
    /// The `timestamp` of its first event.
    pub started_at: At,
    /// The `timestamp` of its last event.
    pub ended_at: At,
    /// From the first to the last.
    pub duration_seconds: f64,
    /// How many events it has.
    pub events: i64,
    /// The path of its first pageview, or the name of its first screen.
    pub first_page: Option<String>,
    /// The path of its last pageview, or the name of its last screen.
    pub last_page: Option<String>,
}

/// A page of sessions.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SessionPage {
    /// The sessions, those that began last first.
    pub sessions: Vec<Session>,
    /// From when sessions are listed.
    pub from: At,
    /// Until when.
    pub to: At,
    /// What to ask the next page with; none at the end.
    pub next_cursor: Option<String>,
}

/// A place in the list: when the session began, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    at: Timestamp,
    session_id: String,
}

impl Place {
    /// Reads what a page said.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (at, session_id) = text.split_once(':')?;
        let at = at.parse().ok().filter(|at: &i64| at.unsigned_abs() < MICROS_MAX)?;
        storable("cursor", session_id, trailmark_protocol::limits::ID_CHARS).ok()?;
        Some(Self {
            at: Timestamp::from_micros(at),
            session_id: session_id.to_owned(),
        })
    }
}

/// Microseconds from 1970 to the year 10000: no time is further away.
const MICROS_MAX: u64 = 253_402_300_800_000_000;

/// Which sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// Those of the person behind this user_id or anonymous_id, of which only its own events count.
    pub person: Option<&'a str>,
    /// Those that began at or after it.
    pub from: Timestamp,
    /// Those that began before it.
    pub to: Timestamp,
    /// Those behind this one.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: u32,
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    session_id: String,
    started_at: At,
    ended_at: At,
    events: i64,
    seconds: f64,
    person_id: i64,
    first_page: Option<String>,
    last_page: Option<String>,
}

/// A page of sessions.
///
/// # Errors
/// What stands in the way.
pub async fn list(snapshot: &mut Snapshot, wanted: &Wanted<'_>) -> Result<SessionPage, QueryError> {
    let identities = match wanted.person {
        None => None,
        Some(id) => Some(
            resolve(snapshot, id)
                .await?
                .map_or_else(Vec::new, |person| person.identity_ids),
        ),
    };
    let mut rows = match &identities {
        // An index finds all of a person's events.
        Some(_) => {
            between(
                snapshot,
                wanted,
                identities.as_deref(),
                wanted.from,
                wanted.to,
                wanted.rows(),
            )
            .await?
        }
        None => walk(snapshot, wanted).await?,
    };
    let more = rows.len() > wanted.limit as usize;
    rows.truncate(wanted.limit as usize);
    let last = rows.last().filter(|_| more);
    let next_cursor = last.map(|row| format!("{}:{}", row.started_at.0.micros(), row.session_id));
    Ok(SessionPage {
        sessions: told(snapshot, rows).await?,
        from: At(wanted.from),
        to: At(wanted.to),
        next_cursor,
    })
}

impl Wanted<'_> {
    /// One more than fits shows that there is another page.
    fn rows(&self) -> usize {
        self.limit as usize + 1
    }
}

async fn walk(snapshot: &mut Snapshot, wanted: &Wanted<'_>) -> Result<Vec<Row>, QueryError> {
    let behind = wanted.after.as_ref().map(|place| place.at.plus_micros(1));
    let mut to = behind.map_or(wanted.to, |behind| behind.min(wanted.to));
    let (mut found, mut length) = (Vec::new(), DAY);
    while to > wanted.from && found.len() < wanted.rows() {
        let from = to.plus_micros(-length).max(wanted.from);
        let missing = wanted.rows() - found.len();
        found.extend(between(snapshot, wanted, None, from, to, missing).await?);
        (to, length) = (from, length.saturating_mul(2));
    }
    Ok(found)
}

/// Sessions that began in a stretch.
async fn between(
    snapshot: &mut Snapshot,
    wanted: &Wanted<'_>,
    identities: Option<&[i64]>,
    from: Timestamp,
    to: Timestamp,
    limit: usize,
) -> Result<Vec<Row>, QueryError> {
    let (read_from, read_to) = (from.plus_micros(-DAY), to.plus_micros(DAY));
    let names = match identities {
        Some(_) => None,
        None => {
            names::for_range(
                snapshot,
                TimeRange {
                    from: Some(read_from),
                    to: Some(read_to),
                },
            )
            .await?
        }
    };
    let after = wanted.after.as_ref();
    let statement = snapshot
        .select::<Row>(SESSIONS)
        .bind(PgTime(read_from))
        .bind(PgTime(read_to))
        .bind(names)
        .bind(identities.map(<[i64]>::to_vec))
        .bind(PgTime(from))
        .bind(PgTime(to))
        .bind(PgTime(after.map_or(read_to, |place| place.at)))
        .bind(after.map_or_else(String::new, |place| place.session_id.clone()))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX));
    Ok(statement.fetch_all(snapshot.rows()).await?)
}

/// The rows as they are told, with who their persons are.
async fn told(snapshot: &mut Snapshot, rows: Vec<Row>) -> Result<Vec<Session>, QueryError> {
    let persons: Vec<i64> = rows.iter().map(|row| row.person_id).collect();
    let faces = persons::faces(snapshot, &persons).await?;
    let session = |row: Row| Session {
        session_id: row.session_id,
        person: faces.get(&row.person_id).cloned(),
        started_at: row.started_at,
        ended_at: row.ended_at,
        duration_seconds: row.seconds,
        events: row.events,
        first_page: row.first_page,
        last_page: row.last_page,
    };
    Ok(rows.into_iter().map(session).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_what_no_server_gave_out_is_refused() {
        let place = Place::parse("1795176000000001:a:b").unwrap();
        assert_eq!(
            (place.at.micros(), place.session_id.as_str()),
            (1_795_176_000_000_001, "a:b")
        );
        for bad in ["", ":", "1", "1:", "x:a", "1:a\0", "9223372036854775807:a"] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
    }
}
