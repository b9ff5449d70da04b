//! Stored events a second while all background jobs are busy, against a server that runs none: in turns, in one run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{Bench, start_with};
use crate::admin::wait_until_drained;
use crate::args::Run;
use crate::child::get;
use crate::connection::Connection;
use crate::load::{Load, Pace, Until};
use crate::report::{median, thousands};
use crate::{Outcome, report};

/// How often every job is made due, and errors and requests are sent beside the load.
const BUSY_EVERY: Duration = Duration::from_millis(100);

/// Errors, and as many requests, that are sent each time: 500 of both a second.
const BESIDE: usize = 25;

/// How often the first screen is asked for.
const SCREENS: usize = 300;

/// Measures in turns; ratios are within a round.
pub(super) async fn measure(run: &Run) -> Outcome<()> {
    let busy = start_with(run, &[]).await?;
    let idle = start_with(run, &[("TRAILMARK__JOBS__RUN", "false")]).await?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for number in 0..run.rounds {
        // Whoever comes first has a colder disk.
        let order = if number % 2 == 0 {
            [&busy, &idle]
        } else {
            [&idle, &busy]
        };
        for bench in order {
            let is_busy = std::ptr::eq(bench, &raw const busy);
            // A seed of 0 makes an id of zeros, which names nobody.
            let stored = round(bench, is_busy, number as u64 + 1).await?;
            eprintln!(
                "jobs {}: stored {}/s",
                if is_busy { "busy" } else { "off" },
                thousands(stored)
            );
            if is_busy {
                with.push(stored);
            } else {
                without.push(stored);
            }
        }
    }
    let ratios: Vec<f64> = with
        .iter()
        .zip(&without)
        .map(|(with, without)| with / without)
        .collect();
    let rows = [vec![
        thousands(median(without)),
        thousands(median(with)),
        format!("**{:.2}**", median(ratios.clone())),
        format!(
            "{:.2}–{:.2}",
            ratios.iter().copied().fold(f64::MAX, f64::min),
            ratios.iter().copied().fold(0.0, f64::max)
        ),
    ]];
    report::table(
        "Stored, 64 × 50, with all jobs busy (bar: ≥ 0.9)",
        &["without jobs, /s", "with, /s", "ratio", "min–max"],
        &rows,
    );
    first_screen(&busy)?;
    let ran: Vec<(String, i64)> = sqlx::query_as("SELECT name, runs FROM jobs ORDER BY name")
        .fetch_all(&busy.admin.pool)
        .await?;
    let ran = ran
        .into_iter()
        .map(|(name, runs)| vec![name, runs.to_string()])
        .collect::<Vec<_>>();
    report::table("Runs of the jobs meanwhile", &["job", "runs"], &ran);
    Ok(())
}

/// How long `GET /api/v1/now` takes over what the last round has stored.
fn first_screen(bench: &Bench) -> Outcome<()> {
    let mut connection = Connection::open(bench.server.address)?;
    let request = get("/api/v1/now", Some(&bench.admin.secret_key));
    let mut took = Vec::with_capacity(SCREENS);
    for _ in 0..SCREENS {
        let began = Instant::now();
        let (status, _) = connection.ask(&request)?;
        took.push(began.elapsed());
        if status != 200 {
            return Err(format!("GET /api/v1/now: {status}").into());
        }
    }
    took.sort_unstable();
    let at = |share: usize| {
        format!(
            "{:.1}",
            took[(SCREENS * share / 100).min(SCREENS - 1)].as_secs_f64() * 1e3
        )
    };
    report::table(
        "GET /api/v1/now, over the events of the last round (bar: p95 ≤ 200 ms)",
        &["p50 ms", "p95 ms", "max ms"],
        &[vec![at(50), at(95), at(100)]],
    );
    Ok(())
}

async fn round(bench: &Bench, is_busy: bool, seed: u64) -> Outcome<f64> {
    bench.admin.empty().await?;
    let beside = Beside::start(bench, is_busy);
    let load = Load {
        address: bench.server.address,
        key: bench.admin.write_key.clone(),
        connections: 64,
        batch: 50,
        pace: Pace::Closed,
        until: Until::Requests(bench.run.events / 50),
        seed,
    };
    let sent = load.run_aside().await?;
    wait_until_drained(&mut Connection::open(bench.server.address)?)?;
    let took = sent.began.elapsed();
    beside.stop().await?;
    Ok(sent.events as f64 / took.as_secs_f64())
}

/// What happens beside the load: errors and requests arrive, and, where jobs run, all of them are due all the time.
struct Beside {
    stop: Arc<AtomicBool>,
    feeding: JoinHandle<()>,
    hurrying: Option<JoinHandle<Outcome<()>>>,
}

impl Beside {
    fn start(bench: &Bench, is_busy: bool) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (address, key) = (bench.server.address, bench.admin.write_key.clone());
        let feeding = {
            let stop = Arc::clone(&stop);
            tokio::task::spawn_blocking(move || {
                while !stop.load(Ordering::Relaxed) {
                    // A connection that is not taken in time is one batch less.
                    if let Ok(mut connection) = Connection::open(address) {
                        let _ = connection.ask(&post(&key));
                    }
                    std::thread::sleep(BUSY_EVERY);
                }
            })
        };
        let hurrying = is_busy.then(|| tokio::spawn(hurry(bench.admin.pool.clone(), Arc::clone(&stop))));
        Self {
            stop,
            feeding,
            hurrying,
        }
    }

    async fn stop(self) -> Outcome<()> {
        self.stop.store(true, Ordering::Relaxed);
        self.feeding.await?;
        match self.hurrying {
            Some(hurrying) => hurrying.await?,
            None => Ok(()),
        }
    }
}

async fn hurry(pool: PgPool, stop: Arc<AtomicBool>) -> Outcome<()> {
    while !stop.load(Ordering::Relaxed) {
        sqlx::query("UPDATE jobs SET due_at = now() - interval '1 second' WHERE lease_until IS NULL")
            .execute(&pool)
            .await?;
        tokio::time::sleep(BUSY_EVERY).await;
    }
    Ok(())
}

/// A batch of errors in ten places and requests to twenty endpoints.
fn post(key: &str) -> Vec<u8> {
    let event = |place: usize| {
        let (name, properties) = match place % 2 {
            0 => (
                "$exception",
                json!({"$exception_list": [{"type": "TypeError", "value": format!("cannot read {place}"), "stacktrace": {"frames": [
                    {"function": format!("render{}", place % 20), "filename": "app.js", "lineno": place, "in_app": true}]}}]}),
            ),
            _ => (
                "$request",
                json!({"method": "GET", "path": format!("/api/shop/{}/{}", place % 20, Uuid::now_v7()), "status": 200, "duration_ms": place}),
            ),
        };
        json!({"id": Uuid::now_v7(), "event": name, "anonymous_id": format!("d{}", place % 7), "properties": properties})
    };
    let body = json!({"batch": (0..2 * BESIDE).map(event).collect::<Vec<_>>()}).to_string();
    let head = format!(
        "POST /v1/batch HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}
