//! A database that is slow or away is an answer, in bounded time.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use trailmark_server::gateway::problem::{Code, Problem};
use trailmark_server::query::{EventFilter, Page, QueryError, Reader, TimeRange};
use trailmark_server::store::Store;

use crate::world::{World, anonymous};

#[tokio::test]
async fn a_statement_that_takes_too_long_is_cancelled_and_its_connection_serves_on() {
    let world = World::new().await;
    world.send(&[anonymous(1, "open", "device")]).await;
    let mut lock = world.store.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *lock)
        .await
        .unwrap();

    let hasty = world.reader().with_statement_timeout(Duration::from_millis(50));
    for answer in [
        hasty.events(&EventFilter::default(), Page::default()).await.map(|_| ()),
        hasty.stats(TimeRange::default()).await.map(|_| ()),
        hasty.person("device", Page::default()).await.map(|_| ()),
    ] {
        assert!(matches!(answer, Err(QueryError::Timeout)), "{answer:?}");
        assert_eq!(Problem::from(answer.unwrap_err()).code(), Code::QueryTimeout);
    }
    lock.rollback().await.unwrap();
    assert_eq!(hasty.stats(TimeRange::default()).await.unwrap().events, 1);
}

/// How many statements wait for somebody's lock.
async fn waiting(world: &World) -> i64 {
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    sqlx::query_scalar(waiting).fetch_one(world.store.pool()).await.unwrap()
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_any_more_ends_in_the_database_and_harms_no_other() {
    let world = World::new().await;
    world.send(&[anonymous(1, "open", "device")]).await;
    let mut lock = world.store.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *lock)
        .await
        .unwrap();
    for _ in 0..8 {
        let reader = world.reader();
        let read = tokio::spawn(async move { reader.stats(TimeRange::default()).await.map(|_| ()) });
        while waiting(&world).await == 0 {
            tokio::task::yield_now().await;
        }
        read.abort();
        let gone = async {
            while waiting(&world).await > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), gone).await.unwrap();
    }
    lock.rollback().await.unwrap();
    assert_eq!(world.reader().stats(TimeRange::default()).await.unwrap().events, 1);
}

#[tokio::test]
async fn a_read_leaves_no_setting_behind_on_its_connection() {
    let world = World::new().await;
    let store = Store::connect(world.store.pool().connect_options().as_ref().clone(), 1);
    let reader = Reader::new(store.pool().clone(), world.project);
    reader.stats(TimeRange::default()).await.unwrap();
    let setting: String = sqlx::query_scalar("SHOW statement_timeout")
        .fetch_one(store.pool())
        .await
        .unwrap();
    assert_eq!(setting, "0");
}

#[tokio::test]
async fn a_database_that_is_away_is_named_so() {
    let nowhere = PgConnectOptions::new()
        .host("/nonexistent")
        .username("nobody")
        .database("nothing");
    let store = Store::connect(nowhere, 1);
    let answer = Reader::new(store.pool().clone(), 1).stats(TimeRange::default()).await;
    assert_eq!(Problem::from(answer.unwrap_err()).code(), Code::DatabaseUnavailable);
}
