//! The writer between a journal and a real Postgres.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use trailmark_protocol::Uuid;
use trailmark_server::clock::ManualClock;
use trailmark_server::journal::{Journal, MemoryJournal};
use trailmark_server::store::{ErrorClass, Store};
use trailmark_server::writer::{Writer, WriterStats, WriterStatus};

use crate::history::{NOW, at, count, event, payload};
use crate::support;

const NODE: Uuid = Uuid::from_u128(9);

/// A writer that runs.
struct Running {
    store: Store,
    stats: Arc<WriterStats>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn start(options: PgConnectOptions, journal: &Arc<MemoryJournal>) -> Self {
        let store = Store::connect(options, 4);
        let writer = Writer::new(store.clone(), journal.clone(), NODE, ManualClock::at(at(NOW)));
        let (stats, stop) = (writer.stats(), CancellationToken::new());
        let task = tokio::spawn(writer.run(stop.clone(), Duration::from_secs(20)));
        Self {
            store,
            stats,
            stop,
            task,
        }
    }

    /// Waits for a status, with a deadline.
    async fn until(&self, wanted: impl Fn(&WriterStatus) -> bool) -> WriterStatus {
        let poll = async {
            loop {
                let status = self.stats.status();
                if wanted(&status) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), poll)
            .await
            .unwrap_or_else(|_| panic!("still {:?}", self.stats.status()))
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

async fn append(journal: &MemoryJournal, numbers: impl IntoIterator<Item = u16>) {
    for n in numbers {
        journal.append(payload(&[event(n)])).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_durable_is_stored_and_then_acknowledged() {
    let journal = Arc::new(MemoryJournal::default());
    append(&journal, 0..50).await;
    let running = Running::start(support::empty_database().await, &journal);
    append(&journal, 40..100).await;
    let status = running.until(|status| status.stored_seq == 110).await;
    assert_eq!(
        (status.stored, status.duplicates, status.dead, status.connected),
        (100, 10, 0, true)
    );
    assert_eq!((status.lag_records, journal.stats().acked_seq), (0, 110));
    assert_eq!(count(running.store.pool(), "events").await, 100);
    assert_eq!(running.store.cursor(NODE).await.unwrap(), 110);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_stores_what_is_durable_first() {
    let journal = Arc::new(MemoryJournal::default());
    let options = support::empty_database().await;
    let running = Running::start(options.clone(), &journal);
    running.until(|status| status.connected).await;
    append(&journal, 0..3000).await;
    journal.close();
    running.stop().await;
    assert_eq!(count(Store::connect(options, 1).pool(), "events").await, 3000);
}

/// A crash between the commit and the ack: the journal still has the records, the cursor says that they are stored.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_before_the_ack_nothing_is_read_again() {
    let options = support::empty_database().await;
    let first = Arc::new(MemoryJournal::default());
    append(&first, 0..10).await;
    let running = Running::start(options.clone(), &first);
    running.until(|status| status.stored == 10).await;
    running.stop().await;

    let unacked = Arc::new(MemoryJournal::default());
    append(&unacked, 0..12).await;
    let running = Running::start(options, &unacked);
    let status = running.until(|status| status.stored_seq == 12).await;
    assert_eq!((status.stored, status.duplicates), (2, 0));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_at_the_start_is_waited_for() {
    let options = support::postgres().connect_options();
    let name = format!("late_{}", Uuid::from_u128(u128::from(std::process::id())).simple());
    let journal = Arc::new(MemoryJournal::default());
    append(&journal, 0..5).await;
    let running = Running::start(options.clone().database(&name), &journal);
    let status = running.until(|status| status.last_error.is_some()).await;
    assert_eq!((status.stored, status.connected, status.lag_records), (0, false, 5));
    assert_eq!(status.last_error.unwrap().class, ErrorClass::Bug);
    let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
    sqlx::raw_sql(AssertSqlSafe(create))
        .execute(&mut options.connect().await.unwrap())
        .await
        .unwrap();
    assert_eq!(running.until(|status| status.stored_seq == 5).await.stored, 5);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_killed_under_load_lose_and_double_nothing() {
    let options = support::empty_database().await;
    let journal = Arc::new(MemoryJournal::default());
    let running = Running::start(options.clone(), &journal);
    let mut killer = options.database("postgres").connect().await.unwrap();
    let database = running
        .store
        .pool()
        .connect_options()
        .get_database()
        .unwrap()
        .to_owned();
    for round in 0..20u16 {
        append(&journal, round * 200..(round + 1) * 200).await;
        running.until(|status| status.stored_seq > u64::from(round) * 200).await;
        sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
            .bind(&database)
            .execute(&mut killer)
            .await
            .unwrap();
    }
    let status = running.until(|status| status.stored_seq == 4000).await;
    assert_eq!(count(running.store.pool(), "events").await, 4000);
    assert_eq!(status.stored + status.duplicates, 4000);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_its_tables_is_a_bug_that_is_retried_and_never_loses() {
    let journal = Arc::new(MemoryJournal::default());
    let running = Running::start(support::empty_database().await, &journal);
    running.until(|status| status.connected).await;
    sqlx::raw_sql("ALTER TABLE links RENAME TO lost")
        .execute(running.store.pool())
        .await
        .unwrap();
    journal
        .append(payload(&[crate::history::identify(1, "a", "u")]))
        .await
        .unwrap();
    let status = running.until(|status| status.last_error.is_some()).await;
    assert_eq!((status.last_error.unwrap().class, status.stored), (ErrorClass::Bug, 0));
    sqlx::raw_sql("ALTER TABLE lost RENAME TO links")
        .execute(running.store.pool())
        .await
        .unwrap();
    assert_eq!(running.until(|status| status.stored_seq == 1).await.stored, 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_does_not_wait_for_a_database_that_never_comes_when_nothing_is_waiting() {
    let journal = Arc::new(MemoryJournal::default());
    let running = Running::start(support::empty_database().await, &journal);
    running.until(|status| status.connected).await;
    tokio::time::timeout(Duration::from_secs(5), running.stop())
        .await
        .unwrap();
}
