//! The rows of issues, written in sets: a statement for each table, however many issues there are.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use trailmark_protocol::{Timestamp, Uuid};

use super::error::StoreError;
use super::pg_time::PgTime;
use crate::observe::errors::batch::{Folded, SAMPLES};
use crate::observe::errors::{ALGORITHM, Level, State};

/// The number of all issues of a project together, in `issue_quarters`.
pub(super) const TOGETHER: i32 = 0;

/// Releases of an issue that are known: 200. One fold may add some more; then no other is taken in.
const RELEASES_MAX: i64 = 200;

const UPSERT: &str = "
    INSERT INTO issues AS i (project_id, number, key, algorithm, kind, title, culprit, level, handled, state, state_at, events,
                             first_seen, last_seen, first_release, last_release, first_event, newest_events)
    SELECT $1, number, key, $2, kind, title, culprit, level, handled, state, state_at, events, first_seen, last_seen,
           first_release, last_release, first_event, newest_events::uuid[]
    FROM unnest($3::integer[], $4::bytea[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[], $10::text[],
                $11::timestamptz[], $12::bigint[], $13::timestamptz[], $14::timestamptz[], $15::text[], $16::text[],
                $17::uuid[], $18::text[])
         AS new (number, key, kind, title, culprit, level, handled, state, state_at, events, first_seen, last_seen,
                 first_release, last_release, first_event, newest_events)
    ON CONFLICT (project_id, number) DO UPDATE
    SET level = excluded.level, handled = i.handled AND excluded.handled, state = excluded.state, state_at = excluded.state_at,
        events = i.events + excluded.events,
        first_release = CASE WHEN excluded.first_seen < i.first_seen THEN excluded.first_release ELSE i.first_release END,
        last_release = CASE WHEN excluded.last_seen >= i.last_seen THEN excluded.last_release ELSE i.last_release END,
        first_seen = least(i.first_seen, excluded.first_seen), last_seen = greatest(i.last_seen, excluded.last_seen),
        first_event = least(i.first_event, excluded.first_event),
        newest_events = ARRAY(SELECT id FROM unnest(i.newest_events || excluded.newest_events) AS id
                              GROUP BY id ORDER BY id DESC LIMIT $19)";

const QUARTERS: &str = "
    INSERT INTO issue_quarters AS q (project_id, issue, quarter, events)
    SELECT $1, * FROM unnest($2::integer[], $3::timestamptz[], $4::bigint[])
    ON CONFLICT (project_id, issue, quarter) DO UPDATE SET events = q.events + excluded.events";

/// Only of those who are still there: an erased person's number must not come back.
const PEOPLE: &str = "
    INSERT INTO issue_people AS p (project_id, issue, identity_id, first_seen, last_seen)
    SELECT $1, new.issue, new.identity_id, new.first_seen, new.last_seen
    FROM unnest($2::integer[], $3::bigint[], $4::timestamptz[], $5::timestamptz[])
         AS new (issue, identity_id, first_seen, last_seen)
    JOIN identities i ON i.project_id = $1 AND i.id = new.identity_id
    ON CONFLICT (project_id, identity_id, issue) DO UPDATE
    SET first_seen = least(p.first_seen, excluded.first_seen), last_seen = greatest(p.last_seen, excluded.last_seen)";

const RELEASES: &str = "
    INSERT INTO issue_releases AS r (project_id, issue, release, events, first_seen, last_seen)
    SELECT $1, new.* FROM unnest($2::integer[], $3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[])
         AS new (issue, release, events, first_seen, last_seen)
    WHERE EXISTS (SELECT FROM issue_releases k
                  WHERE k.project_id = $1 AND k.issue = new.issue AND k.release = new.release)
       OR (SELECT count(*) FROM issue_releases k WHERE k.project_id = $1 AND k.issue = new.issue) < $7
    ON CONFLICT (project_id, issue, release) DO UPDATE
    SET events = r.events + excluded.events, first_seen = least(r.first_seen, excluded.first_seen),
        last_seen = greatest(r.last_seen, excluded.last_seen)";

/// An issue and what is added to it.
pub(super) struct Change<'a> {
    pub(super) number: i32,
    pub(super) state: State,
    pub(super) state_at: PgTime,
    pub(super) level: Level,
    pub(super) folded: &'a Folded,
}

