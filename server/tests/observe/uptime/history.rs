//! What is kept of checks: minutes, then hours, then nothing.

use trailmark_protocol::Timestamp;
use trailmark_server::clock::Clock;
use trailmark_server::observe::uptime::history::{DAY, HOUR, uptime};
use trailmark_server::observe::uptime::{forget, roll};
use trailmark_server::store::{HOURS_KEPT, HourRow};

use super::site::Site;
use super::watch::{SECOND, Watch, beginning};

/// A minute's checks of monitor 1 as they are stored.
async fn minute(watch: &Watch, id: i64, at: Timestamp, checks: i32, failures: i32) {
    sqlx::query(
        "INSERT INTO monitor_checks (project_id, monitor_id, minute, checks, failures, sum_ms, min_ms, max_ms, last_error)
         VALUES (1, $1, $2, $3, $4, ($3 - $4) * 100, 100, 100, CASE WHEN $4 > 0 THEN 'down' END)",
    )
    .bind(id)
    .bind(trailmark_server::store::PgTime(at))
    .bind(checks)
    .bind(failures)
    .execute(watch.store.pool())
    .await
    .unwrap();
}

async fn count(watch: &Watch, table: &'static str) -> i64 {
    let counted = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(counted).fetch_one(watch.store.pool()).await.unwrap()
}

async fn hours(watch: &Watch, id: i64, from: Timestamp) -> Vec<(i64, i64, i64)> {
    let rows = watch.store.monitor_hours(1, Some(id), from).await.unwrap();
    let told = |row: HourRow| {
        (
            (row.hour.0.micros() - beginning().micros()) / HOUR,
            row.checks,
            row.failures,
        )
    };
    rows.into_iter().map(told).collect()
}

#[tokio::test]
async fn checks_are_counted_by_the_minute() {
    let (watch, site) = (Watch::new().await, Site::new().await);
    let id = watch.page(&site.url("/")).await;
    watch.runner.check_now(1, id).await.unwrap();
    site.says(500);
    watch.runner.check_now(1, id).await.unwrap();
    watch.clock.advance_micros(60 * SECOND);
    watch.runner.check_now(1, id).await.unwrap();
    let minutes = watch.store.monitor_minutes(1, id, beginning()).await.unwrap();
    let told: Vec<_> = minutes
        .iter()
        .map(|row| (row.minute.0.micros() - beginning().micros(), row.checks, row.failures))
        .collect();
    assert_eq!(told, [(0, 2, 1), (60 * SECOND, 1, 1)]);
    assert_eq!(
        minutes[0].min_ms.map(i64::from),
        Some(minutes[0].sum_ms),
        "of the one that did not fail"
    );
    assert_eq!(
        (minutes[1].min_ms, minutes[1].max_ms, minutes[1].sum_ms),
        (None, None, 0)
    );
    assert_eq!(minutes[0].last_error.as_deref(), Some("500 instead of 200-299"));
}

#[tokio::test]
async fn hours_are_the_same_before_they_are_rolled_while_and_after() {
    let watch = Watch::new().await;
    let id = watch.page("http://site.example/").await;
    for at in 0..150 {
        minute(
            &watch,
            id,
            beginning().plus_micros(at * 60 * SECOND),
            2,
            i32::from(at % 10 == 0),
        )
        .await;
    }
    let expected = vec![(0, 120, 6), (1, 120, 6), (2, 60, 3)];
    assert_eq!(hours(&watch, id, beginning()).await, expected);
    // 13:01: a check of the last hour may still be under way.
    roll(&watch.store, beginning().plus_micros(HOUR + 60 * SECOND))
        .await
        .unwrap();
    assert_eq!(count(&watch, "monitor_hours").await, 0);
    let now = beginning().plus_micros(2 * HOUR + 30 * 60 * SECOND);
    for _ in 0..3 {
        roll(&watch.store, now).await.unwrap();
        assert_eq!(count(&watch, "monitor_hours").await, 2);
        assert_eq!(hours(&watch, id, beginning()).await, expected);
    }
    let (min, max): (i32, i32) = sqlx::query_as("SELECT min(min_ms), max(max_ms) FROM monitor_hours")
        .fetch_one(watch.store.pool())
        .await
        .unwrap();
    assert_eq!((min, max), (100, 100));
    roll(&watch.store, now.plus_micros(HOUR)).await.unwrap();
    assert_eq!(hours(&watch, id, beginning()).await, expected);
    let all = watch.store.monitor_hours(1, None, beginning()).await.unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(watch.store.monitor_hours(2, None, beginning()).await.unwrap(), []);
    assert_eq!(uptime(&all, now).last_24h, Some(285.0 / 300.0));
}

