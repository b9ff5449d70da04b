//! What there is: how many events, of whom, of what, when.

use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::error::QueryError;
use super::names;
use super::params::TimeRange;
use super::snapshot::Snapshot;
use super::time::At;
use crate::store::PgTime;

/// Most event names listed with their count: 100 fill a screen twice. The others are counted together.
pub const NAMES_LISTED: i64 = 100;

/// Most days listed: ten years. A clock that is wrong by centuries cannot make the answer long.
pub const DAYS_LISTED: i64 = 3_660;

/// Two passes over the covering index `events_by_name`, neither of which touches a row: one counts by name and day,
/// the other collects who. (One pass with grouping sets took twice as long: they cannot run in parallel.)
/// A device counts if the person it belongs to does, which the index can tell; devices as sent it does not hold.
const STATS: &str = "
    WITH cells AS MATERIALIZED (
        SELECT event_name_id, date_bin('1 day', timestamp, '2000-01-01T00:00:00Z') AS day,
               count(*) AS events, min(timestamp) AS first, max(timestamp) AS last
        FROM events
        WHERE project_id = $1
          AND timestamp >= COALESCE($2, '-infinity') AND timestamp < COALESCE($3, 'infinity')
          AND ($4::integer[] IS NULL OR event_name_id = ANY ($4))
        GROUP BY 1, 2),
    active AS (
        SELECT DISTINCT identity_id FROM events
        WHERE project_id = $1
          AND timestamp >= COALESCE($2, '-infinity') AND timestamp < COALESCE($3, 'infinity')
          AND ($4::integer[] IS NULL OR event_name_id = ANY ($4))),
    persons AS MATERIALIZED (
        SELECT DISTINCT i.person_id FROM active JOIN identities i ON i.project_id = $1 AND i.id = active.identity_id),
    names AS (
        SELECT n.name AS event, c.count FROM (
            SELECT event_name_id, sum(events)::bigint AS count FROM cells GROUP BY 1) c
        JOIN event_names n ON n.project_id = $1 AND n.id = c.event_name_id
        ORDER BY c.count DESC, n.name LIMIT $5),
    days AS (
        SELECT extract(epoch FROM day)::bigint AS epoch_s, sum(events)::bigint AS events FROM cells
        GROUP BY day ORDER BY day DESC LIMIT $6)
    SELECT (SELECT COALESCE(sum(events), 0)::bigint FROM cells) AS events,
           (SELECT count(*) FROM persons) AS persons,
           (SELECT count(*) FROM persons p
            JOIN identities i ON i.project_id = $1 AND i.person_id = p.person_id AND i.kind = 0) AS devices,
           (SELECT COALESCE(json_agg(names), '[]') FROM names) AS by_event,
           (SELECT COALESCE(json_agg(days ORDER BY epoch_s), '[]') FROM days) AS by_day,
           (SELECT min(first) FROM cells) AS first_event_at,
           (SELECT max(last) FROM cells) AS last_event_at,
           (SELECT count(*) FROM dead_letters WHERE project_id = $1 AND replayed_at IS NULL) AS dead_letters";

/// What there is in a time range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stats {
    /// Events.
    pub events: i64,
    /// Distinct persons with events.
    pub persons: i64,
    /// Devices (anonymous_ids) of these persons.
    pub devices: i64,
    /// Events by name, most frequent first; at most [`NAMES_LISTED`].
    pub by_event: Vec<NameCount>,
    /// Events of all other names.
    pub by_event_rest: i64,
    /// Events by UTC day of their `timestamp`, oldest first, days without events left out; the newest [`DAYS_LISTED`].
    pub by_day: Vec<DayCount>,
    /// Events of all earlier days.
    pub by_day_rest: i64,
    /// `timestamp` of the earliest event.
    pub first_event_at: Option<At>,
    /// `timestamp` of the latest event.
    pub last_event_at: Option<At>,
    /// Events of all time that the database refused and that were not replayed yet.
    pub dead_letters: i64,
}

/// How often an event happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NameCount {
    /// Its name.
    pub event: String,
    /// How often.
    pub count: i64,
}

/// How many events a day had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DayCount {
    /// The UTC day, as `2026-11-20`.
    pub day: String,
    /// How many.
    pub events: i64,
}

#[derive(Debug, Deserialize)]
struct Day {
    epoch_s: i64,
    events: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    events: i64,
    persons: i64,
    devices: i64,
    by_event: Json<Vec<NameCount>>,
    by_day: Json<Vec<Day>>,
    first_event_at: Option<At>,
    last_event_at: Option<At>,
    dead_letters: i64,
}

/// What there is in a time range.
///
/// # Errors
/// What stands in the way.
pub async fn collect(snapshot: &mut Snapshot, range: TimeRange) -> Result<Stats, QueryError> {
    let names = names::for_range(snapshot, range).await?;
    let statement = snapshot
        .select::<Row>(STATS)
        .bind(range.from.map(PgTime))
        .bind(range.to.map(PgTime))
        .bind(names)
        .bind(NAMES_LISTED)
        .bind(DAYS_LISTED);
    Ok(statement.fetch_one(snapshot.rows()).await?.into())
}

impl From<Row> for Stats {
    fn from(row: Row) -> Self {
        let by_event = row.by_event.0;
        let by_day: Vec<_> = row.by_day.0.into_iter().map(DayCount::from).collect();
        Self {
            events: row.events,
            persons: row.persons,
            devices: row.devices,
            by_event_rest: row.events - by_event.iter().map(|name| name.count).sum::<i64>(),
            by_event,
            by_day_rest: row.events - by_day.iter().map(|day| day.events).sum::<i64>(),
            by_day,
            first_event_at: row.first_event_at,
            last_event_at: row.last_event_at,
            dead_letters: row.dead_letters,
        }
    }
}

impl From<Day> for DayCount {
    fn from(Day { epoch_s, events }: Day) -> Self {
        let text = Timestamp::from_millis(epoch_s.saturating_mul(1_000)).to_string();
        let day = text.split_once('T').map_or(text.as_str(), |(day, _)| day).to_owned();
        Self { day, events }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_as_its_date() {
        for (epoch_s, day) in [
            (1_763_596_800, "2025-11-20"),
            (0, "1970-01-01"),
            (-62_167_219_200, "0000-01-01"),
        ] {
            assert_eq!(DayCount::from(Day { epoch_s, events: 1 }).day, day);
        }
    }
}
