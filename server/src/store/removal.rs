//! The rows of an erased person go, in transactions that are short enough to hold up nobody.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use trailmark_protocol::Uuid;

use super::connect::Store;
use super::erasures::Erasure;
use super::error::StoreError;
use super::group::late;
use super::segments::{self, Doomed};
use super::stored;

/// Most events removed in one transaction: 5,000, as many as the writer stores in one; 40 ms (500,000 took 4 s, two cores).
const EVENTS_AT_ONCE: usize = 5_000;

/// Identities looked at in one transaction: a shared login may have thousands of devices with few events each.
const IDENTITIES_AT_ONCE: i64 = 500;

/// Dead letters read at once. A payload may be 64 KiB, so these are 13 MB at the most.
const DEAD_LETTERS_AT_ONCE: i64 = 200;

/// Where a removal is. It begins anew after a crash: what is gone already costs a look into an index.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Events and properties of the identities above this number.
    Events(i64),
    /// Dead letters above this id.
    DeadLetters(Uuid),
    Done,
}

/// An event that is removed: its id and its install.
type Gone = (Uuid, Option<String>);

impl Store {
    /// Removes what is left of an erased person. Several servers may do so at once.
    ///
    /// # Errors
    /// What stands in the way; what is removed stays removed and counted.
    pub async fn finish_erasure(&self, project_id: i32, erasure: i64) -> Result<Erasure, StoreError> {
        let mut step = Step::Events(i64::MIN);
        while !matches!(step, Step::Done) {
            let mut transaction = self.pool.begin().await?;
            step = self.step(&mut transaction, (project_id, erasure), step).await?;
            transaction.commit().await?;
        }
        self.erasure(project_id, erasure).await
    }

    /// Goes on with every erasure that is not finished.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn finish_erasures(&self) -> Result<(), StoreError> {
        let unfinished: Vec<(i32, i64)> =
            sqlx::query_as("SELECT project_id, id FROM erasures WHERE done_at IS NULL ORDER BY id")
                .fetch_all(&self.pool)
                .await?;
        for (project_id, erasure) in unfinished {
            self.learn_erasures(&[project_id]).await?;
            self.finish_erasure(project_id, erasure).await?;
        }
        Ok(())
    }

    async fn step(&self, connection: &mut PgConnection, erasure: (i32, i64), step: Step) -> Result<Step, StoreError> {
        if matches!(step, Step::Events(_)) {
            segments::hold(connection, erasure.0).await?;
        }
        if is_done(connection, erasure).await? {
            return Ok(Step::Done);
        }
        match step {
            Step::Events(after) => remove_events(connection, erasure, after).await,
            Step::DeadLetters(after) => self.remove_dead_letters(connection, erasure, after).await,
            Step::Done => Ok(Step::Done),
        }
    }

    /// Every dead letter of the project is read: what is in one only its payload says.
    async fn remove_dead_letters(
        &self,
        connection: &mut PgConnection,
        erasure: (i32, i64),
        after: Uuid,
    ) -> Result<Step, StoreError> {
        let letters: Vec<(Uuid, Vec<u8>, bool)> = sqlx::query_as(
            "SELECT event_id, payload, replayed_at IS NULL FROM dead_letters WHERE project_id = $1 AND event_id > $2
             ORDER BY event_id LIMIT $3",
        )
        .bind(erasure.0)
        .bind(after)
        .bind(DEAD_LETTERS_AT_ONCE)
        .fetch_all(&mut *connection)
        .await?;
        let Some(last) = letters.last().map(|letter| letter.0) else {
            finish(connection, erasure).await?;
            return Ok(Step::Done);
        };
        let known = self.tombstones();
        let late = letters
            .into_iter()
            .filter_map(|(id, payload, waits)| Some((id, late(&payload, &known)?, waits)));
        let (mut ids, mut waiting) = (Vec::new(), Vec::new());
        for (id, letter, waits) in late {
            ids.push(id);
            waiting.extend(waits.then_some((id, letter.install_id)));
        }
        let removed = sqlx::query("DELETE FROM dead_letters WHERE project_id = $1 AND event_id = ANY($2)")
            .bind(erasure.0)
            .bind(ids)
            .execute(&mut *connection)
            .await?;
        count_by_install(connection, erasure.0, &waiting).await?;
        count(connection, erasure, [0, 0, removed.rows_affected()]).await?;
        Ok(Step::DeadLetters(last))
    }
}

/// Locks the erasure: of two servers that remove its rows one waits, and each row is counted once.
async fn is_done(connection: &mut PgConnection, (project_id, erasure): (i32, i64)) -> Result<bool, StoreError> {
    let done =
        sqlx::query_scalar("SELECT done_at IS NOT NULL FROM erasures WHERE project_id = $1 AND id = $2 FOR UPDATE");
    Ok(done.bind(project_id).bind(erasure).fetch_one(connection).await?)
}

