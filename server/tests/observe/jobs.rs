//! Jobs: each due one is run by one server, and none is lost with the server that had it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use trailmark_protocol::{Timestamp, Uuid};
use trailmark_server::Config;
use trailmark_server::clock::{ManualClock, SharedClock, SystemClock};
use trailmark_server::gateway::login::Login;
use trailmark_server::jobs::schedule::Weight;
use trailmark_server::jobs::{Done, Ground, JobError, Kind, Scheduler};
use trailmark_server::journal::{Journal, MemoryJournal};
use trailmark_server::observe::alerts::Senders;
use trailmark_server::observe::outbound::{Guard, Outbound};
use trailmark_server::observe::uptime::Runner;
use trailmark_server::store::Store;
use trailmark_server::store::jobs::{JobRow, Run};
use trailmark_server::writer::Writer;

use crate::support;
use crate::world::{HOUR, MINUTE, at};

fn ground(store: &Store, clock: SharedClock) -> Arc<Ground> {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::default());
    let node = Uuid::now_v7();
    let config = Config::load(None, [], []).unwrap();
    let outbound = Outbound::new(Guard::new(Vec::new()));
    Arc::new(Ground {
        store: store.apart(5),
        uptime: Runner::new(store.clone(), outbound.clone(), clock.clone()),
        senders: Senders::open(&config, outbound).unwrap(),
        started_at: clock.now(),
        node,
        login: Arc::new(Login::new(store.clone())),
        writer: Writer::new(store.clone(), journal, node, clock.clone()).stats(),
        clock,
        keep_events: None,
        columns: Arc::default(),
    })
}

async fn job(store: &Store, name: &str) -> JobRow {
    store.jobs(Some(name)).await.unwrap().remove(0)
}

fn run(started: Timestamp, done: Result<u64, &str>, due: Timestamp) -> Run<'_> {
    Run {
        started_at: started,
        took: Duration::from_millis(7),
        done,
        due_at: due,
    }
}

#[tokio::test]
async fn a_due_job_is_taken_by_one_server() {
    let store = support::store().await;
    store.know_jobs(&["x"], at(0)).await.unwrap();
    let take = |server: u128, ms: i64| {
        let store = &store;
        async move {
            store
                .take_job(&["x"], Uuid::from_u128(server), at(ms), at(ms + 30_000))
                .await
                .unwrap()
        }
    };
    let (one, other) = tokio::join!(take(1, 0), take(2, 0));
    assert_eq!(u8::from(one.is_some()) + u8::from(other.is_some()), 1);
    assert_eq!(take(3, 29_999).await, None, "the lease lasts");
    assert!(take(3, 30_000).await.is_some(), "its server is dead");
}

#[tokio::test]
async fn a_server_whose_lease_ran_out_cannot_end_the_run_of_another() {
    let store = support::store().await;
    store.know_jobs(&["x"], at(0)).await.unwrap();
    let slow = store
        .take_job(&["x"], Uuid::from_u128(1), at(0), at(1))
        .await
        .unwrap()
        .unwrap();
    let next = store
        .take_job(&["x"], Uuid::from_u128(2), at(2), at(30_000))
        .await
        .unwrap()
        .unwrap();
    assert!(!store.prolong_job(&slow, at(60_000)).await.unwrap());
    store.end_job(&slow, &run(at(0), Ok(5), at(HOUR))).await.unwrap();
    assert_eq!(job(&store, "x").await.runs, 0);
    assert!(store.prolong_job(&next, at(60_000)).await.unwrap());
    store.end_job(&next, &run(at(2), Ok(1), at(HOUR))).await.unwrap();
    let row = job(&store, "x").await;
    assert_eq!((row.runs, row.due_at.0, row.lease_until), (1, at(HOUR), None));
}

#[tokio::test]
async fn a_job_that_is_asked_for_while_it_runs_runs_once_more() {
    let store = support::store().await;
    store.know_jobs(&["x"], at(0)).await.unwrap();
    let taken = store
        .take_job(&["x"], Uuid::nil(), at(10), at(30_000))
        .await
        .unwrap()
        .unwrap();
    assert!(store.hurry_job("x", at(20)).await.unwrap());
    store.end_job(&taken, &run(at(10), Ok(0), at(HOUR))).await.unwrap();
    assert_eq!(job(&store, "x").await.due_at.0, at(20));
    assert!(!store.hurry_job("y", at(20)).await.unwrap());
}

