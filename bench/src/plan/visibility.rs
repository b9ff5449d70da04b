//! From the 202 until the event can be read, at rest and under load.

use std::time::Duration;

use super::Bench;
use crate::admin::wait_until_drained;
use crate::connection::Connection;
use crate::load::{Load, Pace, Until};
use crate::report::{ms, quantile, thousands};
use crate::visible::probe;
use crate::{Outcome, report};

/// Events of a request: an SDK's usual batch.
const BATCH: usize = 50;

/// How long events are looked for, at rest and under load.
const PROBING: Duration = Duration::from_secs(10);

/// The load goes on a little longer, so that the last probe meets it too.
const UNDER_LOAD: Duration = Duration::from_secs(11);

/// Batches of 50 events that are stored to learn how many a second can be: two seconds' worth or so.
const CAPACITY_REQUESTS: usize = 3_000;

/// Measures at rest, and beside an open loop of batches at half of what the server stores.
pub(super) async fn measure(bench: &Bench) -> Outcome<()> {
    bench.admin.empty().await?;
    let at_rest = probes(bench).await?;
    let half = stored_per_second(bench).await? / 2.0;
    bench.admin.empty().await?;
    let load = load(bench, Pace::Open(half / BATCH as f64), Until::Elapsed(UNDER_LOAD));
    let (sent, under_load) = tokio::try_join!(load.run_aside(), probes(bench))?;
    let beside = format!("beside {} events/s in batches of {BATCH}", thousands(sent.rate()));
    report::table(
        "From 202 to visible in GET /api/analytics/events (bar: p99 ≤ 1,000 ms)",
        &["load", "events looked for", "p50 ms", "p99 ms", "max ms"],
        &[row("at rest".to_owned(), &at_rest), row(beside, &under_load)],
    );
    Ok(())
}

fn row(load: String, latencies: &[Duration]) -> Vec<String> {
    let latency = |share| ms(quantile(latencies, share));
    vec![
        load,
        latencies.len().to_string(),
        latency(0.5),
        latency(0.99),
        latency(1.0),
    ]
}

async fn stored_per_second(bench: &Bench) -> Outcome<f64> {
    let sent = load(bench, Pace::Closed, Until::Requests(CAPACITY_REQUESTS))
        .run_aside()
        .await?;
    wait_until_drained(&mut Connection::open(bench.server.address)?)?;
    Ok(sent.events as f64 / sent.began.elapsed().as_secs_f64())
}

async fn probes(bench: &Bench) -> Outcome<Vec<Duration>> {
    let (address, admin) = (bench.server.address, &bench.admin);
    let (write, secret) = (admin.write_key.clone(), admin.secret_key.clone());
    tokio::task::spawn_blocking(move || probe(address, &write, &secret, PROBING)).await?
}

fn load(bench: &Bench, pace: Pace, until: Until) -> Load {
    Load {
        address: bench.server.address,
        key: bench.admin.write_key.clone(),
        connections: 64,
        batch: BATCH,
        pace,
        until,
        seed: 99_000,
    }
}