/// Writes the issues themselves.
pub(super) async fn upsert(
    connection: &mut PgConnection,
    project_id: i32,
    changes: &[Change<'_>],
) -> Result<(), StoreError> {
    let of = |read: fn(&Folded) -> &str| changes.iter().map(|change| read(change.folded)).collect::<Vec<_>>();
    let time = |read: fn(&Folded) -> Timestamp| {
        changes
            .iter()
            .map(|change| PgTime(read(change.folded)))
            .collect::<Vec<_>>()
    };
    let release =
        |read: fn(&Folded) -> Option<&str>| changes.iter().map(|change| read(change.folded)).collect::<Vec<_>>();
    sqlx::query(UPSERT)
        .bind(project_id)
        .bind(ALGORITHM)
        .bind(changes.iter().map(|change| change.number).collect::<Vec<_>>())
        .bind(
            changes
                .iter()
                .map(|change| &change.folded.group.key[..])
                .collect::<Vec<_>>(),
        )
        .bind(of(|folded| &folded.group.kind))
        .bind(of(|folded| &folded.group.title))
        .bind(of(|folded| &folded.group.culprit))
        .bind(changes.iter().map(|change| change.level.as_str()).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.folded.handled).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.state.as_str()).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.state_at).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.folded.events).collect::<Vec<_>>())
        .bind(time(|folded| folded.span.0))
        .bind(time(|folded| folded.span.1))
        .bind(release(|folded| folded.first_release.as_deref()))
        .bind(release(|folded| folded.last_release.as_deref()))
        .bind(
            changes
                .iter()
                .map(|change| change.folded.first_event)
                .collect::<Vec<_>>(),
        )
        .bind(
            changes
                .iter()
                .map(|change| array(&change.folded.newest))
                .collect::<Vec<_>>(),
        )
        .bind(SAMPLES as i64)
        .execute(connection)
        .await?;
    Ok(())
}

/// As Postgres reads an array.
fn array(ids: &[Uuid]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    format!("{{{}}}", ids.join(","))
}

/// Counts by quarter-hours, of each issue and of all that somebody wants to hear of together.
pub(super) async fn count_quarters(
    connection: &mut PgConnection,
    project_id: i32,
    changes: &[Change<'_>],
) -> Result<(), StoreError> {
    let mut counts = BTreeMap::<(i32, PgTime), i64>::new();
    for change in changes {
        let is_heard = change.state != State::Ignored && change.level > Level::Warning;
        for (quarter, events) in &change.folded.quarters {
            *counts.entry((change.number, PgTime(*quarter))).or_default() += events;
            if is_heard {
                *counts.entry((TOGETHER, PgTime(*quarter))).or_default() += events;
            }
        }
    }
    sqlx::query(QUARTERS)
        .bind(project_id)
        .bind(counts.keys().map(|(issue, _)| *issue).collect::<Vec<_>>())
        .bind(counts.keys().map(|(_, quarter)| *quarter).collect::<Vec<_>>())
        .bind(counts.values().copied().collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes whom the issues have met.
pub(super) async fn meet_people(
    connection: &mut PgConnection,
    project_id: i32,
    changes: &[Change<'_>],
) -> Result<(), StoreError> {
    let people = || {
        let of = |change: &'_ Change<'_>| {
            change
                .folded
                .people
                .iter()
                .map(|(id, span)| (*id, *span))
                .collect::<Vec<_>>()
        };
        changes
            .iter()
            .flat_map(move |change| of(change).into_iter().map(|person| (change.number, person)))
    };
    sqlx::query(PEOPLE)
        .bind(project_id)
        .bind(people().map(|(issue, _)| issue).collect::<Vec<_>>())
        .bind(people().map(|(_, (identity, _))| identity).collect::<Vec<_>>())
        .bind(people().map(|(_, (_, span))| PgTime(span.0)).collect::<Vec<_>>())
        .bind(people().map(|(_, (_, span))| PgTime(span.1)).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes in which releases the issues were seen.
pub(super) async fn note_releases(
    connection: &mut PgConnection,
    project_id: i32,
    changes: &[Change<'_>],
) -> Result<(), StoreError> {
    let rows: Vec<_> = changes
        .iter()
        .flat_map(|change| {
            change
                .folded
                .releases
                .iter()
                .map(|(release, sum)| (change.number, release.as_str(), *sum))
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(RELEASES)
        .bind(project_id)
        .bind(rows.iter().map(|row| row.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.1).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.2.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| PgTime(row.2.1.0)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| PgTime(row.2.1.1)).collect::<Vec<_>>())
        .bind(RELEASES_MAX)
        .execute(connection)
        .await?;
    Ok(())
}
