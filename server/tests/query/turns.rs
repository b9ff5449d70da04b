//! One project's reads do not keep another project waiting.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};
use trailmark_server::query::turns::{READS_PER_PROJECT, WAITING_PER_PROJECT};
use trailmark_server::store::KeyKind;

use crate::http::Front;
use crate::world::{World, user};

/// Only failing tests wait this long.
const PATIENCE: Duration = Duration::from_secs(60);

const EVENTS: &str = "/api/analytics/events";

/// A connection of its own to the world's database.
async fn beside(world: &World) -> PgConnection {
    PgConnection::connect_with(&world.store.pool().connect_options())
        .await
        .unwrap()
}

/// Looks again and again until so many statements wait for a table.
async fn until_stuck(watcher: &mut PgConnection, count: usize) {
    let began = Instant::now();
    let stuck = "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_database ON pg_database.oid = database
                 WHERE NOT granted AND datname = current_database()";
    while sqlx::query_scalar::<_, i64>(stuck)
        .fetch_one(&mut *watcher)
        .await
        .unwrap()
        < count as i64
    {
        assert!(began.elapsed() < PATIENCE, "{count} reads should be stuck");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn while_the_reads_of_one_project_hang_another_is_answered_and_a_long_line_is_refused() {
    let busy = World::new().await;
    let other = World::beside(busy.store.clone()).await;
    other.send(&[user(1, "open", "ann")]).await;
    let (mut lock, mut watcher) = (beside(&busy).await, beside(&busy).await);
    let front = Arc::new(Front::of(busy).await);
    let (key, their_key) = (front.secret().await, front.key(other.project, KeyKind::Secret).await);

    lock.execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let read = || {
        let (front, key) = (Arc::clone(&front), key.clone());
        tokio::spawn(async move { front.get(EVENTS, &key).await.0.as_u16() })
    };
    let mut line: Vec<_> = (0..READS_PER_PROJECT + WAITING_PER_PROJECT).map(|_| read()).collect();
    until_stuck(&mut watcher, READS_PER_PROJECT).await;
    // Explaining a person reads no events.
    assert_eq!(front.get("/v1/persons/ann/explain", &their_key).await.0, 200);
    let (status, problem) = front.get(EVENTS, &key).await;
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (429, &"too_many_reads".into()),
        "{problem}"
    );

    // Clients that leave make room in the line.
    for gone in line.drain(WAITING_PER_PROJECT / 2..) {
        gone.abort();
        let _ = gone.await;
    }
    line.push(read());
    lock.execute("ROLLBACK").await.unwrap();
    let answers = join_all(line).await;
    assert!(
        answers.iter().all(|status| *status.as_ref().unwrap() == 200),
        "{answers:?}"
    );
}
