//! Events by name and time, summed up from the notes, and what follows from them: which names come every day, how long they
//! are silent, and whether a day has changed since it was counted.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;

/// How long minutes are kept: nine days. Rhythms look back a week and a day.
const MINUTES_KEPT_MICROS: i64 = 9 * 24 * 60 * 60 * 1_000_000;

/// Rows deleted in one statement: 50,000, about 0.1 s.
const DELETED_AT_ONCE: i64 = 50_000;

/// How many of the most frequent names of a project are watched for silence: 200. A thousand names are mostly mistakes.
const NAMES_WATCHED: i64 = 200;

/// Events of one name in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) name: i32,
    /// Since 1970.
    pub(super) minute: i64,
    pub(super) events: i64,
}

const MINUTES: &str = "
    INSERT INTO event_minutes AS m (project_id, minute, event_name_id, events)
    SELECT $1, to_timestamp(minute * 60), name, events
    FROM unnest($2::bigint[], $3::integer[], $4::bigint[]) AS counted (minute, name, events)
    ORDER BY minute, name
    ON CONFLICT (project_id, minute, event_name_id) DO UPDATE SET events = m.events + excluded.events";

const HOURS: &str = "
    INSERT INTO event_hours AS h (project_id, event_name_id, hour, events)
    SELECT $1, name, date_trunc('hour', to_timestamp(minute * 60), 'UTC'), sum(events)::bigint
    FROM unnest($2::bigint[], $3::integer[], $4::bigint[]) AS counted (minute, name, events)
    GROUP BY 2, 3 ORDER BY 2, 3
    ON CONFLICT (project_id, event_name_id, hour) DO UPDATE SET events = h.events + excluded.events";

/// The names that came on each of the seven days before today, the most frequent ones, and the longest stretch of minutes
/// without one in the week before `$2`. Its ends count too: an event that came first on Monday noon was silent until then.
const LEARN: &str = "
    WITH daily AS (
        SELECT project_id, event_name_id, row_number() OVER (PARTITION BY project_id ORDER BY sum(events) DESC) AS place
        FROM event_hours
        WHERE project_id = $1 AND hour >= date_trunc('day', $2::timestamptz, 'UTC') - interval '7 days'
          AND hour < date_trunc('day', $2::timestamptz, 'UTC')
        GROUP BY project_id, event_name_id
        HAVING count(DISTINCT date_trunc('day', hour, 'UTC')) = 7),
    steps AS (
        SELECT m.event_name_id, m.minute - lag(m.minute, 1, $2::timestamptz - interval '7 days')
                   OVER (PARTITION BY m.event_name_id ORDER BY m.minute) AS silent
        FROM event_minutes m JOIN daily USING (project_id, event_name_id)
        WHERE m.project_id = $1 AND m.minute > $2::timestamptz - interval '7 days' AND m.minute <= $2 AND daily.place <= $3),
    learnt AS (
        SELECT event_name_id, max(extract(epoch FROM silent))::integer AS longest_s FROM steps GROUP BY event_name_id),
    forgotten AS (
        DELETE FROM event_rhythms r WHERE project_id = $1
          AND NOT EXISTS (SELECT FROM learnt WHERE learnt.event_name_id = r.event_name_id)
          AND r.learnt_at < $2::timestamptz - interval '2 days')
    INSERT INTO event_rhythms AS r (project_id, event_name_id, longest_s, learnt_at)
    SELECT $1, event_name_id, longest_s, $2 FROM learnt ORDER BY event_name_id
    ON CONFLICT (project_id, event_name_id) DO UPDATE SET longest_s = excluded.longest_s, learnt_at = excluded.learnt_at";

/// The latest minute of each name is at the end of its hours: one probe for each, then one stretch of minutes.
const SILENCES: &str = "
    SELECT n.name, r.longest_s, last.minute FROM event_rhythms r
    JOIN event_names n ON n.project_id = r.project_id AND n.id = r.event_name_id
    CROSS JOIN LATERAL (
        SELECT hour FROM event_hours h
        WHERE h.project_id = r.project_id AND h.event_name_id = r.event_name_id AND h.hour <= $2
        ORDER BY hour DESC LIMIT 1) AS latest
    CROSS JOIN LATERAL (
        SELECT max(minute) AS minute FROM event_minutes m
        WHERE m.project_id = r.project_id AND m.event_name_id = r.event_name_id
          AND m.minute >= latest.hour AND m.minute < latest.hour + interval '1 hour' AND m.minute <= $2) AS last
    WHERE r.project_id = $1 AND last.minute IS NOT NULL
    ORDER BY n.name";

/// How long a name that comes every day was silent at the most, and when it was last heard.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Silence {
    /// The name.
    pub name: String,
    /// Its longest silence in the week before it was learnt, in seconds.
    pub longest_s: i32,
    /// The latest minute with one.
    pub minute: PgTime,
}

/// Adds counts. Rows are locked in the order of their keys.
pub(super) async fn add(connection: &mut PgConnection, project_id: i32, counts: Vec<Count>) -> Result<(), StoreError> {
    let mut sums = BTreeMap::<(i64, i32), i64>::new();
    for count in counts {
        *sums.entry((count.minute, count.name)).or_default() += count.events;
    }
    let (minutes, names): (Vec<i64>, Vec<i32>) = sums.keys().copied().unzip();
    let events: Vec<i64> = sums.into_values().collect();
    for statement in [MINUTES, HOURS] {
        let add = sqlx::query(statement).bind(project_id);
        let add = add.bind(&minutes).bind(&names).bind(&events);
        add.execute(&mut *connection).await?;
    }
    Ok(())
}

impl Store {
    /// Learns how long the daily events of a project are silent.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn learn_rhythms(&self, project_id: i32, now: Timestamp) -> Result<(), StoreError> {
        let learn = sqlx::query(LEARN)
            .bind(project_id)
            .bind(PgTime(now))
            .bind(NAMES_WATCHED);
        learn.execute(&self.pool).await?;
        Ok(())
    }

    /// The names that come every day, and when each was last heard.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn silences(&self, project_id: i32, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
        let read = sqlx::query_as(SILENCES).bind(project_id).bind(PgTime(now));
        Ok(read.fetch_all(&self.pool).await?)
    }

    /// Forgets minutes that nobody looks at any more; returns how many rows.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn forget_event_minutes(&self, now: Timestamp) -> Result<u64, StoreError> {
        let forget = "
            DELETE FROM event_minutes WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM event_minutes WHERE minute < $1 LIMIT $2))";
        let before = PgTime(Timestamp::from_micros(now.micros() - MINUTES_KEPT_MICROS));
        let mut forgotten = 0;
        loop {
            let some = sqlx::query(forget)
                .bind(before)
                .bind(DELETED_AT_ONCE)
                .execute(&self.pool)
                .await?;
            forgotten += some.rows_affected();
            if some.rows_affected() < DELETED_AT_ONCE as u64 {
                return Ok(forgotten);
            }
        }
    }
}
