//! Puts a history into segments: through the server's own sealing, where its rows are there; or at once, where they do not fit
//! on a disk. What is written is the same, by the same [`Events::seal`].

use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

use sqlx::PgPool;
use trailmark_protocol::Timestamp;
use trailmark_segments::Events;
use trailmark_server::Store;
use trailmark_server::store::PgTime;

use super::history::{self, END, History, Made};
use super::load::{self, PROJECT};
use super::questions::PROMOTED;
use crate::Outcome;

/// The sealing job leaves the last ten minutes alone.
const QUIET_MS: i64 = 10 * 60 * 1_000;

/// Events that are made at once, by two threads.
const CHUNK: u64 = 2_000_000;

const WEEK: i64 = 7 * 86_400_000_000;
const MONDAY: i64 = 3 * 86_400_000_000;

/// Events of a name and a week, which are still collected.
type Open = BTreeMap<(u64, i64), Events>;

/// What is sealed, and what stays rows.
fn frontier() -> Timestamp {
    Timestamp::from_millis(END.millis() - QUIET_MS)
}

fn column() -> String {
    format!("property_{PROMOTED:02}")
}

/// Seals the rows, as the server does it.
///
/// # Errors
/// The database's.
pub async fn rows(store: &Store) -> Outcome<()> {
    store.promote(PROJECT, &column(), "bench", END, 16).await?;
    let began = Instant::now();
    let sealed = store.seal(PROJECT, frontier()).await?;
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{sealed} rows sealed in {seconds:.0} s, {:.0} k/s",
        sealed as f64 / seconds / 1e3
    );
    vacuum(store.pool()).await
}

/// Writes the segments without the rows, of which only those that are not sealed are loaded.
///
/// # Errors
/// The database's.
pub async fn without_rows(store: &Store, history: History) -> Outcome<()> {
    let (pool, began) = (store.pool(), Instant::now());
    load::dimensions_only(store, history).await?;
    sqlx::raw_sql("TRUNCATE segments, segment_frontiers, late_events")
        .execute(pool)
        .await?;
    store.promote(PROJECT, &column(), "bench", END, 16).await?;
    let mut open = Open::new();
    for from in (0..history.events).step_by(CHUNK as usize) {
        let to = (from + CHUNK).min(history.events);
        let mut oldest = i64::MAX;
        for (index, made) in made(history, from..to)? {
            let at = made.at.micros();
            if at >= frontier().micros() {
                continue;
            }
            let week = (at + MONDAY).div_euclid(WEEK);
            oldest = oldest.min(week);
            let value = history::text_property(&made, index, PROMOTED)
                .map(|number| format!("{:?}", history::text_value(number)));
            open.entry((made.name, week))
                .or_insert_with(|| Events::new([column().as_str()]))
                .push(
                    made.identity.cast_signed(),
                    at,
                    Some(made.seq.cast_signed()),
                    [value.as_deref()],
                );
        }
        // A visit may reach into the week after the one that it began in.
        let (over, still): (Open, Open) = open.into_iter().partition(|((_, week), _)| *week < oldest - 1);
        open = still;
        write(pool, over).await?;
    }
    write(pool, open).await?;
    sqlx::query("INSERT INTO segment_frontiers VALUES ($1, $2, $2)")
        .bind(PROJECT)
        .bind(PgTime(frontier()))
        .execute(pool)
        .await?;
    let tail = history.events - (QUIET_MS as u64 * 2 * history.events / (90 * 86_400_000)).clamp(1_000, history.events);
    load::tail(store, history, tail..history.events).await?;
    println!(
        "{} events written into segments in {:.0} s",
        history.events,
        began.elapsed().as_secs_f64()
    );
    vacuum(pool).await
}

fn made(history: History, range: std::ops::Range<u64>) -> Outcome<Vec<(u64, Made)>> {
    let half = u64::midpoint(range.start, range.end);
    let make = |range: std::ops::Range<u64>| range.map(|index| (index, history.event(index))).collect::<Vec<_>>();
    thread::scope(|scope| {
        let other = scope.spawn(|| make(half..range.end));
        let mut made = make(range.start..half);
        made.extend(other.join().map_err(|_| "the other thread panicked")?);
        Ok(made)
    })
}

async fn write(pool: &PgPool, over: Open) -> Outcome<()> {
    for ((name, week), events) in over {
        let count = events.len() as i64;
        let Some(bytes) = events.seal() else { continue };
        sqlx::query(
            "INSERT INTO segments (project_id, event_name_id, week, sealed_at, events, columns, bytes)
             VALUES ($1, $2, $3, now(), $4, $5, $6)",
        )
        .bind(PROJECT)
        .bind(i32::try_from(name)?)
        .bind(i32::try_from(week)?)
        .bind(count)
        .bind(vec![column()])
        .bind(bytes)
        .execute(pool)
        .await?;
    }
    Ok(())
}

async fn vacuum(pool: &PgPool) -> Outcome<()> {
    sqlx::query("VACUUM (ANALYZE) segments").execute(pool).await?;
    Ok(())
}

/// Says how many bytes an event takes.
///
/// # Errors
/// The database's.
pub async fn tell_sizes(store: &Store, history: History) -> Outcome<()> {
    let (segments, table, events): (i64, i64, i64) = sqlx::query_as(
        "SELECT COALESCE(sum(octet_length(bytes)), 0)::bigint, pg_total_relation_size('segments'), COALESCE(sum(events), 0)::bigint FROM segments",
    )
    .fetch_one(store.pool())
    .await?;
    let (heap, all): (i64, i64) = sqlx::query_as(
        "SELECT sum(pg_table_size(inhrelid))::bigint, sum(pg_total_relation_size(inhrelid))::bigint
         FROM pg_inherits WHERE inhparent = 'events'::regclass",
    )
    .fetch_one(store.pool())
    .await?;
    let each = |bytes: i64, events: u64| bytes as f64 / events.max(1) as f64;
    let sealed = events.cast_unsigned();
    println!(
        "{sealed} events in segments: {:.2} bytes each, {:.2} with what the table takes beside them",
        each(segments, sealed),
        each(table, sealed)
    );
    println!(
        "rows: {:.0} bytes an event, {:.0} with their indexes (of {} events, if all have rows)",
        each(heap, history.events),
        each(all, history.events),
        history.events
    );
    Ok(())
}
