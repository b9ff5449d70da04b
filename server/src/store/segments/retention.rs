//! What is dropped with a partition leaves the segments, too.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, PgConnection};

use super::hold;
use super::keep::{self, Key, Stale};
use crate::store::error::StoreError;
use crate::store::pg_time::PgTime;
use crate::store::weeks::Week;

/// What a dropped partition leaves in the segments of a project.
#[derive(Debug, Default)]
struct Left {
    /// Other rows of that name and week are still there.
    some: Vec<(i32, Week)>,
    /// None are.
    none: Vec<(i32, Week)>,
}

/// What is to become of segments when a partition is dropped.
#[derive(Debug)]
pub(in crate::store) struct Dropping {
    projects: Vec<i32>,
    left: BTreeMap<i32, Left>,
}

/// Also a project that comes from a test or an import, and has no row of its own.
const PROJECTS: &str = "SELECT id FROM projects UNION SELECT project_id FROM segment_frontiers ORDER BY 1";

const SEGMENTS: &str = "SELECT event_name_id, week FROM segments WHERE project_id = $1";

/// Finds out what dropping `partition` does to segments, and keeps them as they are until the transaction ends: all projects'
/// locks, in the order of their numbers. Reads an index of the partition and holds up no writer, so that the table is locked
/// shortly. What a writer adds to it in the meantime is late, and its mark goes with [`dropped`].
pub(in crate::store) async fn dropping(connection: &mut PgConnection, partition: Week) -> Result<Dropping, StoreError> {
    let projects: Vec<i32> = sqlx::query_scalar(PROJECTS).fetch_all(&mut *connection).await?;
    for project_id in &projects {
        hold(connection, *project_id).await?;
    }
    // Nothing but numbers of a week is written into it.
    let touched = format!(
        "SELECT project_id, event_name_id, start, EXISTS (
             SELECT FROM events e
             WHERE e.project_id = t.project_id AND e.event_name_id = t.event_name_id
               AND e.timestamp >= start AND e.timestamp < start + interval '168 hours'
               AND (e.id < '{}' OR e.id >= '{}'))
         FROM (SELECT DISTINCT project_id, event_name_id, date_trunc('week', timestamp, 'UTC') AS start FROM {}) AS t",
        partition.lower_bound(),
        partition.plus(1).lower_bound(),
        partition.table()
    );
    let touched: Vec<(i32, i32, PgTime, bool)> = sqlx::query_as(AssertSqlSafe(touched))
        .fetch_all(&mut *connection)
        .await?;
    let mut left = BTreeMap::<i32, Left>::new();
    for (project_id, name, start, some) in touched {
        let left = left.entry(project_id).or_default();
        let which = if some { &mut left.some } else { &mut left.none };
        which.push((name, Week::of_time(start.0)));
    }
    for (project_id, left) in &mut left {
        let there: Vec<(i32, i32)> = sqlx::query_as(SEGMENTS)
            .bind(project_id)
            .fetch_all(&mut *connection)
            .await?;
        let there: BTreeSet<(i32, i32)> = there.into_iter().collect();
        left.some.retain(|(name, week)| there.contains(&(*name, week.number())));
    }
    Ok(Dropping { projects, left })
}

/// Has the segments follow the partition that was just dropped: those that lost all rows go, those that lost some are stale.
pub(in crate::store) async fn dropped(
    connection: &mut PgConnection,
    partition: Week,
    Dropping { projects, left }: Dropping,
) -> Result<(), StoreError> {
    for (project_id, Left { some, none }) in left {
        keep::spoil(connection, project_id, &some, Stale::Retention).await?;
        for (name, week) in none {
            keep::remove(connection, Key { project_id, name, week }).await?;
        }
    }
    sqlx::query("DELETE FROM late_events WHERE project_id = ANY ($1) AND event_id >= $2 AND event_id < $3")
        .bind(projects)
        .bind(partition.lower_bound())
        .bind(partition.plus(1).lower_bound())
        .execute(connection)
        .await?;
    Ok(())
}