#[tokio::test]
async fn a_server_that_was_off_for_days_rolls_what_it_left() {
    let watch = Watch::new().await;
    let id = watch.page("http://site.example/").await;
    minute(&watch, id, beginning(), 1, 0).await;
    roll(&watch.store, beginning().plus_micros(2 * HOUR)).await.unwrap();
    minute(&watch, id, beginning().plus_micros(HOUR), 2, 0).await;
    minute(&watch, id, beginning().plus_micros(3 * DAY), 3, 0).await;
    roll(&watch.store, beginning().plus_micros(5 * DAY)).await.unwrap();
    let rolled: Vec<i64> = sqlx::query_scalar("SELECT checks::bigint FROM monitor_hours ORDER BY hour")
        .fetch_all(watch.store.pool())
        .await
        .unwrap();
    assert_eq!(rolled, [1, 2, 3]);
}

#[tokio::test]
async fn what_is_too_old_is_forgotten_and_nothing_else() {
    let watch = Watch::new().await;
    let id = watch.page("http://site.example/").await;
    let now = beginning().plus_micros(HOURS_KEPT);
    minute(&watch, id, beginning().plus_micros(-HOUR), 1, 0).await;
    minute(&watch, id, now.plus_micros(-7 * DAY - HOUR), 1, 0).await;
    minute(&watch, id, now.plus_micros(-7 * DAY + HOUR), 1, 0).await;
    forget(&watch.store, now).await.unwrap();
    assert_eq!(
        count(&watch, "monitor_checks").await,
        3,
        "what was not rolled yet stays"
    );
    for (started, ended) in [(-2, Some(-1)), (-1, Some(1)), (-3, None)] {
        let at = |hours: i64| trailmark_server::store::PgTime(beginning().plus_micros(hours * HOUR));
        sqlx::query(
            "INSERT INTO incidents (project_id, monitor_id, started_at, ended_at, cause_kind, cause, failed_checks)
             VALUES (1, $1, $2, $3, 'k', 'c', 2)",
        )
        .bind(id)
        .bind(at(started))
        .bind(ended.map(at))
        .execute(watch.store.pool())
        .await
        .unwrap();
    }
    roll(&watch.store, now).await.unwrap();
    for _ in 0..2 {
        forget(&watch.store, now).await.unwrap();
        let left = [
            count(&watch, "monitor_checks").await,
            count(&watch, "monitor_hours").await,
            count(&watch, "incidents").await,
        ];
        assert_eq!(
            left,
            [1, 2, 2],
            "the minute, its hour and the one before, the incident that ended later and the open one"
        );
    }
}

#[tokio::test]
async fn a_monitor_that_is_removed_leaves_nothing() {
    let (watch, site) = (Watch::new().await, Site::new().await);
    site.says(500);
    let id = watch.page(&site.url("/")).await;
    watch
        .until(id, trailmark_server::observe::uptime::state::State::Down)
        .await;
    roll(&watch.store, watch.clock.now().plus_micros(2 * HOUR))
        .await
        .unwrap();
    assert!(count(&watch, "monitor_hours").await > 0);
    assert!(watch.store.remove_monitor(1, id).await.unwrap());
    assert!(!watch.store.remove_monitor(1, id).await.unwrap());
    for table in ["monitors", "monitor_checks", "monitor_hours", "incidents"] {
        assert_eq!(count(&watch, table).await, 0, "{table}");
    }
}