#[tokio::test]
async fn failures_are_counted_and_told_with_the_runs_that_did_something() {
    let store = support::store().await;
    store.know_jobs(&["x"], at(0)).await.unwrap();
    for (ms, done) in [(0, Ok(0)), (1, Err("no disk")), (2, Err("no disk")), (3, Ok(9))] {
        store.hurry_job("x", at(ms)).await.unwrap();
        let taken = store
            .take_job(&["x"], Uuid::nil(), at(ms), at(ms + 1))
            .await
            .unwrap()
            .unwrap();
        store.end_job(&taken, &run(at(ms), done, at(ms))).await.unwrap();
    }
    let row = job(&store, "x").await;
    assert_eq!(
        (row.runs, row.failures, row.failed_in_a_row, row.error),
        (4, 2, 0, None)
    );
    let runs = store.job_runs("x", 10).await.unwrap();
    let told: Vec<_> = runs.iter().map(|run| (run.done, run.error.as_deref())).collect();
    assert_eq!(told, [(9, None), (0, Some("no disk")), (0, Some("no disk"))]);
}

static COUNTED: AtomicU64 = AtomicU64::new(0);
static AT_WORK: AtomicU64 = AtomicU64::new(0);

const fn kind(
    name: &'static str,
    every: Duration,
    run: fn(Arc<Ground>) -> futures_util::future::BoxFuture<'static, Result<Done, JobError>>,
) -> Kind {
    Kind {
        name,
        what: "a test",
        every,
        longest: Duration::from_secs(20),
        weight: Weight::Light,
        run,
    }
}

static COUNTING: [Kind; 1] = [kind("counting", Duration::from_secs(3_600), |_| {
    Box::pin(async {
        COUNTED.fetch_add(1, Ordering::SeqCst);
        Ok(Done::from(1))
    })
})];

static FAILING: [Kind; 2] = [
    kind("panics", Duration::from_secs(3_600), |_| {
        Box::pin(async { panic!("at the disco") })
    }),
    kind("fine", Duration::from_secs(3_600), |_| {
        Box::pin(async { Ok(Done::from(1)) })
    }),
];

static ENDLESS: [Kind; 1] = [kind("endless", Duration::from_secs(3_600), |_| {
    Box::pin(async {
        AT_WORK.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    })
})];

/// Looks until it is so; the schedulers look once a second.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let looked = tokio::time::timeout(Duration::from_secs(30), looking).await;
    assert!(looked.is_ok(), "never: {what}");
}

#[tokio::test]
async fn of_two_servers_one_runs_each_job_and_missed_runs_are_caught_up_once() {
    let store = support::store().await;
    let clock = ManualClock::at(at(0));
    let stop = CancellationToken::new();
    let servers = [0, 1].map(|_| {
        let clock: SharedClock = clock.clone();
        tokio::spawn(Scheduler::of(ground(&store, clock), &COUNTING).run(stop.clone()))
    });
    until("the first run", async || COUNTED.load(Ordering::SeqCst) == 1).await;
    until("its end", async || job(&store, "counting").await.runs == 1).await;
    assert_eq!(job(&store, "counting").await.due_at.0, at(HOUR));
    // Nobody runs for a day and a half.
    clock.advance_micros((36 * HOUR + 10 * MINUTE) * 1_000);
    until("the run that was missed", async || {
        job(&store, "counting").await.runs == 2
    })
    .await;
    assert_eq!(job(&store, "counting").await.due_at.0, at(37 * HOUR));
    stop.cancel();
    for server in servers {
        server.await.unwrap();
    }
    assert_eq!(COUNTED.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_job_that_panics_is_told_and_harms_no_other() {
    let store = support::store().await;
    let stop = CancellationToken::new();
    let server = tokio::spawn(Scheduler::of(ground(&store, Arc::new(SystemClock)), &FAILING).run(stop.clone()));
    until("both ran", async || {
        let jobs = store.jobs(None).await.unwrap();
        jobs.len() == 2 && jobs.iter().all(|job| job.runs == 1)
    })
    .await;
    stop.cancel();
    server.await.unwrap();
    assert_eq!(
        job(&store, "panics").await.error.as_deref(),
        Some("panicked: at the disco")
    );
    assert_eq!(job(&store, "fine").await.error, None);
}

#[tokio::test]
async fn a_server_that_stops_gives_its_jobs_back_at_once() {
    let store = support::store().await;
    let stop = CancellationToken::new();
    let first = tokio::spawn(Scheduler::of(ground(&store, Arc::new(SystemClock)), &ENDLESS).run(stop.clone()));
    until("it works", async || AT_WORK.load(Ordering::SeqCst) == 1).await;
    stop.cancel();
    first.await.unwrap();
    assert_eq!(job(&store, "endless").await.lease_until, None);
    let stop = CancellationToken::new();
    let second = tokio::spawn(Scheduler::of(ground(&store, Arc::new(SystemClock)), &ENDLESS).run(stop.clone()));
    until("another works", async || AT_WORK.load(Ordering::SeqCst) == 2).await;
    stop.cancel();
    second.await.unwrap();
}