async fn remove_events(connection: &mut PgConnection, erasure: (i32, i64), after: i64) -> Result<Step, StoreError> {
    let identities: Vec<i64> = sqlx::query_scalar(
        "SELECT identity_id FROM tombstones WHERE project_id = $1 AND erasure_id = $2 AND identity_id > $3
         ORDER BY identity_id LIMIT $4",
    )
    .bind(erasure.0)
    .bind(erasure.1)
    .bind(after)
    .bind(IDENTITIES_AT_ONCE)
    .fetch_all(&mut *connection)
    .await?;
    let Some(last) = identities.last().copied() else {
        return Ok(Step::DeadLetters(Uuid::nil()));
    };
    let (events, more) = remove_some_events(connection, erasure.0, &identities).await?;
    if more {
        count(connection, erasure, [events, 0, 0]).await?;
        return Ok(Step::Events(after));
    }
    let properties = sqlx::query("DELETE FROM person_properties WHERE project_id = $1 AND identity_id = ANY($2)")
        .bind(erasure.0)
        .bind(&identities)
        .execute(&mut *connection)
        .await?;
    count(connection, erasure, [events, properties.rows_affected(), 0]).await?;
    Ok(Step::Events(last))
}

/// Finds events through `events_by_identity` and removes them through their key, whose bounds leave most partitions out.
/// Returns how many it removed, and whether there may be more. What the writer locks, too, is locked last.
async fn remove_some_events(
    connection: &mut PgConnection,
    project_id: i32,
    identities: &[i64],
) -> Result<(u64, bool), StoreError> {
    let mut doomed: Vec<Doomed> = sqlx::query_as(
        "SELECT id, event_name_id, timestamp FROM events WHERE project_id = $1 AND identity_id = ANY($2) LIMIT $3",
    )
    .bind(project_id)
    .bind(identities)
    .bind(EVENTS_AT_ONCE as i64)
    .fetch_all(&mut *connection)
    .await?;
    let full = doomed.len() == EVENTS_AT_ONCE;
    let all = segments::forget(connection, project_id, identities, &mut doomed).await?;
    let mut doomed: Vec<Uuid> = doomed.into_iter().map(|event| event.id).collect();
    doomed.sort_unstable();
    let gone: Vec<Gone> = sqlx::query_as(
        "DELETE FROM events WHERE project_id = $1 AND id = ANY($2) AND id BETWEEN $3 AND $4 RETURNING id, install_id",
    )
    .bind(project_id)
    .bind(&doomed)
    .bind(doomed.first())
    .bind(doomed.last())
    .fetch_all(&mut *connection)
    .await?;
    // In the order of the writer: what is stored, then what is erased.
    stored::take_off(connection, project_id, &by_install(&gone)).await?;
    count_by_install(connection, project_id, &gone).await?;
    Ok((gone.len() as u64, full || !all))
}

/// How many of each install, ordered by key, as the writer does it.
fn by_install(events: &[Gone]) -> BTreeMap<&str, i64> {
    let mut counts = BTreeMap::new();
    for install in events.iter().filter_map(|event| event.1.as_deref()) {
        *counts.entry(install).or_default() += 1;
    }
    counts
}

/// What is gone was captured by somebody, and is not lost.
async fn count_by_install(connection: &mut PgConnection, project_id: i32, events: &[Gone]) -> Result<(), StoreError> {
    let counts = by_install(events);
    if counts.is_empty() {
        return Ok(());
    }
    let (installs, counts): (Vec<&str>, Vec<i64>) = counts.into_iter().unzip();
    sqlx::query(
        "INSERT INTO erased_by_install AS e (project_id, install_id, events)
         SELECT $1, * FROM unnest($2::text[], $3::bigint[])
         ON CONFLICT (project_id, install_id) DO UPDATE SET events = e.events + excluded.events",
    )
    .bind(project_id)
    .bind(installs)
    .bind(counts)
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts removed events, properties and dead letters.
async fn count(
    connection: &mut PgConnection,
    (project_id, erasure): (i32, i64),
    [events, properties, dead_letters]: [u64; 3],
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE erasures SET events = events + $3, properties = properties + $4, dead_letters = dead_letters + $5
         WHERE project_id = $1 AND id = $2",
    )
    .bind(project_id)
    .bind(erasure)
    .bind(events.cast_signed())
    .bind(properties.cast_signed())
    .bind(dead_letters.cast_signed())
    .execute(connection)
    .await?;
    Ok(())
}

async fn finish(connection: &mut PgConnection, (project_id, erasure): (i32, i64)) -> Result<(), StoreError> {
    sqlx::query("UPDATE erasures SET done_at = now() WHERE project_id = $1 AND id = $2")
        .bind(project_id)
        .bind(erasure)
        .execute(connection)
        .await?;
    Ok(())
}
