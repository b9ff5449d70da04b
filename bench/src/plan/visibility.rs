//! From the 202 until the event can be read, at rest and under load.

use std::time::Duration;

use super::Bench;
use crate::load::{Load, Pace, Until};
use crate::report::{ms, quantile, thousands};
use crate::visible::probe;
use crate::{Outcome, report};

/// Events looked for in each measurement: the 99th of a hundred is the second slowest.
const PROBES: usize = 150;

/// Seconds of load whose rate is halved, and the longest time that the half goes on.
const CAPACITY: Duration = Duration::from_secs(3);
const UNDER_LOAD: Duration = Duration::from_secs(12);

/// Measures at rest, and beside an open loop of batches at half of what the server takes.
pub(super) async fn measure(bench: &Bench) -> Outcome<()> {
    let at_rest = probes(bench).await?;
    let capacity = load(bench, Pace::Closed, CAPACITY).run_aside().await?.rate();
    bench.admin.empty().await?;
    let half = load(bench, Pace::Open(capacity / 100.0), UNDER_LOAD);
    let (sent, under_load) = tokio::try_join!(half.run_aside(), probes(bench))?;
    let row = |what: String, latencies: &[Duration]| {
        vec![
            what,
            latencies.len().to_string(),
            ms(quantile(latencies, 0.5)),
            ms(quantile(latencies, 0.99)),
            ms(quantile(latencies, 1.0)),
        ]
    };
    let rows = [
        row("at rest".to_owned(), &at_rest),
        row(
            format!("beside {} events/s in batches of 50", thousands(sent.rate())),
            &under_load,
        ),
    ];
    report::table(
        "From 202 to visible in GET /api/analytics/events (bar: p99 ≤ 1,000 ms)",
        &["load", "events looked for", "p50 ms", "p99 ms", "max ms"],
        &rows,
    );
    Ok(())
}

async fn probes(bench: &Bench) -> Outcome<Vec<Duration>> {
    let (address, admin) = (bench.server.address, &bench.admin);
    let (write, secret) = (admin.write_key.clone(), admin.secret_key.clone());
    tokio::task::spawn_blocking(move || probe(address, &write, &secret, PROBES)).await?
}

fn load(bench: &Bench, pace: Pace, time: Duration) -> Load {
    Load {
        address: bench.server.address,
        key: bench.admin.write_key.clone(),
        connections: 64,
        batch: 50,
        pace,
        until: Until::Elapsed(time),
        seed: 99_000,
    }
}
